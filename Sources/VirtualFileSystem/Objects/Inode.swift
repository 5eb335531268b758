import LinuxABI
import Memory

/// A mounted-or-mountable file system instance: Linux's superblock.
public protocol FileSystem: AnyObject, Sendable {
    /// As in /proc/mounts: `tmpfs`, `overlay`, `proc`, …
    var typeName: String { get }
    var device: DeviceNumber { get }
    var root: any Inode { get }
    var cachePolicy: CachePolicy { get }
    /// What limits how many inodes may be kept beside the number of cached names; nil where nothing does.
    var handleBudget: HandleBudget? { get }
    func statistics() throws(Errno) -> FileSystemStatistics
    /// syncfs(2).
    func synchronize() throws(Errno)
    /// File-system options for /proc/mounts (`size=…`), without the mount's own flags.
    var mountOptions: String { get }
    /// What name_to_handle_at(2) gives for an inode; nil where files cannot be found again.
    func handle(of inode: any Inode) -> FileHandle?
    /// The inode of a handle; nil when it is not there any more.
    func inode(of handle: FileHandle) -> (any Inode)?
    /// Who mounted it, where that was not the initial user namespace: its files' owners must have a mapping there, its device nodes do not
    /// open, its set-user-ID programs count in that namespace alone.
    var userNamespace: UserNamespace? { get }
    /// New options for a mounted instance (MS_REMOUNT, fspick(2)). - Throws: EINVAL for those it does not know.
    func reconfigure(_ options: [UInt8], caller: any Caller) throws(Errno)
}

extension FileSystem {
    public var handleBudget: HandleBudget? { nil }
    public func synchronize() throws(Errno) {}
    public var mountOptions: String { "" }
    public func handle(of inode: any Inode) -> FileHandle? { nil }
    public func inode(of handle: FileHandle) -> (any Inode)? { nil }
    public var userNamespace: UserNamespace? { nil }
    public func reconfigure(_ options: [UInt8], caller: any Caller) throws(Errno) {}
}

/// What the VFS may keep in its dentries (DESIGN §6).
public enum CachePolicy: Sendable {
    /// Only this sandbox changes the tree: positive and negative dentries are the truth.
    case exclusive
    /// The host may change the tree: ask the parent inode `revalidate` before a cached dentry is used.
    case shared
    /// Names come and go by themselves (procfs): always look up.
    case none
}

/// An inode: identity, attributes and name-space operations. Implementations synchronise themselves. The VFS checks permissions, read-only
/// mounts and name lengths before it calls; calls that change a directory are made with the directory's dentry lock held, so two
/// never race on one directory.
public protocol Inode: AnyObject, Sendable {
    var fileSystem: any FileSystem { get }
    var number: UInt64 { get }
    var type: FileType { get }
    func attributes() throws(Errno) -> FileAttributes
    /// Attributes of which only mode and owner need be those of the present moment.
    func accessAttributes() throws(Errno) -> FileAttributes
    func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno)
    /// Permission beyond mode bits; the default is the mode-bit rule of path_resolution(7) on `attributes()`.
    func checkAccess(_ access: AccessMask, _ credentials: Credentials) throws(Errno)

    // Directories
    /// The child, or nil when there is none. The VFS never asks for `.`, `..` or names over 255 bytes.
    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)?
    /// For `CachePolicy.shared`: whether `child` (nil: a negative entry) still is what `name` means.
    func revalidate(_ name: FileName, child: (any Inode)?) -> Bool
    /// For `CachePolicy.shared`: takes in what the host said of changes, so that `isCertain` speaks of the present.
    func synchronizeNames()
    /// Somebody watches this file with inotify: changes made outside are to be told too, by `FileNotice.postFromOutside`.
    func watchAdded()
    /// For `CachePolicy.shared`: whether it is known without asking that the name with this hash means `child` (nil: nothing).
    func isCertain(_ hash: UInt64, child: (any Inode)?) -> Bool
    /// Makes a node; the VFS knows that `name` does not exist. Owner, set-group-ID inheritance and umask were applied in `request`.
    func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode
    func link(_ name: FileName, to target: any Inode, caller: any Caller) throws(Errno)
    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno)
    /// - Throws: ENOTEMPTY.
    func removeDirectory(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno)
    /// Same file system guaranteed. `replacing` is the existing target, nil when none; types were checked; with `exchange` both
    /// exist and swap.
    func rename(
        _ name: FileName, child: any Inode, to newParent: any Inode, _ newName: FileName, replacing: (any Inode)?, exchange: Bool,
        caller: any Caller) throws(Errno)
    /// Whether the directory may hold the character device 0:0, which RENAME_WHITEOUT leaves behind.
    var holdsWhiteouts: Bool { get }
    /// An unnamed regular file for O_TMPFILE; `link` may name it later.
    func temporaryFile(_ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode

    // Symbolic links
    func readLink(caller: any Caller) throws(Errno) -> [UInt8]
    /// For magic links (/proc/PID/fd/N, cwd, exe, root): where the link leads without a path walk. Nil for ordinary links.
    func followMagicLink(caller: any Caller) throws(Errno) -> Path?

    // Files
    /// A new open file. FIFOs, sockets and device numbers are resolved by the VFS before it gets here where they are generic.
    /// `flags` holds access mode and status flags; O_TRUNC and O_CREAT were dealt with.
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations
    func truncate(to length: UInt64, caller: any Caller) throws(Errno)
    /// Whether `open` serves whatever the type is: FIFOs, sockets and devices of the host behind an inherited descriptor.
    var opensItself: Bool { get }

    // Extended attributes: xattr(7)
    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8]
    /// `flags`: XATTR_CREATE 1, XATTR_REPLACE 2.
    func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8], flags: Int32, caller: any Caller) throws(Errno)
    func removeExtendedAttribute(_ name: [UInt8], caller: any Caller) throws(Errno)
    func extendedAttributeNames() throws(Errno) -> [[UInt8]]

    // Flags: ioctl_iflags(2)
    /// Whether the file system keeps flags for this inode.
    var keepsFlags: Bool { get }
    var flags: FileFlags { get }
    /// `flags` are changeable ones; permission was checked.
    func setFlags(_ flags: FileFlags) throws(Errno)

    /// Per-inode state that the VFS keeps for every inode: record locks, flock, the FIFO's pipe, the bound socket.
    var shared: InodeState { get }
}

