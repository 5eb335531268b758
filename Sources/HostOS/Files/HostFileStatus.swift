import CHost
import LinuxABI

/// What statx(2) tells of a host file.
public struct HostFileStatus: Sendable, Equatable {
    public var device: DeviceNumber
    public var inode: UInt64
    public var mode: FileMode
    public var linkCount: UInt32
    public var uid: UInt32
    public var gid: UInt32
    public var specialDevice: DeviceNumber
    public var size: UInt64
    public var blockSize: UInt32
    /// In units of 512 bytes.
    public var blocks: UInt64
    public var accessTime: Timespec
    public var modificationTime: Timespec
    public var changeTime: Timespec
    public var birthTime: Timespec?

    /// All zero.
    public init() {
        device = DeviceNumber(major: 0, minor: 0)
        inode = 0
        mode = FileMode(rawValue: 0)
        linkCount = 0
        uid = 0
        gid = 0
        specialDevice = DeviceNumber(major: 0, minor: 0)
        size = 0
        blockSize = 4096
        blocks = 0
        accessTime = Timespec()
        modificationTime = Timespec()
        changeTime = Timespec()
        birthTime = nil
    }

    init(_ s: chost_status) {
        device = DeviceNumber(encoded: s.device)
        inode = s.inode
        mode = FileMode(rawValue: UInt16(truncatingIfNeeded: s.mode))
        linkCount = s.links
        uid = s.uid
        gid = s.gid
        specialDevice = DeviceNumber(encoded: s.special_device)
        size = s.size
        blockSize = s.block_size
        blocks = s.blocks
        accessTime = Timespec(seconds: s.access_seconds, nanoseconds: Int64(s.access_nanoseconds))
        modificationTime = Timespec(seconds: s.modification_seconds, nanoseconds: Int64(s.modification_nanoseconds))
        changeTime = Timespec(seconds: s.change_seconds, nanoseconds: Int64(s.change_nanoseconds))
        birthTime = s.has_birth != 0 ? Timespec(seconds: s.birth_seconds, nanoseconds: Int64(s.birth_nanoseconds)) : nil
    }

    /// Of an open descriptor, O_PATH ones included.
    public init(of descriptor: Int32) throws(Errno) {
        var status = chost_status()
        let name: [UInt8] = [0]
        // SAFETY: both pointers are to live locals; the name ends with NUL.
        try hostResult(unsafe chost_statx(descriptor, name, HostAt.emptyPath, &status))
        self.init(status)
    }

    /// Of the entry `name` of a directory, not following a symbolic link.
    public init(of name: [UInt8], in directory: Int32) throws(Errno) {
        var status = chost_status()
        // SAFETY: both pointers are to live locals; the name ends with NUL.
        try hostResult(unsafe chost_statx(directory, name.nulTerminated, HostAt.noFollow | HostAt.noAutomount, &status))
        self.init(status)
    }
}

/// AT_* of the host.
public enum HostAt {
    public static let noFollow: Int32 = 0x100
    public static let removeDirectory: Int32 = 0x200
    public static let follow: Int32 = 0x400
    public static let noAutomount: Int32 = 0x800
    public static let emptyPath: Int32 = 0x1000
    public static let workingDirectory: Int32 = -100
}

/// statfs(2) of a host file system.
public struct HostFileSystemStatus: Sendable, Equatable {
    public var magic: UInt64 = 0
    public var blockSize: UInt64 = 0
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var availableBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0
    public var nameLength: UInt64 = 0

    public init() {}

    public init(of descriptor: Int32) throws(Errno) {
        var s = chost_statfs()
        // SAFETY: the pointer is to a live local.
        try hostResult(unsafe chost_fstatfs(descriptor, &s))
        magic = s.magic
        blockSize = s.block_size
        blocks = s.blocks
        freeBlocks = s.free_blocks
        availableBlocks = s.available_blocks
        files = s.files
        freeFiles = s.free_files
        nameLength = s.name_length
    }
}
