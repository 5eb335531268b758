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

    /// As the options field of /proc/mounts begins: `rw,nosuid,nodev`.
    public var optionText: String {
        var text = contains(.readOnly) ? "ro" : "rw"
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

/// A mounted file system, or a bind of a part of one.
public final class Mount: Sendable {
    public let id: Int32
    public let fileSystem: any FileSystem
    /// What is visible at the mount point: the root of the file system or, for a bind, any dentry of it.
    public let root: Dentry
    /// First field of /proc/mounts: device or any word.
    public let source: [UInt8]
    private let flagBits: Atomic<UInt32>

    struct Position: Sendable {
        let parent: Mount
        let mountPoint: Dentry
    }
    /// Where it is attached; nil for the root of a namespace and for a detached mount. Changed under the namespace's lock.
    let position = Mutex<Position?>(nil)

    public init(id: Int32, fileSystem: any FileSystem, root: Dentry, flags: MountFlags = [], source: [UInt8] = Array("none".utf8)) {
        self.id = id
        self.fileSystem = fileSystem
        self.root = root
        self.source = source
        flagBits = Atomic(flags.rawValue)
    }

    public var flags: MountFlags {
        get { MountFlags(rawValue: flagBits.load(ordering: .relaxed)) }
        set { flagBits.store(newValue.rawValue, ordering: .relaxed) }
    }
    public var isReadOnly: Bool { flags.contains(.readOnly) }

    /// The mount this one sits on.
    public var parent: Mount? { position.withLock { $0?.parent } }
    /// Where this mount sits, as a path in its parent mount; nil at the root of the namespace.
    public var mountPoint: Path? { position.withLock { $0.map { Path(mount: $0.parent, dentry: $0.mountPoint) } } }
}
