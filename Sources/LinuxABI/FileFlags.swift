/// Flags of an inode: FS_*_FL of ioctl_iflags(2).
public struct FileFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let synchronous = FileFlags(rawValue: 0x8)
    /// Nobody changes, renames, links or removes the file.
    public static let immutable = FileFlags(rawValue: 0x10)
    /// Only appending.
    public static let appendOnly = FileFlags(rawValue: 0x20)
    public static let noDump = FileFlags(rawValue: 0x40)
    public static let noAccessTime = FileFlags(rawValue: 0x80)
    public static let directAccess = FileFlags(rawValue: 0x200_0000)
    public static let verity = FileFlags(rawValue: 0x10_0000)
    public static let inheritProject = FileFlags(rawValue: 0x2000_0000)
    /// What tmpfs lets users change.
    public static let changeable: FileFlags = [.immutable, .appendOnly, .noDump, .noAccessTime]
    /// Those that take CAP_LINUX_IMMUTABLE.
    public static let privileged: FileFlags = [.immutable, .appendOnly]

    /// FS_XFLAG_* with the flag of the other interface.
    private static let pairs: [(extended: UInt64, flag: FileFlags)] = [
        (0x8, .immutable), (0x10, .appendOnly), (0x20, .synchronous), (0x40, .noAccessTime), (0x80, .noDump), (0x200, .inheritProject),
        (0x8000, .directAccess), (0x2_0000, .verity),
    ]
    /// FS_XFLAG_COMMON: those that have one.
    public static let commonExtended: UInt64 = 0x8 | 0x10 | 0x20 | 0x40 | 0x80 | 0x200 | 0x8000

    /// As FS_XFLAG_* bits.
    public var extended: UInt64 { Self.pairs.reduce(0) { contains($1.flag) ? $0 | $1.extended : $0 } }
    public init(extended: UInt64) {
        self = Self.pairs.reduce([]) { extended & $1.extended != 0 ? $0.union($1.flag) : $0 }
    }
}

/// `struct file_attr` of file_getattr(2), 24 bytes.
public struct FileAttributeBuffer: GuestData {
    public var flags: UInt64 = 0
    public var extentSize: UInt32 = 0
    public var extentCount: UInt32 = 0
    public var project: UInt32 = 0
    public var copyExtentSize: UInt32 = 0
    public init() {}
}

/// `struct fsxattr` of FS_IOC_FSGETXATTR, 28 bytes.
public struct ExtendedFlagsBuffer: GuestData {
    public var flags: UInt32 = 0
    public var extentSize: UInt32 = 0
    public var extentCount: UInt32 = 0
    public var project: UInt32 = 0
    public var copyExtentSize: UInt32 = 0
    public var padding0: UInt32 = 0
    public var padding1: UInt32 = 0
    public init() {}
}
