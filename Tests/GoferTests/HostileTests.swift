import Foundation
import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import Testing
import VirtualFileSystem

@testable import FileSystems

/// What a hostile client, a hostile Gofer and a hostile host user try.
struct HostileTests {
    let caller = TestCaller()

    /// Names that the protocol refuses end the connection: only a broken Sentry sends them.
    @Test(arguments: ["..", ".", "a/b", "../../etc/passwd", "/etc/passwd"])
    func namesThatEscapeAreRefused(_ name: String) throws {
        let fixture = try GoferFixture()
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        #expect(throws: Errno.EIO) {
            try fixture.connection.call(WalkRequest(node: root, handles: .all, names: [Array(name.utf8)]))
        }
    }

    @Test func forgedHandlesAreRefused() throws {
        let fixture = try GoferFixture(writable: true)
        for forged in [0, 1, 2, 77, UInt64.max] {
            #expect(throws: Errno.EBADF) { try fixture.connection.call(GetAttributesRequest(NodeTarget(NodeID(rawValue: forged)))) }
        }
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        _ = try fixture.connection.call(CloseRequest(nodes: [root, root, NodeID(rawValue: 999)]))
        #expect(throws: Errno.EBADF) { try fixture.connection.call(GetAttributesRequest(NodeTarget(root))) }
    }

    @Test func aDirectorySwappedForALinkLeadsNowhere() throws {
        let fixture = try GoferFixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let sub = try #require(try root.lookup(FileName("sub")))
        try FileManager.default.moveItem(atPath: fixture.path("sub"), toPath: fixture.path("old"))
        try FileManager.default.createSymbolicLink(atPath: fixture.path("sub"), withDestinationPath: "/etc")
        // The handle is of the directory itself, wherever its name went.
        #expect(try sub.lookup(FileName("passwd")) == nil)
        #expect(try sub.lookup(FileName("inner")) != nil)
        let again = try #require(try root.lookup(FileName("sub")))
        #expect(again.type == .symbolicLink)
    }

    @Test func linksDoNotLeadOutOfOneWalk() throws {
        let fixture = try GoferFixture()
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        let reply = try fixture.connection.call(
            WalkRequest(node: root, handles: .all, names: [Array("up".utf8), Array("etc".utf8)]))
        #expect(reply.nodes.count == 1 && reply.nodes[0].status.mode.isSymbolicLink)
        #expect(throws: Errno.ELOOP) { try fixture.connection.callForDescriptor(OpenFileRequest(NodeTarget(root, Array("link".utf8)), .read)) }
    }

    @Test func devicesAndFIFOsAreNeverOpened() throws {
        let fixture = try GoferFixture(writable: true, more: [Grant(path: Array("/dev".utf8), isWritable: true)])
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        _ = try fixture.connection.call(
            MakeNodeRequest(
                directory: root, name: Array("fifo".utf8), kind: .fifo, attributes: NewNodeAttributes(permissions: 0o600, uid: 0, gid: 0)))
        #expect(throws: Errno.ENXIO) { try fixture.connection.callForDescriptor(OpenFileRequest(NodeTarget(root, Array("fifo".utf8)), .read)) }
        let dev = try fixture.connection.call(AttachRequest(grant: 1)).node
        #expect(throws: Errno.ENXIO) { try fixture.connection.callForDescriptor(OpenFileRequest(NodeTarget(dev, Array("null".utf8)), .read)) }
    }

    @Test(.timeLimit(.minutes(1))) func aKilledGoferFailsEverythingAndIsReportedOnce() throws {
        let fixture = try GoferFixture()
        let reports = Counter()
        fixture.connection.whenDead { _ in reports.increment() }
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        HostConfinement.killAndReap(fixture.connection.processID)
        for _ in 0..<3 { #expect(throws: Errno.EIO) { try root.lookup(FileName("file")) } }
        #expect(reports.value == 1)
        let late = Counter()
        fixture.connection.whenDead { _ in late.increment() }
        #expect(late.value == 1)
    }

    @Test(.timeLimit(.minutes(1))) func aGoferKilledInMidRequestFailsIt() throws {
        let fixture = try GoferFixture()
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        // Stopped, it does not answer; then it dies with the request unanswered.
        try HostProcess.send(19, to: fixture.connection.processID)
        let pid = fixture.connection.processID
        try HostThread.start {
            let parker = HostParker()
            parker.park(until: .after(nanoseconds: 50_000_000))
            try? HostProcess.send(9, to: pid)
        }
        let start = MonotonicInstant.now
        #expect(throws: Errno.EIO) { try fixture.connection.call(GetAttributesRequest(NodeTarget(root))) }
        #expect(MonotonicInstant.now.nanoseconds - start.nanoseconds < 5_000_000_000)
    }

    @Test(.timeLimit(.minutes(1))) func anIdleWatcherNoticesTheDeath() throws {
        let fixture = try GoferFixture()
        let parker = HostParker()
        fixture.connection.whenDead { _ in parker.wake() }
        fixture.connection.watch(with: HostPoller())
        try HostProcess.send(9, to: fixture.connection.processID)
        #expect(parker.park(until: .after(nanoseconds: 5_000_000_000)))
    }

    /// A Gofer that answers with nonsense.
    @Test(.timeLimit(.minutes(1)), arguments: [0, 1, 2, 3]) func nonsenseEndsTheConnection(_ kind: Int) throws {
        let pair = try MessageSocketPair()
        let near = try HostFileCalls.duplicate(pair.near.number)
        let far = SharedHostDescriptor(try HostFileCalls.duplicate(pair.far.number))
        let hello = Hello(landlock: 0, nodeLimit: 100, grants: [0]).encoded()
        let liar = MessageSocket(try HostFileCalls.duplicate(far.number))
        try liar.send(MessageHeader(type: .hello, request: 0, bodyLength: hello.count).encoded(), hello)
        let connection = try GoferConnection(socket: near, processID: 0, descriptorCapacity: 16)
        try HostThread.start {
            guard let socket = try? HostFileCalls.duplicate(far.number) else { return }
            let peer = MessageSocket(socket)
            var buffer = [UInt8](repeating: 0, count: 4096)
            var received: [Int32] = []
            guard (try? peer.receive(into: &buffer, descriptors: &received)) != nil else { return }
            let null = (try? HostNames.openTrusted(Array("/dev/null".utf8), []))?.take() ?? -1
            switch kind {
            case 0: try? peer.send([1, 2, 3], [])
            case 1: try? peer.send(MessageHeader(type: .walk, request: 99, bodyLength: 0).encoded(), [])
            case 2: try? peer.send(MessageHeader(type: .attach, request: 1, bodyLength: 3).encoded(), [1, 2, 3])
            default: try? peer.send(MessageHeader(type: .attach, request: 1, bodyLength: 0, descriptorCount: 1).encoded(), [], descriptors: [null])
            }
            _ = HostDescriptor(owning: null)
        }
        #expect(throws: Errno.EIO) { try connection.call(AttachRequest(grant: 0)) }
        #expect(connection.isDead)
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    func increment() { count.add(1, ordering: .relaxed) }
    var value: Int { count.load(ordering: .relaxed) }
}
