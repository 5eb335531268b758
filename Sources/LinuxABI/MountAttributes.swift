/// MOUNT_ATTR_* of fsmount(2) and mount_setattr(2).
public struct MountAttributes: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let readOnly = MountAttributes(rawValue: 0x1)
    public static let noSetUserID = MountAttributes(rawValue: 0x2)
    public static let noDevices = MountAttributes(rawValue: 0x4)
    public static let noExecute = MountAttributes(rawValue: 0x8)
    public static let noAccessTime = MountAttributes(rawValue: 0x10)
    public static let strictAccessTime = MountAttributes(rawValue: 0x20)
    /// The field of which the two above are values; 0 is MOUNT_ATTR_RELATIME.
    public static let accessTime = MountAttributes(rawValue: 0x70)
    public static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    public static let idMap = MountAttributes(rawValue: 0x10_0000)
    public static let noSymbolicLinks = MountAttributes(rawValue: 0x20_0000)
    /// What fsmount(2) takes.
    public static let settable: MountAttributes = [
        .readOnly, .noSetUserID, .noDevices, .noExecute, .accessTime, .noDirectoryAccessTime, .noSymbolicLinks,
    ]
}

/// `struct mount_attr` of mount_setattr(2).
public struct MountAttributeChange: GuestData {
    public var set: UInt64 = 0
    public var clear: UInt64 = 0
    public var propagation: UInt64 = 0
    public var userNamespace: UInt64 = 0
    public init() {}
}

/// STATMOUNT_* of statmount(2).
public struct MountStatusMask: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let superblock = MountStatusMask(rawValue: 0x1)
    public static let mount = MountStatusMask(rawValue: 0x2)
    public static let propagateFrom = MountStatusMask(rawValue: 0x4)
    public static let root = MountStatusMask(rawValue: 0x8)
    public static let point = MountStatusMask(rawValue: 0x10)
    public static let fileSystemType = MountStatusMask(rawValue: 0x20)
    public static let namespace = MountStatusMask(rawValue: 0x40)
    public static let options = MountStatusMask(rawValue: 0x80)
    public static let source = MountStatusMask(rawValue: 0x200)
    public static let supported = MountStatusMask(rawValue: 0x1000)
    public static let all: MountStatusMask = [
        .superblock, .mount, .propagateFrom, .root, .point, .fileSystemType, .namespace, .options, .source, .supported,
    ]
}
