import Foundation
import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import Testing

@testable import FileSystems

/// A Sentry that sends what it likes, and a process of the host that swaps directories for symbolic links meanwhile. Nothing outside the grants
/// may be read or changed. `STOCKADE_ATTACK_SECONDS` sets how long each attack lasts (default 2), `STOCKADE_ATTACK_SEED` the first seed.
struct AttackTests {
    static let seconds = Double(ProcessInfo.processInfo.environment["STOCKADE_ATTACK_SECONDS"] ?? "") ?? 2
    static let seed = UInt64(ProcessInfo.processInfo.environment["STOCKADE_ATTACK_SEED"] ?? "") ?? 1

    @Test func aHostileClientGetsNothingOutsideItsGrants() throws {
        let tree = try AttackTree()
        var attacker = Attacker(tree, seed: Self.seed)
        try attacker.attack(until: .after(nanoseconds: Int64(Self.seconds * 1e9)))
        try tree.verify()
        attacker.expectProgress()
    }

    @Test func swappedDirectoriesLeadNowhere() throws {
        let tree = try AttackTree()
        let ends = MonotonicInstant.after(nanoseconds: Int64(Self.seconds * 1e9))
        let isDone = Atomic<Bool>(false)
        let swapper = Thread {
            let place = Array((tree.granted + "/swap").utf8)
            let spare = Array((tree.granted + "/spare").utf8)
            let here = HostAt.workingDirectory
            while MonotonicInstant.now < ends {
                try? HostNames.rename(place, in: here, to: spare, in: here, flags: 0)
                for target in [tree.outside, "../outside"] {
                    try? HostNames.makeSymbolicLink(place, in: here, target: Array(target.utf8))
                    try? HostNames.unlink(place, in: here, isDirectory: false)
                }
                try? HostNames.rename(spare, in: here, to: place, in: here, flags: 0)
            }
            isDone.store(true, ordering: .releasing)
        }
        swapper.start()
        var attacker = Attacker(tree, seed: Self.seed &+ 77)
        try attacker.attack(until: ends)
        while !isDone.load(ordering: .acquiring) { usleep(1000) }
        try tree.verify()
        attacker.expectProgress()
    }
}

/// A granted tree, one that is granted for reading, a hidden part, and one outside with what must not be seen.
final class AttackTree: Sendable {
    let base = NSTemporaryDirectory() + "attack-" + UUID().uuidString
    var granted: String { base + "/granted" }
    var readOnly: String { base + "/readonly" }
    var outside: String { base + "/outside" }
    var hidden: String { base + "/granted/hidden" }
    static let secret = "THIS-MUST-NOT-BE-SEEN"
    private let forbidden: Set<UInt64>
    private let before: [String: String]
    private let device: DeviceNumber

    init() throws {
        let manager = FileManager.default
        for folder in ["granted/swap/in", "granted/hidden/deep", "granted/work", "readonly/d", "outside/in"] {
            try manager.createDirectory(atPath: base + "/" + folder, withIntermediateDirectories: true)
        }
        for file in ["outside/secret", "outside/in/f", "granted/hidden/key", "granted/hidden/deep/f"] {
            try Data(Self.secret.utf8).write(to: URL(fileURLWithPath: base + "/" + file))
        }
        for file in ["granted/f", "granted/swap/in/f", "granted/swap/secret", "readonly/f", "readonly/d/g"] {
            try Data("plain".utf8).write(to: URL(fileURLWithPath: base + "/" + file))
        }
        for (link, target) in [("granted/up", ".."), ("granted/abs", base + "/outside"), ("granted/proc", "/proc/self/root")] {
            try manager.createSymbolicLink(atPath: base + "/" + link, withDestinationPath: target)
        }
        var numbers: Set<UInt64> = []
        for path in ["outside", "outside/secret", "outside/in", "outside/in/f", "granted/hidden", "granted/hidden/key", "granted/hidden/deep", "granted/hidden/deep/f", ""] {
            numbers.insert(try HostFileStatus(of: Array((base + "/" + path).utf8), in: HostAt.workingDirectory).inode)
        }
        forbidden = numbers
        device = try HostFileStatus(of: Array(base.utf8), in: HostAt.workingDirectory).device
        before = try Self.snapshot(base)
    }

