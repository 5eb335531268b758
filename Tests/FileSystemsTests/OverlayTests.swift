import HostOS
import LinuxABI
import Memory
import Testing
import VirtualFileSystem

@testable import FileSystems

@Suite struct OverlayTests {
    private func tree() -> MemoryLowerNode {
        let shared = MemoryLowerNode.file("shared", links: 2)
        return .directory([
            "etc": .directory(["passwd": .file("root:x:0:0\n"), "hosts": .file("127.0.0.1\n")]),
            "usr": .directory(["bin": .directory(["sh": .file("#!"), "ls": .file("ls")]), "one": shared, "two": shared]),
            "link": MemoryLowerNode(.link(Array("etc/passwd".utf8))),
        ])
    }

    @Test func lowerFilesAppearWithTheHostsInodeNumbers() throws {
        let lower = tree()
        let s = try Sandbox.overlay(lower)
        #expect(try s.contents("/etc/passwd") == "root:x:0:0\n")
        #expect(try s.contents("/link") == "root:x:0:0\n")
        let etc = try lower.lookup(FileName("etc"))
        #expect(try s.attributes("/etc").inode == etc?.attributes().inode)
        #expect(try s.attributes("/etc").linkCount == 2)
        #expect(try s.attributes("/usr").linkCount == 3)
        #expect(try s.list("/") == ["etc", "link", "usr"])
    }

    @Test func writesStayAboveTheLowerFile() throws {
        let lower = tree()
        let s = try Sandbox.overlay(lower)
        let before = try s.attributes("/etc/passwd").inode
        let reader = try s.open("/etc/passwd")
        let writer = try s.open("/etc/passwd", .readWrite)
        try s.write(writer, Array("ROOT".utf8), at: 0)
        #expect(String(decoding: try s.read(reader, 100), as: UTF8.self) == "ROOT:x:0:0\n")
        #expect(try s.attributes("/etc/passwd").inode == before)
        let node = try lower.lookup(FileName("etc"))?.lookup(FileName("passwd"))
        #expect(try HostIO.positionedRead(try #require(node).open().number, at: 0, count: 4) == Array("root".utf8))
    }

    @Test func removedNamesStayRemovedAndMayComeBackEmpty() throws {
        let s = try Sandbox.overlay(tree())
        try s.unlink("/etc/hosts")
        #expect(!s.exists("/etc/hosts"))
        #expect(try s.list("/etc") == ["passwd"])
        #expect(throws: Errno.ENOTEMPTY) { try s.removeDirectory("/etc") }
        try s.unlink("/etc/passwd")
        try s.removeDirectory("/etc")
        try s.makeDirectory("/etc")
        #expect(try s.list("/etc") == [])
        #expect(!s.exists("/etc/hosts"))
        #expect(try s.attributes("/").linkCount == 4)
    }

    @Test func aLowerDirectoryMovesWithItsContents() throws {
        let lower = tree()
        let s = try Sandbox.overlay(lower)
        try s.rename("/usr/bin", "/programs")
        #expect(try s.list("/usr") == ["one", "two"])
        #expect(try s.list("/programs") == ["ls", "sh"])
        #expect(try s.contents("/programs/sh") == "#!")
        #expect(try s.attributes("/usr").linkCount == 2)
        #expect(try s.attributes("/").linkCount == 5)
        try s.write("/programs/new", "new")
        try s.makeDirectory("/usr/bin")
        #expect(try s.list("/usr/bin") == [])
        try s.rename("/programs", "/usr/bin")
        #expect(try s.list("/usr/bin") == ["ls", "new", "sh"])
    }

    @Test func exchangeSwapsLowerAndUpper() throws {
        let s = try Sandbox.overlay(tree())
        try s.write("/file", "upper")
        try s.rename("/file", "/usr/bin", .exchange)
        #expect(try s.contents("/usr/bin") == "upper")
        #expect(try s.list("/file") == ["ls", "sh"])
        #expect(try s.attributes("/usr").linkCount == 2)
    }

    @Test func hardLinksOfTheLowerLayerAreOneFile() throws {
        let s = try Sandbox.overlay(tree())
        #expect(try s.attributes("/usr/one").inode == s.attributes("/usr/two").inode)
        let file = try s.open("/usr/one", .writeOnly)
        try s.write(file, Array("SHARED".utf8), at: 0)
        #expect(try s.contents("/usr/two") == "SHARED")
        try s.unlink("/usr/one")
        #expect(try s.attributes("/usr/two").linkCount == 1)
        try s.link("/usr/two", "/usr/three")
        #expect(try s.contents("/usr/three") == "SHARED")
    }

    @Test func changesSurviveWhenNobodyHoldsTheNode() throws {
        let lower = tree()
        let fileSystem = try OverlayFileSystem(lower: lower, memoryFile: try MemoryFile(window: 64 << 30))
        let s = Sandbox(fileSystem)
        try VFS.changeMode(try s.path("/usr/bin/sh"), 0o700, caller: s)
        // A second view of the same tree, with an empty dentry cache.
        let other = Sandbox(fileSystem)
        #expect(try other.attributes("/usr/bin/sh").mode.permissions == 0o700)
        #expect(try other.attributes("/usr/bin/ls").mode.permissions == 0o644)
    }

    @Test func nodesThatWereOnlyLookedAtAreNotKept() throws {
        let fileSystem = try OverlayFileSystem(lower: tree(), memoryFile: try MemoryFile(window: 64 << 30))
        func shell() throws -> TmpfsInode? {
            try fileSystem.rootNode.child(FileName("usr"))?.child(FileName("bin"))?.child(FileName("sh"))
        }
        weak var node: TmpfsInode?
        do {
            let found = try shell()
            node = found
            #expect(try shell() === found)
        }
        #expect(node == nil)
        #expect(try shell() != nil)
    }

    @Test func aListedLowerDirectoryAnswersForMissingNames() throws {
        let lower = tree()
        let s = try Sandbox.overlay(lower)
        _ = try s.list("/")
        let before = lower.lookups.load(ordering: .relaxed)
        #expect(!s.exists("/missing"))
        #expect(lower.lookups.load(ordering: .relaxed) == before)
    }

    @Test func extendedAttributesOfTheLowerNodeShowUntilChanged() throws {
        let file = MemoryLowerNode(.file([1]), attributes: [Array("user.a".utf8): [1], Array("user.b".utf8): [2]])
        let s = try Sandbox.overlay(.directory(["f": file]))
        let path = try s.path("/f")
        #expect(try VFS.extendedAttribute(Array("user.a".utf8), of: path, caller: s) == [1])
        try VFS.removeExtendedAttribute(Array("user.a".utf8), of: path, caller: s)
        #expect(throws: Errno.ENODATA) { try VFS.extendedAttribute(Array("user.a".utf8), of: path, caller: s) }
        #expect(try VFS.extendedAttributeNames(of: path, caller: s) == [Array("user.b".utf8)])
    }

    @Test func deepTreesGoAwayWithoutRecursion() throws {
        let fileSystem = TmpfsFileSystem(memoryFile: try MemoryFile(window: 64 << 30))
        var node = fileSystem.rootNode
        for _ in 0..<100_000 { node = try node.add("d", .directory, 0o755) }
        weak let deepest = node
        node = fileSystem.rootNode
        _ = node.directory?.takeNodes()
        #expect(deepest == nil)
    }
}
