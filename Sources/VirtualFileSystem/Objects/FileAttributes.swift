import LinuxABI

/// What stat(2) and statx(2) report of an inode.
public struct FileAttributes: Sendable {
    public var device: DeviceNumber
    public var inode: UInt64
    public var mode: FileMode
    public var linkCount: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// For device nodes.
    public var specialDevice: DeviceNumber
    public var size: UInt64
    public var blockSize: UInt32
    /// In units of 512 bytes.
    public var blocks: UInt64
    public var accessTime: Timespec
    public var modificationTime: Timespec
    public var changeTime: Timespec
    /// Nil where the file system keeps none.
    public var birthTime: Timespec?

    public init(device: DeviceNumber, inode: UInt64, mode: FileMode, linkCount: UInt32 = 1, uid: UInt32 = 0, gid: UInt32 = 0) {
        self.device = device
        self.inode = inode
        self.mode = mode
        self.linkCount = linkCount
        self.uid = uid
        self.gid = gid
        specialDevice = DeviceNumber(major: 0, minor: 0)
        size = 0
        blockSize = 4096
        blocks = 0
        accessTime = Timespec()
        modificationTime = Timespec()
        changeTime = Timespec()
        birthTime = nil
    }
}

/// A change of attributes: only what is not nil changes. Permission was checked by the VFS.
public struct AttributeChange: Sendable {
    public enum TimeChange: Sendable {
        case now
        case set(Timespec)
    }
    /// Permission bits, 0o7777.
    public var permissions: UInt16?
    public var uid: UInt32?
    public var gid: UInt32?
    public var accessTime: TimeChange?
    public var modificationTime: TimeChange?
    public init() {}
}

/// statfs(2), without the fields that are always zero.
public struct FileSystemStatistics: Sendable {
    /// `f_type`, a magic number of linux/magic.h.
    public var magic: UInt64
    public var blockSize: UInt64 = 4096
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var availableBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0
    public var nameLength: UInt64 = 255
    public init(magic: UInt64) { self.magic = magic }
}

public struct DirectoryEntry: Sendable {
    public var name: [UInt8]
    public var inode: UInt64
    /// `d_type`; 0 when unknown.
    public var type: UInt8
    /// `d_off`: the position after this entry.
    public var nextPosition: Int64
    public init(name: [UInt8], inode: UInt64, type: UInt8, nextPosition: Int64) {
        self.name = name
        self.inode = inode
        self.type = type
        self.nextPosition = nextPosition
    }
}
