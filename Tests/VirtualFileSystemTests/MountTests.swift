import LinuxABI
import Testing

@testable import VirtualFileSystem

@Suite struct MountTests {
    func mounted() throws -> (TestCaller, TestFileSystem, Mount) {
        let caller = TestCaller()
        try caller.makeDirectory("/mnt")
        let other = TestFileSystem()
        let mount = try caller.mountNamespace.mount(other, at: caller.resolve("/mnt"))
        try caller.makeDirectory("/mnt/inside")
        return (caller, other, mount)
    }

    @Test func walksCrossMountsBothWays() throws {
        let (caller, other, mount) = try mounted()
        #expect(try caller.resolve("/mnt").mount === mount)
        #expect(try caller.resolve("/mnt").node === other.testRoot)
        #expect(try caller.name("/mnt/inside") == "/mnt/inside")
        #expect(try caller.name("/mnt/inside/../..") == "/")
        #expect(throws: Errno.EXDEV) { try caller.resolve("/mnt", [.noCrossDevice]) }
        #expect(throws: Errno.EXDEV) { try caller.rename("/mnt/inside", "/elsewhere") }
    }

    @Test func mountPointsAreBusy() throws {
        let (caller, _, _) = try mounted()
        #expect(throws: Errno.EBUSY) { try caller.removeDirectory("/mnt") }
        #expect(throws: Errno.EBUSY) { try caller.rename("/mnt", "/other") }
        #expect(throws: Errno.EBUSY) { try caller.removeDirectory("/") }
    }

    @Test func aSecondMountStacks() throws {
        let (caller, _, first) = try mounted()
        let top = TestFileSystem()
        let second = try caller.mountNamespace.mount(top, at: caller.resolve("/mnt"))
        #expect(try caller.resolve("/mnt").node === top.testRoot)
        #expect(second.parent === first)
        try caller.mountNamespace.unmount(id: second.id, .detach)
        #expect(try caller.resolve("/mnt").mount === first)
    }

    @Test func bindShowsASubtreeAndReadOnlyMountsRefuseChanges() throws {
        let (caller, _, _) = try mounted()
        try caller.makeDirectory("/view")
        let bound = try caller.mountNamespace.bind(caller.resolve("/mnt"), at: caller.resolve("/view"))
        bound.flags.insert(.readOnly)
        #expect(try caller.name("/view/inside") == "/view/inside")
        #expect(throws: Errno.EROFS) { try caller.makeFile("/view/f") }
        #expect(throws: Errno.EROFS) { try caller.open("/view/f", [.create, .writeOnly]) }
        #expect(throws: Errno.EEXIST) { try caller.makeDirectory("/view/inside") }
        try caller.makeFile("/mnt/f")
        #expect(try caller.name("/view/f") == "/view/f")
        #expect(throws: Errno.EROFS) { try caller.open("/view/f", .writeOnly) }
    }

    @Test func unmountRefusesWhileInUse() throws {
        let caller = TestCaller()
        try caller.makeDirectory("/mnt")
        let id = try caller.mountNamespace.mount(TestFileSystem(), at: caller.resolve("/mnt")).id
        func hold() throws -> FileDescription { try caller.open("/mnt", .directory) }
        var file: FileDescription? = try hold()
        #expect(throws: Errno.EBUSY) { try caller.mountNamespace.unmount(id: id, []) }
        withExtendedLifetime(file) {}
        file = nil
        try caller.mountNamespace.unmount(id: id, [])
        #expect(caller.mountNamespace.mounts.count == 1)
        try caller.removeDirectory("/mnt")
    }
}
