import LinuxABI
import Testing

@testable import VirtualFileSystem

@Suite struct OperationTests {
    let caller = TestCaller()

    @Test func openCreatesOnlyWhereItMay() throws {
        try caller.makeDirectory("/d")
        #expect(throws: Errno.ENOENT) { try caller.open("/f", []) }
        #expect(throws: Errno.EISDIR) { try caller.open("/f/", [.create, .writeOnly]) }
        let file = try caller.open("/f", [.create, .writeOnly], mode: 0o666)
        #expect(try file.attributes().mode.permissions == 0o644)
        #expect(throws: Errno.EEXIST) { try caller.open("/f", [.create, .exclusive]) }
        #expect(throws: Errno.EISDIR) { try caller.open("/d", .writeOnly) }
        #expect(throws: Errno.EISDIR) { try caller.open("/d", .create) }
        #expect(throws: Errno.EISDIR) { try caller.open("/d/.", .create) }
        #expect(throws: Errno.EINVAL) { try caller.open("/d", [.create, .directory]) }
        #expect(throws: Errno.ENOTDIR) { try caller.open("/f", .directory) }
    }

    @Test func openTreatsASymbolicLinkAtTheEndAsItsFlagsSay() throws {
        try caller.makeLink("/dangling", "made")
        #expect(throws: Errno.EEXIST) { try caller.open("/dangling", [.create, .exclusive]) }
        #expect(throws: Errno.ELOOP) { try caller.open("/dangling", [.create, .noFollow]) }
        try caller.open("/dangling", [.create, .writeOnly])
        #expect(try caller.name("/made") == "/made")
        #expect(throws: Errno.ELOOP) { try caller.open("/dangling", .noFollow) }
        let link = try caller.open("/dangling", [.path, .noFollow])
        #expect(link.isPathOnly && link.type == .symbolicLink)
    }

    @Test func whoeverCreatesAFileMayUseItWhateverItsMode() throws {
        try VFS.changeMode(caller.root, 0o777, caller: caller)
        caller.credentials = Credentials(uid: 7, gid: 7, groups: [], capabilities: [])
        try caller.open("/locked", [.create, .readWrite], mode: 0)
        #expect(throws: Errno.EACCES) { try caller.open("/locked", []) }
    }

    @Test func aFileThatIsExecutedIsNotWritten() throws {
        try caller.makeFile("/x", mode: 0o755)
        let inode = try caller.resolve("/x").node
        try inode.shared.denyWriters()
        #expect(throws: Errno.ETXTBSY) { try caller.open("/x", .writeOnly) }
        inode.shared.allowWriters()
        let writer = try caller.open("/x", .writeOnly)
        #expect(throws: Errno.ETXTBSY) { try inode.shared.denyWriters() }
        withExtendedLifetime(writer) {}
    }

    @Test func renameRefusesCyclesAndWrongTypes() throws {
        try caller.makeDirectory("/a")
        try caller.makeDirectory("/a/b")
        try caller.makeDirectory("/a/b/c")
        try caller.makeFile("/f")
        #expect(throws: Errno.EINVAL) { try caller.rename("/a", "/a/b/c/a") }
        #expect(throws: Errno.EINVAL) { try caller.rename("/a", "/a/x") }
        #expect(throws: Errno.ENOTEMPTY) { try caller.rename("/a/b/c", "/a") }
        #expect(throws: Errno.ENOTDIR) { try caller.rename("/a", "/f") }
        #expect(throws: Errno.EISDIR) { try caller.rename("/f", "/a") }
        #expect(throws: Errno.EEXIST) { try caller.rename("/f", "/a", .noReplace) }
        #expect(throws: Errno.EBUSY) { try caller.rename("/a/.", "/z") }
        #expect(throws: Errno.EINVAL) { try caller.rename("/f", "/z", .whiteout) }
    }

    @Test func renameMovesCachedTrees() throws {
        try caller.makeDirectory("/a")
        try caller.makeFile("/a/f")
        let directory = try caller.resolve("/a")
        try caller.makeDirectory("/other")
        try caller.rename("/a", "/other/z")
        #expect(try caller.name("/other/z/f") == "/other/z/f")
        #expect(throws: Errno.ENOENT) { try caller.resolve("/a") }
        #expect(directory.displayName() == Array("/other/z".utf8))
        try caller.makeFile("/one")
        try caller.rename("/one", "/other/z", .exchange)
        #expect(try caller.resolve("/one/f").dentry.type == .regular)
        #expect(try caller.resolve("/other/z").dentry.type == .regular)
    }

    @Test func removedNamesShowAsDeleted() throws {
        try caller.makeDirectory("/gone")
        let directory = try caller.resolve("/gone")
        try caller.removeDirectory("/gone")
        #expect(directory.displayName() == Array("/gone (deleted)".utf8))
        #expect(throws: Errno.ENOENT) { try caller.open("f", [.create, .writeOnly], from: directory) }
        #expect(throws: Errno.EINVAL) { try caller.removeDirectory("/.") }
        try caller.makeDirectory("/d")
        try caller.makeFile("/d/f")
        #expect(throws: Errno.ENOTEMPTY) { try caller.removeDirectory("/d") }
        #expect(throws: Errno.EISDIR) { try caller.unlink("/d") }
        #expect(throws: Errno.ENOTDIR) { try caller.removeDirectory("/d/f") }
        #expect(throws: Errno.ENOTDIR) { try caller.unlink("/d/f/") }
    }

