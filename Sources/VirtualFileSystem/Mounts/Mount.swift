import LinuxABI
import Synchronization

/// Per-mount flags, with the values of mount(2)'s MS_*.
public struct MountFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let readOnly = MountFlags(rawValue: 1)
    public static let noSetUserID = MountFlags(rawValue: 2)
    public static let noDevices = MountFlags(rawValue: 4)
    public static let noExecute = MountFlags(rawValue: 8)
    public static let noSymbolicLinks = MountFlags(rawValue: 256)
    public static let noAccessTime = MountFlags(rawValue: 1024)
    public static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
    public static let relativeAccessTime = MountFlags(rawValue: 1 << 21)

    public static let accessTimes: MountFlags = [.noAccessTime, .noDirectoryAccessTime, .relativeAccessTime]
    /// What stays with a mount.
    public static let perMount: MountFlags = [.readOnly, .noSetUserID, .noDevices, .noExecute, .noSymbolicLinks, .accessTimes]

    /// As the options field of /proc/mounts begins: `rw,nosuid,nodev`.
    public var optionText: String { (contains(.readOnly) ? "ro" : "rw") + flagText }
    private var flagText: String {
        var text = ""
        if contains(.noSetUserID) { text += ",nosuid" }
        if contains(.noDevices) { text += ",nodev" }
        if contains(.noExecute) { text += ",noexec" }
        if contains(.noAccessTime) { text += ",noatime" }
        if contains(.noDirectoryAccessTime) { text += ",nodiratime" }
        if contains(.relativeAccessTime) { text += ",relatime" }
        if contains(.noSymbolicLinks) { text += ",nosymfollow" }
        return text
    }
}

/// What all mounts of one file system share: the flags of Linux's superblock.
public final class SuperblockState: Sendable {
    private let readOnly = Atomic<Bool>(false)
    public init() {}
    /// Where refused changes are noted, for a grant whose rule the user wants to hear of.
    public let refusals = AtomicLazyReference<RefusalLog>()
    public var isReadOnly: Bool {
        get { readOnly.load(ordering: .relaxed) }
        set { readOnly.store(newValue, ordering: .relaxed) }
    }
}

/// A mounted file system, or a bind of a part of one.
public final class Mount: Sendable {
    public let id: Int32
    public let fileSystem: any FileSystem
    public let superblock: SuperblockState
    /// What is visible at the mount point: the root of the file system or, for a bind, any dentry of it.
    public let root: Dentry
    /// First field of /proc/mounts: device or any word.
    public let source: [UInt8]
    private let flagBits: Atomic<UInt32>
    /// Flags that a less privileged mount namespace may not take away (MNT_LOCK_*).
    private let lockedBits: Atomic<UInt32>

    struct Position: Sendable {
        let parent: Mount
        let mountPoint: Dentry
    }
    /// Where it is attached; nil for the root of a namespace and for a detached mount. Changed under the mount table's lock.
    let position = Mutex<Position?>(nil)
    /// What is mounted on dentries seen through this mount: one mount a place, a second one sits on the root of the first. Changed under
    /// the mount table's lock.
    private let mounted = Mutex<[ObjectIdentifier: Mount]>([:])
    /// MNT_LOCKED: it hides something from the less privileged namespace it was copied to, and stays.
    let isLocked = Atomic<Bool>(false)
    /// umount2(2) with MNT_EXPIRE was called, and nobody came by since.
    let expires = Atomic<Bool>(false)

    public init(
        id: Int32, fileSystem: any FileSystem, root: Dentry, flags: MountFlags = [], source: [UInt8] = Array("none".utf8),
        superblock: SuperblockState = SuperblockState()
    ) {
        self.id = id
        self.fileSystem = fileSystem
        self.superblock = superblock
        self.root = root
        self.source = source
        flagBits = Atomic(flags.rawValue)
        lockedBits = Atomic(0)
    }

    /// STATX_MNT_ID_UNIQUE, statmount(2): never used twice.
    public var uniqueID: UInt64 { 0x8000_0000 + UInt64(UInt32(bitPattern: id)) }

    public var flags: MountFlags {
        get { MountFlags(rawValue: flagBits.load(ordering: .relaxed)) }
        set { flagBits.store(newValue.rawValue, ordering: .relaxed) }
    }
    var lockedFlags: MountFlags {
        get { MountFlags(rawValue: lockedBits.load(ordering: .relaxed)) }
        set { lockedBits.store(newValue.rawValue, ordering: .relaxed) }
    }
    public var isReadOnly: Bool { flags.contains(.readOnly) || superblock.isReadOnly }
    /// Whether device nodes on it open.
    public var allowsDevices: Bool {
        // Terminals are the one kind of device that a file system mounted in a user namespace makes itself.
        !flags.contains(.noDevices) && (fileSystem.userNamespace == nil || fileSystem.typeName == "devpts")
    }

    /// The mount this one sits on.
    public var parent: Mount? { position.withLock { $0?.parent } }
    /// Where this mount sits, as a path in its parent mount; nil at the root of the namespace.
    public var mountPoint: Path? { position.withLock { $0.map { Path(mount: $0.parent, dentry: $0.mountPoint) } } }
    var rootPath: Path { Path(mount: self, dentry: root) }

    /// What is mounted at `dentry`, seen through this mount.
    @inline(__always)
    func mounted(on dentry: Dentry) -> Mount? { mounted.withLock { $0[ObjectIdentifier(dentry)] } }
    func setMounted(_ mount: Mount?, on dentry: Dentry) { mounted.withLock { $0[ObjectIdentifier(dentry)] = mount } }
}

extension Path {
    /// The place, or what is mounted over it, however many deep.
    var top: Path {
        var path = self
        while path.dentry.isMountPoint, let next = path.mount.mounted(on: path.dentry) { path = next.rootPath }
        return path
    }
    /// Whether it lies at `other` or below, mounts crossed (is_path_reachable).
    func isReachable(from other: Path) -> Bool {
        var (mount, dentry) = (mount, dentry)
        while mount !== other.mount {
            guard let position = mount.position.withLock({ $0 }) else { return false }
            (mount, dentry) = (position.parent, position.mountPoint)
        }
        return other.dentry.isAncestorOrSelf(of: dentry)
    }
}
