import LinuxABI
import Synchronization

/// A cached name: Linux's dentry. Positive dentries know their inode; negative ones record that the name does not exist.
public final class Dentry: Sendable {
    public let inode: (any Inode)?
    public init(root inode: any Inode) { self.inode = inode }
}

/// A mounted file system, or a bind of a part of one.
public final class Mount: Sendable {
    public let id: Int32
    public let fileSystem: any FileSystem
    public let root: Dentry
    public init(id: Int32, fileSystem: any FileSystem, root: Dentry) {
        self.id = id
        self.fileSystem = fileSystem
        self.root = root
    }
}

extension Path {
    /// The absolute path from the namespace root, as getcwd(2) and /proc show it (` (deleted)` appended where due).
    public func displayName(root: Path? = nil) -> [UInt8] { [] }
}
