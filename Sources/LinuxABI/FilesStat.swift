/// `struct stat` of x86-64 (stat(3type)), 144 bytes.
public struct StatBuffer: GuestData {
    public var device: UInt64 = 0
    public var inode: UInt64 = 0
    public var linkCount: UInt64 = 0
    public var mode: UInt32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var padding: UInt32 = 0
    public var specialDevice: UInt64 = 0
    public var size: Int64 = 0
    public var blockSize: Int64 = 0
    public var blocks: Int64 = 0
    public var accessTime = Timespec()
    public var modificationTime = Timespec()
    public var changeTime = Timespec()
    public var unused: (Int64, Int64, Int64) = (0, 0, 0)

    public init() {}
}

/// `struct statx_timestamp`, 16 bytes.
public struct StatxTimestamp: GuestData {
    public var seconds: Int64 = 0
    public var nanoseconds: UInt32 = 0
    public var reserved: Int32 = 0

    public init() {}
    public init(_ time: Timespec) {
        seconds = time.seconds
        nanoseconds = UInt32(truncatingIfNeeded: time.nanoseconds)
    }
}

/// `struct statx` (statx(2)), 256 bytes.
public struct StatxBuffer: GuestData {
    public var mask: UInt32 = 0
    public var blockSize: UInt32 = 0
    public var attributes: UInt64 = 0
    public var linkCount: UInt32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var mode: UInt16 = 0
    public var padding: UInt16 = 0
    public var inode: UInt64 = 0
    public var size: UInt64 = 0
    public var blocks: UInt64 = 0
    public var attributesMask: UInt64 = 0
    public var accessTime = StatxTimestamp()
    public var birthTime = StatxTimestamp()
    public var changeTime = StatxTimestamp()
    public var modificationTime = StatxTimestamp()
    public var specialDeviceMajor: UInt32 = 0
    public var specialDeviceMinor: UInt32 = 0
    public var deviceMajor: UInt32 = 0
    public var deviceMinor: UInt32 = 0
    public var mountID: UInt64 = 0
    public var directIOMemoryAlignment: UInt32 = 0
    public var directIOOffsetAlignment: UInt32 = 0
    public var spare: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    public var spare2: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)

    public init() {}
}

/// STATX_* and STATX_ATTR_*.
public enum StatxMask {
    /// Type, mode, link count, owner, times, inode, size and blocks.
    public static let basic: UInt32 = 0x7ff
    public static let birthTime: UInt32 = 0x800
    public static let mountID: UInt32 = 0x1000
    public static let uniqueMountID: UInt32 = 0x4000
    public static let reserved: UInt32 = 0x8000_0000
    public static let attributeMountRoot: UInt64 = 0x2000
}

/// `struct statfs` of x86-64 (statfs(2)), 120 bytes.
public struct StatfsBuffer: GuestData {
    public var type: Int64 = 0
    public var blockSize: Int64 = 0
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var availableBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0
    public var fileSystemID: UInt64 = 0
    public var nameLength: Int64 = 0
    public var fragmentSize: Int64 = 0
    public var flags: Int64 = 0
    public var spare: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)

    public init() {}
}

/// `struct ustat` (ustat(2)), 32 bytes.
public struct UstatBuffer: GuestData {
    public var freeBlocks: Int32 = 0
    public var padding: UInt32 = 0
    public var freeInodes: UInt64 = 0
    public var names: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)

    public init() {}
}
