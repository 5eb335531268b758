import Foundation
import GoferProtocol
import HostOS
import LinuxABI
import Testing
import VirtualFileSystem

@testable import FileSystems

/// What is fetched before it is asked for.
struct AheadTests {
    let caller = TestCaller()
    private static let names = (0..<20).map { "g\($0 < 10 ? "0" : "")\($0)" }

    private func fixture() throws -> GoferFixture {
        let fixture = try GoferFixture(writable: true)
        for name in Self.names { try fixture.write("sub/\(name)", name) }
        return fixture
    }

    /// The files of `sub` in a lower tree, in the order of their names, as after a listing with attributes.
    private func lowerFiles(_ fixture: GoferFixture) throws -> [any LowerNode] {
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let sub = try #require(try root.lookup(FileName("sub")))
        _ = try sub.list()
        return try Self.names.map { try #require(try sub.lookup(FileName($0))) }
    }

    private func text(_ file: SharedHostDescriptor) throws -> String {
        let handle = FileHandle(fileDescriptor: file.number, closeOnDealloc: false)
        try handle.seek(toOffset: 0)
        return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    }

    @Test func filesThatAreOpenedInOrderComeTogether() throws {
        let fixture = try fixture()
        let files = try lowerFiles(fixture)
        for index in 0..<2 { #expect(try text(try files[index].open()) == Self.names[index]) }
        // The second one brought the next eight.
        HostConfinement.killAndReap(fixture.connection.processID)
        for index in 2..<10 { #expect(try text(try files[index].open()) == Self.names[index]) }
        #expect(throws: Errno.EIO) { try files[10].open() }
    }

    @Test func filesThatAreOpenedHereAndThereComeAlone() throws {
        let fixture = try fixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let sub = try #require(try root.lookup(FileName("sub")))
        let listed = try sub.list()
        // Inode numbers are as good as the names: the files were made in that order.
        var orders = [listed.map(\.name).filter { $0 != FileName("deep") }, Self.names.map { FileName($0) }]
        orders.append(listed.filter { $0.type == .regular }.sorted { $0.inode < $1.inode }.map(\.name))
        let files = try Self.names.map { try #require(try sub.lookup(FileName($0))) }
        // Never the one that comes next in any order.
        var order = [0]
        while order.count < 6 {
            let last = FileName(Self.names[order[order.count - 1]])
            let next = try #require(
                files.indices.first { index in
                    !order.contains(index) && !orders.contains { names in
                        names.firstIndex(of: last).map { names.dropFirst($0 + 1).first == FileName(Self.names[index]) } ?? true
                    }
                })
            order.append(next)
        }
        for index in order { #expect(try text(try files[index].open()) == Self.names[index]) }
        HostConfinement.killAndReap(fixture.connection.processID)
        let opened = Set(order)
        for index in files.indices where !opened.contains(index) { #expect(throws: Errno.EIO) { try files[index].open() } }
    }

    @Test func whatOpensAheadIsAsCarefulAsWhatOpensOne() throws {
        let fixture = try fixture()
        #expect(unsafe mkfifo(fixture.path("sub/fifo"), 0o600) == 0)
        try FileManager.default.createSymbolicLink(atPath: fixture.path("sub/link"), withDestinationPath: "/etc/passwd")
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        let walk = try fixture.connection.call(WalkRequest(node: root, handles: .all, names: [Array("sub".utf8)]))
        let sub = try #require(walk.nodes.first).node
        let names = ["fifo", "link", "deep", "absent", "g03"].map { Array($0.utf8) }
        let (reply, opened) = try fixture.connection.callForDescriptors(OpenSeveralRequest(directory: sub, handles: .none, names: names))
        #expect(reply.files.map(\.error) == [.ENXIO, .ELOOP, .EISDIR, .ENOENT, nil])
        #expect(try opened.map { try text($0) } == ["g03"])
        #expect(throws: Errno.EBADF) {
            try fixture.connection.callForDescriptors(OpenSeveralRequest(directory: NodeID(rawValue: 999), handles: .none, names: names))
        }
    }

    /// What is hidden is so for those too who ask for several names, and only the first of them is anybody's wish.
    @Test func hiddenFilesStayHidden() throws {
        let fixture = try GoferFixture(hidden: ["file"])
        try FileManager.default.linkItem(atPath: fixture.path("file"), toPath: fixture.path("sub/alias"))
        let root = try fixture.connection.call(AttachRequest(grant: 0)).node
        let walk = try fixture.connection.call(WalkRequest(node: root, handles: .all, names: [Array("sub".utf8)]))
        let sub = try #require(walk.nodes.first).node
        let names = ["inner", "alias"].map { Array($0.utf8) }
        let (reply, opened) = try fixture.connection.callForDescriptors(OpenSeveralRequest(directory: sub, handles: .none, names: names))
        #expect(reply.files.map(\.error) == [nil, .ENOENT] && opened.count == 1)
        let lists = try fixture.connection.call(AttributeNamesRequest(directory: sub, names: names)).lists
        #expect(lists == [[], nil])
        #expect(try fixture.connection.call(AttributeNamesRequest(directory: root, names: [Array("file".utf8)])).lists == [nil])
        #expect(fixture.connection.refusals.isEmpty)
        let asked = OpenSeveralRequest(directory: root, handles: .none, names: [Array("file".utf8)])
        #expect(try fixture.connection.callForDescriptors(asked).reply.files.map(\.error) == [.ENOENT])
        #expect(fixture.connection.refusals == [1: 1])
    }

    /// The host may put another file in the place of one that was opened ahead.
    @Test func anotherFileOfTheSameNameIsNotMistaken() throws {
        let fixture = try fixture()
        let fileSystem = try GoferFileSystem(fixture.connection, grant: 0, isReadOnly: false)
        let sub = try #require(try fileSystem.root.lookup(FileName("sub"), caller: caller) as? GoferInode)
        func open(_ name: String) throws -> String? {
            sub.synchronizeNames()
            return try sub.lookup(FileName(name), caller: caller)?.open([], caller: caller).readText(at: .offset(0))
        }
        for name in Self.names { _ = try sub.lookup(FileName(name), caller: caller) }
        for name in Self.names.prefix(2) { #expect(try open(name) == name) }
        try fixture.write("sub/new", "another")
        try FileManager.default.removeItem(atPath: fixture.path("sub/g04"))
        try FileManager.default.moveItem(atPath: fixture.path("sub/new"), toPath: fixture.path("sub/g04"))
        try FileManager.default.removeItem(atPath: fixture.path("sub/g05"))
        #expect(try open("g03") == "g03")
        #expect(try open("g04") == "another")
        #expect(try open("g05") == nil)
        #expect(try open("g06") == "g06")
    }

    /// A file that was opened ahead has a handle like every other: what it is called on the host does not matter any more.
    @Test func filesOpenedAheadKeepTheirIdentity() throws {
        let fixture = try fixture()
        let fileSystem = try GoferFileSystem(fixture.connection, grant: 0, isReadOnly: false)
        let sub = try #require(try fileSystem.root.lookup(FileName("sub"), caller: caller) as? GoferInode)
        let inodes = try Self.names.map { try #require(try sub.lookup(FileName($0), caller: caller)) }
        for inode in inodes.prefix(6) { _ = try inode.open([], caller: caller) }
        try FileManager.default.moveItem(atPath: fixture.path("sub/g05"), toPath: fixture.path("moved"))
        var change = AttributeChange()
        change.permissions = 0o640
        try inodes[5].setAttributes(change, caller: caller)
        let mode = try FileManager.default.attributesOfItem(atPath: fixture.path("moved"))[.posixPermissions] as? Int
        #expect(mode == 0o640)
    }

    @Test func namesOfAttributesComeTogether() throws {
        let fixture = try fixture()
        let attribute = Array("user.stockade".utf8)
        try HostExtendedAttributes.set(Array(fixture.path("sub/g07").utf8), attribute, [1, 2], flags: 0)
        let files = try lowerFiles(fixture)
        #expect(throws: Errno.ENODATA) { try files[0].extendedAttribute(attribute) }
        for file in files.prefix(3) { #expect(try file.extendedAttributeNames() == []) }
        #expect(try files[7].extendedAttribute(attribute) == [1, 2])
        HostConfinement.killAndReap(fixture.connection.processID)
        let known = files.map { (try? $0.extendedAttributeNames()) ?? [] }
        #expect(known.indices.filter { known[$0] == [attribute] } == [7])
        #expect(throws: Errno.ENODATA) { try files[1].extendedAttribute(attribute) }
    }

    /// Whoever lists a small directory has seen its files.
    @Test func smallDirectoriesComeWithAllAttributes() throws {
        let fixture = try fixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let sub = try #require(try root.lookup(FileName("sub")))
        _ = try sub.list()
        HostConfinement.killAndReap(fixture.connection.processID)
        for name in Self.names { #expect(try sub.lookup(FileName(name))?.attributes().size == 3) }
        #expect(try sub.lookup(FileName("absent")) == nil)
    }

    /// A directory that was made inside is listed by the first look-up: from then on only events tell of names.
    @Test func namesInNewDirectoriesAreKnownToBeAbsent() throws {
        let fixture = try fixture()
        let root = try #require(try GoferFileSystem(fixture.connection, grant: 0, isReadOnly: false).root as? GoferInode)
        let request = NodeRequest(kind: .directory, permissions: 0o755, uid: HostProcess.realUID, gid: HostProcess.realGID)
        let new = try #require(try root.create(FileName("new"), request, caller: caller) as? GoferInode)
        #expect(try new.lookup(FileName("one"), caller: caller) == nil)
        try fixture.write("new/one", "1")
        new.synchronizeNames()
        #expect(try new.lookup(FileName("one"), caller: caller) != nil)
        HostConfinement.killAndReap(fixture.connection.processID)
        #expect(try new.lookup(FileName("two"), caller: caller) == nil)
    }

    /// Files that were opened and closed are as good as others: who looks at several gets all at once, until an event tells of one.
    @Test func attributesOfUsedFilesComeTogether() throws {
        let fixture = try fixture()
        let root = try #require(try GoferFileSystem(fixture.connection, grant: 0, isReadOnly: false).root as? GoferInode)
        let request = NodeRequest(kind: .regular, permissions: 0o644, uid: HostProcess.realUID, gid: HostProcess.realGID)
        let inodes = try (0..<9).map { number in
            let inode = try root.create(FileName("made\(number)"), request, caller: caller)
            _ = try inode.open(.readWrite, caller: caller).writeText("12345", at: .offset(0))
            return inode
        }
        root.synchronizeNames()
        for inode in inodes.prefix(6) { #expect(try inode.attributes().size == 5) }
        try fixture.write("made7", "longer than before")
        #expect(try inodes[7].attributes().size == 18)
        HostConfinement.killAndReap(fixture.connection.processID)
        #expect(try inodes[6].attributes().size == 5)
        #expect(try inodes[8].attributes().size == 5)
    }

    @Test func clearedPlacesLeaveTheCache() {
        let cache = ClockCache<LowerListing>(capacity: 1000)
        for _ in 0..<5000 { cache.insert(LowerListing([], isFiltered: false), weight: 4).clear() }
        #expect(cache.places < 50)
    }
}
