import LinuxABI
import Testing
import VirtualFileSystem

@testable import FileSystems

@Suite struct DirectoryTests {
    @Test func namesThatStayAreListedOnceWhileOthersGo() throws {
        let s = try Sandbox.tmpfs()
        for i in 0..<1000 { try s.write("/f\(i)", "") }
        let directory = try s.open("/", .directory)
        var position: Int64 = 0
        var seen: [String] = []
        while true {
            var batch: [String] = []
            let next = try directory.operations.readDirectory(from: position, caller: s) {
                if batch.count == 7 { return false }
                batch.append(String(decoding: $0.name, as: UTF8.self))
                return true
            }
            if batch.isEmpty { break }
            position = next
            seen += batch
            // Remove what was just listed, as rm -r does, and make noise.
            for name in batch where name.hasPrefix("f") { try s.unlink("/" + name) }
            if seen.count < 500 { try s.write("/g\(seen.count)", "") }
        }
        #expect(Set(seen).count == seen.count)
        #expect(seen.filter { $0.hasPrefix("f") }.count == 1000)
        #expect(try s.list("/").allSatisfy { $0.hasPrefix("g") })
    }

    @Test func everyEntryNamesThePositionAfterIt() throws {
        let s = try Sandbox.tmpfs()
        for name in ["a", "b", "c"] { try s.write("/" + name, "") }
        let directory = try s.open("/", .directory)
        var entries: [DirectoryEntry] = []
        _ = try directory.operations.readDirectory(from: 0, caller: s) {
            entries.append($0)
            return true
        }
        #expect(entries.map { String(decoding: $0.name, as: UTF8.self) } == [".", "..", "a", "b", "c"])
        for (i, entry) in entries.enumerated() {
            var rest: [DirectoryEntry] = []
            _ = try directory.operations.readDirectory(from: entry.nextPosition, caller: s) {
                rest.append($0)
                return true
            }
            #expect(rest.map(\.name) == entries[(i + 1)...].map(\.name))
        }
    }

    @Test func directoriesCountTheirSubdirectories() throws {
        let s = try Sandbox.tmpfs()
        try s.makeDirectory("/a")
        try s.makeDirectory("/a/b")
        try s.makeDirectory("/c")
        #expect(try s.attributes("/").linkCount == 4)
        try s.rename("/a/b", "/c/b")
        #expect(try s.attributes("/a").linkCount == 2)
        #expect(try s.attributes("/c").linkCount == 3)
        try s.rename("/c/b", "/a")
        #expect(try s.attributes("/").linkCount == 4)
        #expect(try s.attributes("/c").linkCount == 2)
        #expect(try s.attributes("/").size == 80)
    }

    @Test func unlinkedFilesKeepTheirData() throws {
        let s = try Sandbox.tmpfs()
        try s.write("/f", "data")
        let file = try s.open("/f", .readWrite)
        try s.unlink("/f")
        #expect(try file.attributes().linkCount == 0)
        #expect(try s.read(file, 10) == Array("data".utf8))
        #expect(throws: Errno.ENOENT) { try s.path("/").node.link(FileName("g"), to: try #require(file.inode), caller: s) }
    }

    @Test func temporaryFilesMayBeLinkedOnce() throws {
        let s = try Sandbox.tmpfs()
        let file = try s.open("/", [.temporaryFileBit, .directory, .readWrite])
        try s.write(file, [1, 2], at: 0)
        let inode = try #require(file.inode)
        try s.path("/").node.link(FileName("named"), to: inode, caller: s)
        #expect(try file.attributes().linkCount == 1)
        let exclusive = try #require(try s.open("/", [.temporaryFileBit, .directory, .readWrite, .exclusive]).inode)
        #expect(throws: Errno.ENOENT) { try s.path("/").node.link(FileName("other"), to: exclusive, caller: s) }
    }
}
