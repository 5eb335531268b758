import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// statfs(2), ustat(2), and calls on file handles.
extension SystemCallFamilies {
    public static let fileSystems: [SystemCallEntry] = [
        .init(136, "ustat", sysUstat),
        .init(137, "statfs", sysStatfs),
        .init(138, "fstatfs", sysFstatfs),
    ]

    @Sendable static func sysStatfs(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try store(current, try VFS.resolve(try current.path(at: a.address(0)), caller: current), a.address(1))
    }

    @Sendable static func sysFstatfs(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try store(current, try current.files.get(a.int(0)).location, a.address(1))
    }

    private static func store(_ current: CurrentTask, _ place: Path, _ address: GuestAddress) throws(Errno) -> Int {
        let fileSystem = place.mount.fileSystem
        let statistics = try fileSystem.statistics()
        var buffer = StatfsBuffer()
        buffer.type = Int64(bitPattern: statistics.magic)
        buffer.blockSize = Int64(clamping: statistics.blockSize)
        buffer.blocks = statistics.blocks
        buffer.freeBlocks = statistics.freeBlocks
        buffer.availableBlocks = statistics.availableBlocks
        buffer.files = statistics.files
        buffer.freeFiles = statistics.freeFiles
        buffer.fileSystemID = fileSystem.device.encoded
        buffer.nameLength = Int64(clamping: statistics.nameLength)
        buffer.fragmentSize = Int64(clamping: statistics.blockSize)
        buffer.flags = statusFlags(place.mount.flags)
        try current.memory.store(buffer, at: address)
        return 0
    }

    /// ST_* of statvfs(3), with ST_VALID.
    private static func statusFlags(_ flags: MountFlags) -> Int64 {
        var result: Int64 = 0x20
        if flags.contains(.readOnly) { result |= 1 }
        if flags.contains(.noSetUserID) { result |= 2 }
        if flags.contains(.noDevices) { result |= 4 }
        if flags.contains(.noExecute) { result |= 8 }
        if flags.contains(.noAccessTime) { result |= 0x400 }
        if flags.contains(.noDirectoryAccessTime) { result |= 0x800 }
        if flags.contains(.relativeAccessTime) { result |= 0x1000 }
        if flags.contains(.noSymbolicLinks) { result |= 0x2000 }
        return result
    }

    /// ustat(2): by device number. - Throws: EINVAL for one that is not mounted.
    @Sendable static func sysUstat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let device = DeviceNumber(encoded: UInt64(a.uint(0)))
        guard let mount = current.mountNamespace.mounts.first(where: { $0.fileSystem.device == device }) else { throw .EINVAL }
        let statistics = try mount.fileSystem.statistics()
        var buffer = UstatBuffer()
        buffer.freeBlocks = Int32(truncatingIfNeeded: statistics.freeBlocks)
        buffer.freeInodes = statistics.freeFiles
        try current.memory.store(buffer, at: a.address(1))
        return 0
    }
}