public struct AccessMask: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let execute = AccessMask(rawValue: 1)
    public static let write = AccessMask(rawValue: 2)
    public static let read = AccessMask(rawValue: 4)
}

public enum NodeKind: Sendable {
    case regular
    case directory
    case symbolicLink(target: [UInt8])
    case fifo
    case socket
    case device(FileType, DeviceNumber)
}

public struct NodeRequest: Sendable {
    public var kind: NodeKind
    /// Permission bits after umask.
    public var permissions: UInt16
    public var uid: UInt32
    public var gid: UInt32
    public init(kind: NodeKind, permissions: UInt16, uid: UInt32, gid: UInt32) {
        self.kind = kind
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
    }
}

/// Defaults: what an inode does not support, with the errno Linux gives.
extension Inode {
    public func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) { throw .EPERM }
    public func checkAccess(_ access: AccessMask, _ credentials: Credentials) throws(Errno) {
        try Permissions.check(access, accessAttributes(), credentials)
    }
    public func accessAttributes() throws(Errno) -> FileAttributes { try attributes() }
    public func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? { throw .ENOTDIR }
    public func revalidate(_ name: FileName, child: (any Inode)?) -> Bool { true }
    public func synchronizeNames() {}
    public func watchAdded() {}
    public func isCertain(_ hash: UInt64, child: (any Inode)?) -> Bool { false }
    public func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode { throw .EACCES }
    public func link(_ name: FileName, to target: any Inode, caller: any Caller) throws(Errno) { throw .EPERM }
    public func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) { throw .EPERM }
    public func removeDirectory(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) { throw .EPERM }
    public func rename(
        _ name: FileName, child: any Inode, to newParent: any Inode, _ newName: FileName, replacing: (any Inode)?, exchange: Bool,
        caller: any Caller
    ) throws(Errno) { throw .EPERM }
    public var holdsWhiteouts: Bool { false }
    public func temporaryFile(_ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode { throw .EOPNOTSUPP }
    public func readLink(caller: any Caller) throws(Errno) -> [UInt8] { throw .EINVAL }
    public func followMagicLink(caller: any Caller) throws(Errno) -> Path? { nil }
    public func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { throw .ENXIO }
    public var opensItself: Bool { false }
    public func truncate(to length: UInt64, caller: any Caller) throws(Errno) { throw .EINVAL }
    public var keepsFlags: Bool { false }
    public var flags: FileFlags { [] }
    public func setFlags(_ flags: FileFlags) throws(Errno) { throw .EOPNOTSUPP }
    public func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] { throw .EOPNOTSUPP }
    public func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8], flags: Int32, caller: any Caller) throws(Errno) {
        throw .EOPNOTSUPP
    }
    public func removeExtendedAttribute(_ name: [UInt8], caller: any Caller) throws(Errno) { throw .EOPNOTSUPP }
    public func extendedAttributeNames() throws(Errno) -> [[UInt8]] { [] }
}