    deinit { try? FileManager.default.removeItem(atPath: base) }

    func isForbidden(_ status: HostFileStatus) -> Bool { status.device != device || forbidden.contains(status.inode) }

    /// Everything but the part that may be changed is as it was.
    func verify() throws {
        let after = try Self.snapshot(base)
        #expect(after == before)
    }

    private static func snapshot(_ base: String) throws -> [String: String] {
        var result: [String: String] = [:]
        for folder in ["outside", "readonly", "granted/hidden"] {
            let names = try FileManager.default.subpathsOfDirectory(atPath: base + "/" + folder)
            result[folder] = names.sorted().joined(separator: " ")
            for name in names + [""] {
                let path = base + "/" + folder + (name.isEmpty ? "" : "/" + name)
                let s = try HostFileStatus(of: Array(path.utf8), in: HostAt.workingDirectory)
                let content = s.mode.isRegular ? (try? String(contentsOfFile: path, encoding: .utf8)) ?? "?" : ""
                result[path] = "\(s.mode.rawValue) \(s.uid) \(s.size) \(s.modificationTime.seconds).\(s.modificationTime.nanoseconds) \(s.linkCount) \(content)"
            }
        }
        return result
    }
}

struct Attacker {
    private let tree: AttackTree
    private var state: UInt64
    private var answered = 0
    /// Gofers in a row that answered nothing, and the wait status of the last of them.
    private var silent = 0
    private var silentStatus: Int32?
    private static let wantedReplies = 1000
    private static let silentLimit = 50

    init(_ tree: AttackTree, seed: UInt64) {
        self.tree = tree
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    }

    private mutating func random() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
    private mutating func below(_ limit: Int) -> Int { Int(random() % UInt64(limit)) }
    private mutating func pick<T>(_ values: [T]) -> T { values[below(values.count)] }

    /// Goes on after `end` until there were enough replies to have tried something, unless the Gofers stay silent: a slow machine proves as much
    /// as a fast one.
    mutating func attack(until end: MonotonicInstant) throws {
        while goesOn(end) && silent < Self.silentLimit {
            let before = answered
            try oneConnection(until: end)
            silent = answered == before ? silent + 1 : 0
        }
    }

    private func goesOn(_ end: MonotonicInstant) -> Bool { answered < Self.wantedReplies || MonotonicInstant.now < end }

