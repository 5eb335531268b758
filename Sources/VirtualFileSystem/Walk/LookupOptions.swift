import LinuxABI

/// How a path walk treats the last component, and where it may go.
public struct LookupOptions: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    // RESOLVE_* of openat2(2), with its values.

    /// RESOLVE_NO_XDEV: EXDEV instead of crossing a mount.
    public static let noCrossDevice = LookupOptions(rawValue: 0x01)
    /// RESOLVE_NO_MAGICLINKS: ELOOP.
    public static let noMagicLinks = LookupOptions(rawValue: 0x02)
    /// RESOLVE_NO_SYMLINKS: ELOOP; magic links too.
    public static let noSymbolicLinks = LookupOptions(rawValue: 0x04)
    /// RESOLVE_BENEATH: EXDEV instead of leaving the starting directory.
    public static let beneath = LookupOptions(rawValue: 0x08)
    /// RESOLVE_IN_ROOT: the starting directory is the root.
    public static let inRoot = LookupOptions(rawValue: 0x10)
    /// RESOLVE_CACHED: EAGAIN instead of asking the file system.
    public static let cachedOnly = LookupOptions(rawValue: 0x20)
    /// All that openat2(2) accepts.
    public static let openat2Mask: UInt64 = 0x3f

    /// Follow a symbolic link in the last component.
    public static let follow = LookupOptions(rawValue: 0x1_0000)
    /// ENOTDIR unless the result is a directory.
    public static let directory = LookupOptions(rawValue: 0x2_0000)
    /// AT_EMPTY_PATH: an empty path means the starting point itself.
    public static let emptyPath = LookupOptions(rawValue: 0x4_0000)

    /// The walk is umount2(2)'s own: it is no use of the mount that it ends on.
    public static let unmounting = LookupOptions(rawValue: 0x8_0000)

    var isScoped: Bool { !isDisjoint(with: [.beneath, .inRoot]) }
}
