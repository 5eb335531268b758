import Foundation
import GoferProtocol
import HostOS
import LinuxABI
import Testing
import VirtualFileSystem

@testable import FileSystems

struct SharedTreeTests {
    let caller = TestCaller()

    func mount(_ fixture: GoferFixture, writable: Bool = true) throws -> GoferInode {
        let fileSystem = try GoferFileSystem(fixture.connection, grant: 0, isReadOnly: !writable)
        return try #require(fileSystem.root as? GoferInode)
    }
    func request(_ kind: NodeKind = .regular, _ permissions: UInt16 = 0o644) -> NodeRequest {
        NodeRequest(kind: kind, permissions: permissions, uid: HostProcess.realUID, gid: HostProcess.realGID)
    }

    @Test func writesReachTheHost() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let inode = try root.create(FileName("new"), request(), caller: caller)
        let file = try inode.open(.readWrite, caller: caller)
        #expect(try file.writeText("one two", at: .offset(0)).count == 7)
        #expect(try file.writeText("!", at: .end).end == 8)
        #expect(fixture.text("new") == "one two!")
        #expect(try inode.attributes().size == 8)
        #expect(try file.readText(at: .offset(4)) == "two!")
        #expect(try file.readText(at: .offset(100)) == "")
        try inode.truncate(to: 3, caller: caller)
        #expect(fixture.text("new") == "one")
        #expect(try file.seek(offset: -1, whence: 2, current: 0) == 2)
        #expect(throws: Errno.ENXIO) { try file.seek(offset: 100, whence: 3, current: 0) }
    }

    @Test func hostChangesShow() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let inode = try #require(try root.lookup(FileName("file"), caller: caller))
        #expect(root.revalidate(FileName("file"), child: inode))
        #expect(root.revalidate(FileName("later"), child: nil))
        try fixture.write("later", "x")
        #expect(!root.revalidate(FileName("later"), child: nil))
        try FileManager.default.removeItem(atPath: fixture.path("file"))
        #expect(!root.revalidate(FileName("file"), child: inode))
        try fixture.write("file", "other")
        #expect(!root.revalidate(FileName("file"), child: inode))
    }

    /// Names of a watched directory are certain until the host changes them; then they are asked for again.
    @Test func theHostsChangesTakeCertaintyAway() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        func isCertain(_ name: String, _ child: (any Inode)?) -> Bool {
            root.synchronizeNames()
            return root.isCertain(NameHash.of(Array(name.utf8)), child: child)
        }
        let file = try #require(try root.lookup(FileName("file"), caller: caller))
        #expect(try root.lookup(FileName("absent"), caller: caller) == nil)
        #expect(isCertain("file", file) && isCertain("absent", nil) && !isCertain("file", nil) && !isCertain("other", nil))
        try fixture.write("absent", "now here")
        #expect(!isCertain("absent", nil) && isCertain("file", file))
        try FileManager.default.moveItem(atPath: fixture.path("absent"), toPath: fixture.path("moved"))
        try FileManager.default.removeItem(atPath: fixture.path("file"))
        #expect(!isCertain("file", file))
        #expect(try root.lookup(FileName("file"), caller: caller) == nil)
        // What the sandbox does itself it knows.
        let made = try root.create(FileName("made"), request(), caller: caller)
        #expect(isCertain("made", made))
        try root.rename(FileName("made"), child: made, to: root, FileName("renamed"), replacing: nil, exchange: false, caller: caller)
        #expect(isCertain("made", nil) && isCertain("renamed", made))
        try root.unlink(FileName("renamed"), child: made, caller: caller)
        #expect(isCertain("renamed", nil))
        // The directory itself.
        let before = try root.attributes()
        #expect(try root.accessAttributes().mode == before.mode)
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: fixture.folder)
        #expect(try root.attributes().mode.permissions == 0o711)
    }

    /// Attributes that were read ahead give way to the host's changes.
    @Test func readingAheadSeesChanges() throws {
        let fixture = try GoferFixture(writable: true)
        for index in 0..<20 { try fixture.write("f\(index)", "12345") }
        let root = try mount(fixture)
        for index in 0..<10 { #expect(try root.lookup(FileName("f\(index)"), caller: caller)?.attributes().size == 5) }
        try fixture.write("f15", "longer than before")
        try FileManager.default.removeItem(atPath: fixture.path("f16"))
        // As each path walk does first.
        root.synchronizeNames()
        #expect(try root.lookup(FileName("f15"), caller: caller)?.attributes().size == 18)
        #expect(try root.lookup(FileName("f16"), caller: caller) == nil)
        #expect(try root.lookup(FileName("f17"), caller: caller)?.open([], caller: caller).readText(at: .offset(0)) == "12345")
        #expect(try root.lookup(FileName("none"), caller: caller) == nil)
        try fixture.write("none", "x")
        root.synchronizeNames()
        #expect(try root.lookup(FileName("none"), caller: caller)?.attributes().size == 1)
    }

    @Test func twoNamesOfOneFileAreOneInode() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let first = try #require(try root.lookup(FileName("file"), caller: caller))
        try root.link(FileName("alias"), to: first, caller: caller)
        let second = try #require(try root.lookup(FileName("alias"), caller: caller))
        #expect(first === second)
        #expect(try first.attributes().linkCount == 2)
    }

    @Test func namesChange() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let directory = try root.create(FileName("dir"), request(.directory, 0o755), caller: caller)
        let file = try #require(try root.lookup(FileName("file"), caller: caller))
        try root.rename(FileName("file"), child: file, to: directory, FileName("moved"), replacing: nil, exchange: false, caller: caller)
        #expect(fixture.text("dir/moved") == "hello\n")
        #expect(throws: Errno.ENOTEMPTY) { try root.removeDirectory(FileName("dir"), child: directory, caller: caller) }
        try directory.unlink(FileName("moved"), child: file, caller: caller)
        try root.removeDirectory(FileName("dir"), child: directory, caller: caller)
        #expect(try root.lookup(FileName("dir"), caller: caller) == nil)
        let link = try root.create(FileName("s"), request(.symbolicLink(target: [0x78]), 0o777), caller: caller)
        #expect(try link.readLink(caller: caller) == [0x78])
        #expect(try root.create(FileName("p"), request(.fifo), caller: caller).type == .fifo)
        #expect(throws: Errno.EPERM) { try root.create(FileName("k"), request(.socket), caller: caller) }
    }

    @Test func attributesChange() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let file = try #require(try root.lookup(FileName("file"), caller: caller))
        var change = AttributeChange()
        change.permissions = 0o600
        change.modificationTime = .set(Timespec(seconds: 1_000_000, nanoseconds: 5))
        try file.setAttributes(change, caller: caller)
        let attributes = try file.attributes()
        #expect(attributes.mode.permissions == 0o600)
        #expect(attributes.modificationTime == Timespec(seconds: 1_000_000, nanoseconds: 5))
        #expect(throws: Errno.EPERM) {
            try file.setExtendedAttribute(Array("security.capability".utf8), [1], flags: 0, caller: caller)
        }
        #expect(throws: Errno.self) { try file.extendedAttribute(Array("user.absent".utf8)) }
    }

    @Test func temporaryFileGetsAName() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let inode = try root.temporaryFile(request(), caller: caller)
        let file = try inode.open(.readWrite, caller: caller)
        try file.writeText("named later", at: .offset(0))
        #expect(try inode.attributes().linkCount == 0)
        try root.link(FileName("named"), to: inode, caller: caller)
        #expect(fixture.text("named") == "named later")
    }

    @Test func directoriesListWithStablePositions() throws {
        let fixture = try GoferFixture()
        let directory = try mount(fixture, writable: false).open([], caller: caller)
        var names: [String] = []
        let end = try directory.readDirectory(from: 0, caller: caller) {
            names.append(String(decoding: $0.name, as: UTF8.self))
            return true
        }
        #expect(Set(names) == [".", "..", "file", "link", "sub", "up"])
        var tail: [String] = []
        _ = try directory.readDirectory(from: end - 1, caller: caller) {
            tail.append(String(decoding: $0.name, as: UTF8.self))
            return true
        }
        #expect(tail == [names[5]])
    }

    @Test func readOnlyGrantRefusesEveryChange() throws {
        let fixture = try GoferFixture(writable: false)
        let root = try mount(fixture, writable: false)
        let file = try #require(try root.lookup(FileName("file"), caller: caller))
        #expect(throws: Errno.EROFS) { try file.open(.readWrite, caller: caller) }
        #expect(throws: Errno.EROFS) { try file.open(.writeOnly, caller: caller) }
        #expect(throws: Errno.EROFS) { try file.truncate(to: 0, caller: caller) }
        #expect(throws: Errno.EROFS) { try root.create(FileName("x"), request(), caller: caller) }
        #expect(throws: Errno.EROFS) { try root.create(FileName("x"), request(.directory), caller: caller) }
        #expect(throws: Errno.EROFS) { try root.temporaryFile(request(), caller: caller) }
        #expect(throws: Errno.EROFS) { try root.unlink(FileName("file"), child: file, caller: caller) }
        #expect(throws: Errno.EROFS) { try root.link(FileName("l"), to: file, caller: caller) }
        #expect(throws: Errno.EROFS) {
            try root.rename(FileName("file"), child: file, to: root, FileName("y"), replacing: nil, exchange: false, caller: caller)
        }
        #expect(throws: Errno.EROFS) { try file.setAttributes(AttributeChange(), caller: caller) }
        #expect(throws: Errno.EROFS) { try file.setExtendedAttribute(Array("user.x".utf8), [1], flags: 0, caller: caller) }
        #expect(try file.open([], caller: caller).readText(at: .offset(0)) == "hello\n")
    }

    /// One directory of the host may lie in several trees: all hear of its changes.
    @Test func treesThatOverlapHearOfTheSameChanges() throws {
        let fixture = try GoferFixture(writable: true)
        let roots = try (0..<2).map { _ in try mount(fixture) }
        for root in roots {
            _ = try root.entries()
            root.synchronizeNames()
            #expect(try root.lookup(FileName("later"), caller: caller) == nil)
        }
        try fixture.write("later", "x")
        for root in roots {
            root.synchronizeNames()
            #expect(try root.lookup(FileName("later"), caller: caller) != nil)
        }
    }

    /// Changes through one name of a file show under the other, whatever name the host's event has.
    @Test func changesThroughARemovedNameShow() throws {
        let fixture = try GoferFixture(writable: true)
        let root = try mount(fixture)
        let inode = try #require(try root.create(FileName("a"), request(), caller: caller) as? GoferInode)
        try root.link(FileName("b"), to: inode, caller: caller)
        #expect(try root.lookup(FileName("b"), caller: caller) === inode)
        try root.unlink(FileName("a"), child: inode, caller: caller)
        for number in 0..<8 { _ = try root.lookup(FileName("absent\(number)"), caller: caller) }
        var change = AttributeChange()
        change.permissions = 0o600
        try inode.setAttributes(change, caller: caller)
        root.synchronizeNames()
        #expect(try inode.attributes().mode.permissions == 0o600)
        #expect(try inode.attributes().linkCount == 1)
    }

    @Test func aSingleFileCanBeTheRoot() throws {
        let path = FileManager.default.temporaryDirectory.path + "/gofer-single-" + UUID().uuidString
        try Data("alone".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let fixture = try GoferFixture(more: [Grant(path: Array(path.utf8), isWritable: true)])
        let fileSystem = try GoferFileSystem(fixture.connection, grant: 1, isReadOnly: false)
        #expect(fileSystem.rootType == .regular)
        #expect(try fileSystem.root.open([], caller: caller).readText(at: .offset(0)) == "alone")
        #expect(throws: Errno.ENOTDIR) { try fileSystem.root.lookup(FileName("x"), caller: caller) }
    }
}