    @Test func stickyDirectoriesProtectOthersFiles() throws {
        try caller.makeDirectory("/tmp", mode: 0o777)
        try VFS.changeMode(caller.resolve("/tmp"), 0o1777, caller: caller)
        try caller.makeFile("/tmp/roots")
        caller.credentials = Credentials(uid: 7, gid: 7, groups: [], capabilities: [])
        #expect(throws: Errno.EPERM) { try caller.unlink("/tmp/roots") }
        try caller.makeFile("/tmp/own")
        try caller.unlink("/tmp/own")
    }

    @Test func setGroupIDDirectoriesPassTheirGroupOn() throws {
        try caller.makeDirectory("/shared", mode: 0o777)
        let place = try caller.resolve("/shared")
        try VFS.changeOwner(place, uid: nil, gid: 50, caller: caller)
        try VFS.changeMode(place, 0o2777, caller: caller)
        try caller.makeFile("/shared/f")
        try caller.makeDirectory("/shared/d")
        #expect(try caller.resolve("/shared/f").node.attributes().gid == 50)
        #expect(try caller.resolve("/shared/d").node.attributes().mode.permissions == 0o2755)
    }

    @Test func chownTakesSetUserIDAway() throws {
        try caller.makeFile("/s")
        let place = try caller.resolve("/s")
        try VFS.changeMode(place, 0o6755, caller: caller)
        try VFS.changeOwner(place, uid: 3, gid: nil, caller: caller)
        #expect(try place.node.attributes().mode.permissions == 0o755)
        caller.credentials = Credentials(uid: 7, gid: 7, groups: [], capabilities: [])
        #expect(throws: Errno.EPERM) { try VFS.changeMode(place, 0o777, caller: caller) }
        #expect(throws: Errno.EPERM) { try VFS.changeOwner(place, uid: 7, gid: nil, caller: caller) }
    }

    @Test func theCacheIsBoundedAndKeepsWhatIsInUse() throws {
        let caller = TestCaller(cacheCapacity: 256)
        try caller.makeDirectory("/keep")
        try caller.makeDirectory("/keep/held")
        let held = try caller.resolve("/keep/held")
        for outer in 0..<40 {
            try caller.makeDirectory("/d\(outer)")
            for inner in 0..<40 {
                try caller.makeFile("/d\(outer)/f\(inner)")
                #expect(throws: Errno.ENOENT) { try caller.resolve("/d\(outer)/n\(inner)") }
            }
        }
        #expect(caller.root.dentry.tree.cachedNames <= 257)
        #expect(try caller.resolve("/keep/held").dentry === held.dentry)
        #expect(try caller.name("/d3/f7") == "/d3/f7")
    }

    @Test func unusedNamesAreDroppedWhenAsked() throws {
        let caller = TestCaller()
        try caller.makeDirectory("/a")
        try caller.makeDirectory("/a/b")
        try caller.makeFile("/a/b/held")
        try caller.makeFile("/a/b/other")
        let held = try caller.resolve("/a/b/held")
        #expect(throws: Errno.ENOENT) { try caller.resolve("/a/absent") }
        let tree = caller.root.dentry.tree
        tree.dropUnused()
        // The file that is used, and the directories on the way to it.
        #expect(tree.cachedNames == 3)
        #expect(try caller.resolve("/a/b/held").dentry === held.dentry)
        #expect(try caller.name("/a/b/other") == "/a/b/other")
    }

    @Test func deepTreesComeAndGoWithoutRecursion() throws {
        let depth = 30_000
        let start = caller.workingDirectory
        for _ in 0..<depth {
            try caller.makeDirectory("d")
            caller.workingDirectory = try caller.resolve("d")
        }
        for _ in 0..<depth {
            caller.workingDirectory = try caller.resolve("..")
            try caller.removeDirectory("d")
        }
        #expect(caller.workingDirectory == start)
        // A chain of directories that only its last one holds.
        var last: Dentry? = start.dentry
        for _ in 0..<200_000 {
            if let parent = last { last = Dentry(parent.node, parent: parent, name: FileName("x")) }
        }
        last = nil
    }

    @Test func namesAreFoundAgainAfterOthersWereRemoved() throws {
        var table = ChildTable()
        for index in 0..<100 {
            let name = Array("n\(index)".utf8)
            let isNew = table.set(name, NameHash.of(name), nil)
            #expect(isNew)
        }
        for index in stride(from: 0, to: 100, by: 2) {
            let name = Array("n\(index)".utf8)
            let wasThere = table.remove(name, NameHash.of(name))
            #expect(wasThere)
        }
        for index in 0..<100 {
            let name = Array("n\(index)".utf8)
            if case .negative = table.find(NameHash.of(name), name, 0, name.count) {
                #expect(index % 2 == 1)
            } else {
                #expect(index % 2 == 0)
            }
        }
        let evicted = table.evict()
        #expect(evicted == 50)
        #expect(table.isEmpty)
    }
}