    func expectProgress() {
        let status = silentStatus.map { "0x" + String($0, radix: 16) } ?? "unknown"
        #expect(
            answered >= Self.wantedReplies,
            "the attack must get somewhere: \(answered) replies, \(silent) silent Gofers, the last one ended with wait status \(status)")
    }

    /// How the Gofer that hung up without a hello ended.
    private static func status(_ pid: Int32) throws -> Int32? {
        for _ in 0..<1000 {
            if let status = try HostConfinement.reapIfEnded(pid) { return status }
            usleep(1000)
        }
        return nil
    }

    /// A Gofer of its own: a message that the protocol refuses ends it.
    private mutating func oneConnection(until end: MonotonicInstant) throws {
        let pair = try MessageSocketPair()
        let arguments = GoferArguments(
            socket: 3, parent: HostProcess.id,
            grants: [Grant(path: Array(tree.granted.utf8), isWritable: true), Grant(path: Array(tree.readOnly.utf8), isWritable: false)],
            hides: [HideRule(path: Array(tree.hidden.utf8), pick([.absent, .refused, .sealed]))])
        let pid = try HostProcess.spawn(
            GoferFixture.executable, arguments: arguments.words, environment: [], descriptors: [(source: pair.far.number, target: 3)])
        var hasEnded = false
        defer { if !hasEnded { HostConfinement.killAndReap(pid) } }
        let socket = MessageSocket(try HostFileCalls.duplicate(pair.near.number))
        _ = consume pair
        var buffer = [UInt8](repeating: 0, count: ProtocolLimits.maximumMessage)
        var received: [Int32] = []
        guard try socket.receive(into: &buffer, descriptors: &received) > 0 else {
            silentStatus = try Self.status(pid)
            hasEnded = silentStatus != nil
            return
        }
        var handles: [NodeID] = []
        var request: UInt64 = 0
        let breaksRules = below(4) == 0
        for number in 0..<2000 where goesOn(end) {
            request += 1
            var (type, body) = number < 2 ? (MessageType.attach, AttachRequest(grant: UInt32(number), watches: random() & 1 == 0).encoded()) : message(handles)
            if breaksRules && below(50) == 0 { mutate(&body) }
            var header = MessageHeader(type: type, request: request, bodyLength: body.count)
            header.detail = UInt16(below(4) == 0 ? random() & 0xffff : 1)
            if breaksRules && below(200) == 0 { header.bodyLength = UInt32(truncatingIfNeeded: random()) }
            do {
                try socket.send(header.encoded(), body)
                received = []
                let length = try socket.receive(into: &buffer, descriptors: &received)
                let owned = received.map { SharedHostDescriptor(HostDescriptor(owning: $0)) }
                if length == 0 { return }
                answered += 1
                try inspect(Array(buffer[..<length]), owned)
                handles += Self.handles(type, buffer, length)
                if handles.count > 64 { handles.removeFirst(32) }
            } catch let error as Errno {
                // It hung up, as it should on nonsense.
                guard error == .EPIPE || error == .ECONNRESET else { throw error }
                return
            }
        }
    }

    /// Nothing of the outside is in a reply, and no donated file lies outside or is writable without a grant.
    private func inspect(_ message: [UInt8], _ descriptors: [SharedHostDescriptor]) throws {
        let secret = Array(AttackTree.secret.utf8)
        #expect(!Self.contains(message, secret))
        for descriptor in descriptors {
            let status = try HostFileStatus(of: descriptor.number)
            let flags = try HostFileCalls.statusFlags(descriptor.number)
            // The change queue is an anonymous inode without a type.
            guard status.mode.type != nil else { continue }
            #expect(!tree.isForbidden(status), "a file outside the grants was donated")
            #expect(status.mode.isRegular || flags.contains(.path), "something else than a file was opened")
            #expect(!(status.mode.isDirectory), "a directory was donated")
            guard status.mode.isRegular, flags.isReadable, !flags.contains(.path) else { continue }
            let content = try HostIO.positionedRead(descriptor.number, at: 0, count: 4096)
            #expect(!Self.contains(content, secret))
        }
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        for start in 0...(bytes.count - part.count) where bytes[start] == part[0] {
            if bytes[start..<start + part.count].elementsEqual(part) { return true }
        }
        return false
    }

    private static func handles(_ type: MessageType, _ buffer: [UInt8], _ length: Int) -> [NodeID] {
        let reader = ByteReader(buffer, MessageHeader.size..<length)
        switch type {
        case .attach, .open, .create, .makeNode, .temporaryFile, .inspect:
            return (try? NodeReply(decoding: reader)).map { [$0.node] } ?? []
        case .walk: return (try? WalkReply(decoding: reader))?.nodes.map(\.node) ?? []
        case .list: return (try? ListReply(decoding: reader)).map { [$0.stream, $0.node] } ?? []
        default: return []
        }
    }

    // MARK: messages

    private mutating func name() -> [UInt8] {
        let names = ["f", "in", "swap", "spare", "hidden", "key", "deep", "secret", "up", "abs", "proc", "work", "d", "g", "a", "b", "c", "x", "outside", "passwd"]
        return Array(pick(names).utf8)
    }
    private mutating func handle(_ known: [NodeID]) -> NodeID {
        if known.isEmpty || below(20) == 0 { return NodeID(rawValue: below(2) == 0 ? random() : UInt64(below(40))) }
        return pick(known)
    }
    private mutating func target(_ known: [NodeID]) -> NodeTarget { NodeTarget(handle(known), below(3) == 0 ? [] : name()) }
    private mutating func wish() -> HandleWish { pick([.none, .directories, .all]) }
    private mutating func owner() -> NewNodeAttributes {
        NewNodeAttributes(permissions: UInt16(truncatingIfNeeded: random()) & 0o7777, uid: HostProcess.realUID, gid: HostProcess.realGID)
    }

    private mutating func message(_ known: [NodeID]) -> (MessageType, [UInt8]) {
        switch below(20) {
        case 0...4:
            let names = (0..<(1 + below(5))).map { _ in name() }
            return (.walk, WalkRequest(node: handle(known), handles: wish(), watches: below(2) == 0, names: names).encoded())
        case 5, 6: return (.open, OpenFileRequest(target(known), pick([.read, .write, .readWrite]), handles: wish()).encoded())
        case 7: return (.create, CreateRequest(directory: handle(known), name: name(), attributes: owner()).encoded())
        case 8:
            let kind = pick([MakeNodeRequest.Kind.directory, .fifo, .symbolicLink])
            let link = kind == .symbolicLink ? Array(pick(["..", tree.outside, "../outside/secret", "/etc/passwd", "/proc/self/fd"]).utf8) : []
            return (.makeNode, MakeNodeRequest(directory: handle(known), name: name(), kind: kind, attributes: owner(), link: link).encoded())
        case 9: return (.temporaryFile, TemporaryFileRequest(directory: handle(known), attributes: owner()).encoded())
        case 10: return (.link, LinkRequest(node: handle(known), directory: handle(known), name: name()).encoded())
        case 11: return (.unlink, UnlinkRequest(directory: handle(known), name: name(), isDirectory: below(2) == 0).encoded())
        case 12:
            let request = RenameRequest(
                directory: handle(known), name: name(), newDirectory: handle(known), newName: name(), flags: UInt32(below(3)))
            return (.rename, request.encoded())
        case 13:
            var request = SetAttributesRequest(node: handle(known))
            if below(2) == 0 { request.permissions = UInt16(truncatingIfNeeded: random()) & 0o7777 | 0o600 }
            if below(3) == 0 { request.size = UInt64(below(10000)) }
            if below(3) == 0 { request.modificationTime = .now }
            return (.setAttributes, request.encoded())
        case 14: return (.readLink, ReadLinkRequest(target(known)).encoded())
        case 15: return (.list, ListRequest(target(known), stream: below(3) == 0 ? handle(known) : .none, attributes: wish(), handles: wish()).encoded())
        case 16: return (.getAttributes, GetAttributesRequest(target(known)).encoded())
        case 17: return (.inspect, InspectRequest(target(known), handles: wish()).encoded())
        case 18: return (.close, CloseRequest(nodes: [handle(known)]).encoded())
        default:
            switch below(6) {
            case 4:
                let names = (0..<(1 + below(ProtocolLimits.maximumOpens))).map { _ in name() }
                return (.openSeveral, OpenSeveralRequest(directory: handle(known), handles: wish(), names: names).encoded())
            case 5: return (.attributeNames, AttributeNamesRequest(directory: handle(known), names: (0..<(1 + below(40))).map { _ in name() }).encoded())
            case 0: return (.changeQueue, [])
            case 1: return (.setExtendedAttribute, SetExtendedAttributeRequest(node: handle(known), name: Array("user.x".utf8), value: [1], flags: 0).encoded())
            case 2: return (.listExtendedAttributes, ListExtendedAttributesRequest(target(known)).encoded())
            default: return (.synchronize, SynchronizeRequest(node: handle(known), extent: .file).encoded())
            }
        }
    }

    private mutating func mutate(_ body: inout [UInt8]) {
        guard !body.isEmpty else { return }
        switch below(4) {
        case 0: body[below(body.count)] = UInt8(truncatingIfNeeded: random())
        case 1: body.removeLast(below(body.count))
        case 2: body += [UInt8](repeating: UInt8(truncatingIfNeeded: random()), count: 1 + below(40))
        default:
            // A name with a slash in it, or two dots.
            let part = Array(pick(["../", "..", "/", "\u{0}"]).utf8)
            let start = below(body.count)
            for (index, byte) in part.enumerated() where start + index < body.count { body[start + index] = byte }
        }
    }
}
