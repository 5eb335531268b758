import LinuxABI
import Testing

@testable import VirtualFileSystem

@Suite struct PathWalkTests {
    let fileSystem = TestFileSystem()

    func populated() throws -> TestCaller {
        let caller = TestCaller(fileSystem)
        try caller.makeDirectory("/a")
        try caller.makeDirectory("/a/b")
        try caller.makeFile("/a/b/f")
        try caller.makeLink("/a/up", "../a/b")
        try caller.makeLink("/abs", "/a/b/f")
        return caller
    }

    @Test func componentsDotsAndSlashesResolve() throws {
        let caller = try populated()
        #expect(try caller.name("//a/./b///f") == "/a/b/f")
        #expect(try caller.name("/a/b/..") == "/a")
        #expect(try caller.name("/../../a") == "/a")
        #expect(try caller.name("/") == "/")
        #expect(throws: Errno.ENOENT) { try caller.resolve("") }
        #expect(throws: Errno.ENOENT) { try caller.resolve("/a/none/..") }
        #expect(throws: Errno.ENOTDIR) { try caller.resolve("/a/b/f/x") }
        #expect(throws: Errno.ENOTDIR) { try caller.resolve("/a/b/f/") }
        #expect(throws: Errno.ENOTDIR) { try caller.resolve("/a/b/f/.") }
        #expect(throws: Errno.ENAMETOOLONG) { try caller.resolve("/" + String(repeating: "x", count: 256)) }
    }

    @Test func symbolicLinksAreFollowedInTheMiddleAndAtTheEndOnRequest() throws {
        let caller = try populated()
        #expect(try caller.name("/a/up/f") == "/a/b/f")
        #expect(try caller.name("/abs") == "/a/b/f")
        #expect(try caller.name("/abs", []) == "/abs")
        #expect(try caller.name("/a/up/", []) == "/a/b")
        #expect(throws: Errno.ENOTDIR) { try caller.resolve("/abs/", []) }
    }

    @Test func aSlashInsideALinkDoesNotConcernTheRestOfThePath() throws {
        let caller = try populated()
        try caller.makeLink("/inner", "a/")
        try caller.makeLink("/outer", "inner/")
        #expect(try caller.name("/outer/b/f") == "/a/b/f")
    }

    @Test func fortyLinksResolveAndFortyOneLoop() throws {
        let caller = try populated()
        try caller.makeLink("/l0", "/a")
        for index in 1...40 { try caller.makeLink("/l\(index)", "l\(index - 1)") }
        #expect(try caller.name("/l39") == "/a")
        #expect(throws: Errno.ELOOP) { try caller.resolve("/l40") }
        try caller.makeLink("/loop", "loop")
        #expect(throws: Errno.ELOOP) { try caller.resolve("/loop") }
    }

    @Test func cachedNamesAskTheFileSystemOnce() throws {
        let caller = try populated()
        let before = fileSystem.lookups.load(ordering: .relaxed)
        _ = try caller.resolve("/a/b/f")
        #expect(throws: Errno.ENOENT) { try caller.resolve("/a/none") }
        let first = fileSystem.lookups.load(ordering: .relaxed)
        #expect(first == before + 1)
        #expect(throws: Errno.ENOENT) { try caller.resolve("/a/none") }
        _ = try caller.resolve("/a/b/f")
        #expect(fileSystem.lookups.load(ordering: .relaxed) == first)
    }

    @Test func uncachedFileSystemsAreAskedEachTime() throws {
        let uncached = TestFileSystem(.none)
        let caller = TestCaller(uncached)
        try caller.makeDirectory("/p")
        let before = uncached.lookups.load(ordering: .relaxed)
        _ = try caller.resolve("/p")
        _ = try caller.resolve("/p")
        #expect(uncached.lookups.load(ordering: .relaxed) == before + 2)
    }

    @Test func sharedFileSystemsDropStaleNames() throws {
        let shared = TestFileSystem(.shared)
        let caller = TestCaller(shared)
        try caller.makeFile("/f")
        let first = try caller.resolve("/f")
        #expect(try caller.resolve("/f").dentry === first.dentry)
        shared.isStale.store(true, ordering: .relaxed)
        #expect(try caller.resolve("/f").dentry !== first.dentry)
        #expect(first.dentry.isDeleted)
    }

    @Test func searchPermissionIsNeededOnEveryDirectory() throws {
        let caller = try populated()
        try VFS.changeMode(caller.resolve("/a"), 0o700, caller: caller)
        caller.credentials = Credentials(uid: 1000, gid: 1000, groups: [], capabilities: [])
        #expect(throws: Errno.EACCES) { try caller.resolve("/a/b") }
        #expect(try caller.name("/a") == "/a")
    }

    @Test func scopedWalksStayInside() throws {
        let caller = try populated()
        let base = try caller.resolve("/a")
        #expect(throws: Errno.EXDEV) { try caller.resolve("..", [.beneath], from: base) }
        #expect(throws: Errno.EXDEV) { try caller.resolve("/a", [.beneath], from: base) }
        #expect(throws: Errno.EXDEV) { try caller.resolve("up/f", [.beneath, .follow], from: base) }
        #expect(try caller.name("b/../b/f", [.beneath], from: base) == "/a/b/f")
        #expect(try caller.name("/../b", [.inRoot], from: base) == "/a/b")
        #expect(throws: Errno.ELOOP) { try caller.resolve("/abs", [.follow, .noSymbolicLinks]) }
    }

    @Test func dotDotStopsAtTheProcessRoot() throws {
        let caller = try populated()
        caller.root = try caller.resolve("/a")
        #expect(try caller.name("/../..") == "/")
        #expect(try caller.name("/b") == "/b")
        // The working directory lies outside the new root.
        #expect(String(decoding: caller.workingDirectory.displayName(root: caller.root), as: UTF8.self) == "(unreachable)/")
    }

    @Test func magicLinksJump() throws {
        let caller = try populated()
        try caller.makeLink("/magic", "ignored")
        let target = try caller.resolve("/a")
        (try caller.resolve("/magic", []).node as? TestInode)?.magic.withLock { $0 = target }
        #expect(try caller.name("/magic/b/f") == "/a/b/f")
        #expect(throws: Errno.ELOOP) { try caller.resolve("/magic", [.follow, .noMagicLinks]) }
        let file = try caller.resolve("/a/b/f")
        (try caller.resolve("/magic", []).node as? TestInode)?.magic.withLock { $0 = file }
        #expect(try caller.open("/magic", [.create, .writeOnly]).path?.dentry === file.dentry)
    }
}
