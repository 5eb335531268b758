import Foundation
import GoferProtocol
import HostOS
import LinuxABI
import Testing
import VirtualFileSystem

@testable import FileSystems

struct LowerNodeTests {
    @Test func lookupGivesHostAttributes() throws {
        let fixture = try GoferFixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        #expect(root.type == .directory)
        let file = try #require(try root.lookup(FileName("file")))
        let attributes = try file.attributes()
        #expect(attributes.size == 6 && attributes.mode.isRegular && attributes.linkCount == 1)
        #expect(try root.lookup(FileName("absent")) == nil)
        #expect(throws: Errno.ENOTDIR) { try file.lookup(FileName("x")) }
    }

    @Test func openDonatesTheFileOnce() throws {
        let fixture = try GoferFixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let file = try #require(try root.lookup(FileName("file")))
        let descriptor = try file.open()
        #expect(try file.open() === descriptor)
        #expect(try HostFileCalls.statusFlags(descriptor.number).accessMode == 0)
        #expect(throws: Errno.EISDIR) { try root.open() }
    }

    @Test func linksAreNotFollowed() throws {
        let fixture = try GoferFixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let link = try #require(try root.lookup(FileName("link")))
        #expect(link.type == .symbolicLink)
        #expect(try link.readLink() == Array("/etc/passwd".utf8))
        #expect(throws: Errno.self) { try link.open() }
        let up = try #require(try root.lookup(FileName("up")))
        #expect(throws: Errno.ENOTDIR) { try up.lookup(FileName("file")) }
    }

    @Test func listingAnswersLaterLookups() throws {
        let fixture = try GoferFixture()
        // Of a large directory, directories alone come with attributes.
        let more = (0..<100).map { "file\($0)" }
        for name in more { try fixture.write(name, "") }
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let names = Set(try root.list().map { String(decoding: $0.name.bytes, as: UTF8.self) })
        #expect(names == Set(["file", "link", "sub", "up"] + more))
        // The policy is exclusive: what was listed is the truth, and a dead Gofer does not matter to it.
        HostConfinement.killAndReap(fixture.connection.processID)
        #expect(try root.lookup(FileName("sub"))?.type == .directory)
        #expect(try root.lookup(FileName("absent")) == nil)
        #expect(throws: Errno.EIO) { try root.lookup(FileName("file")) }
    }

    /// Whoever looks at several entries of a directory looks at most: they come in one message.
    @Test func severalLookupsBringTheWholeDirectory() throws {
        let fixture = try GoferFixture()
        for index in 0..<8 { try fixture.write("f\(index)", "12345") }
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        for index in 0..<4 { #expect(try root.lookup(FileName("f\(index)")) != nil) }
        HostConfinement.killAndReap(fixture.connection.processID)
        for index in 0..<8 { #expect(try root.lookup(FileName("f\(index)"))?.attributes().size == 5) }
        #expect(try root.lookup(FileName("link"))?.readLink() == Array("/etc/passwd".utf8))
        #expect(try root.lookup(FileName("absent")) == nil)
    }

    @Test func longDirectoriesComeInChunks() throws {
        let fixture = try GoferFixture()
        try FileManager.default.createDirectory(atPath: fixture.path("many"), withIntermediateDirectories: true)
        for index in 0..<3000 { try fixture.write("many/file-with-a-name-of-some-length-\(index)", "") }
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        let many = try #require(try root.lookup(FileName("many")))
        #expect(Set(try many.list().map(\.name)).count == 3000)
    }

    @Test func walkStopsAtTheFirstMissingName() throws {
        let fixture = try GoferFixture()
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        #expect(try root.walk([FileName("sub"), FileName("inner")]).map(\.type) == [.directory, .regular])
        #expect(try root.walk([FileName("sub"), FileName("absent"), FileName("x")]).count == 1)
        #expect(try root.walk([FileName("up"), FileName("file")]).map(\.type) == [.symbolicLink])
    }

    @Test func procfsInsideAGrantIsEmpty() throws {
        let fixture = try GoferFixture(more: [Grant(path: [0x2f], isWritable: false), Grant(path: Array("/proc".utf8), isWritable: false)])
        let root = try GoferLowerNode.attach(fixture.connection, grant: 1)
        let proc = try #require(try root.lookup(FileName("proc")))
        #expect(proc.type == .directory)
        #expect(try proc.lookup(FileName("self")) == nil)
        #expect(try proc.list().isEmpty)
        #expect(throws: Errno.EACCES) { try GoferLowerNode.attach(fixture.connection, grant: 2) }
    }

    @Test func missingGrantSaysWhy() throws {
        let fixture = try GoferFixture(more: [Grant(path: Array("/no/such/place".utf8), isWritable: false)])
        #expect(throws: Errno.ENOENT) { try GoferLowerNode.attach(fixture.connection, grant: 1) }
        #expect(throws: Errno.EINVAL) { try GoferLowerNode.attach(fixture.connection, grant: 9) }
    }

    @Test func manyDirectoriesFitIntoFewHandles() throws {
        let fixture = try GoferFixture()
        for index in 0..<300 { try FileManager.default.createDirectory(atPath: fixture.path("d\(index)/e"), withIntermediateDirectories: true) }
        let root = try GoferLowerNode.attach(fixture.connection, grant: 0)
        var nodes: [any LowerNode] = []
        for index in 0..<300 { nodes.append(try #require(try root.lookup(FileName("d\(index)")))) }
        for node in nodes { #expect(try node.list().map(\.name) == [FileName("e")]) }
        // The first ones' handles may be gone; they are fetched again.
        for node in nodes { #expect(try #require(try node.lookup(FileName("e"))).list().isEmpty) }
    }
}
