/// A place in the file-system tree: a dentry under a mount. Linux's `struct path`.
public struct Path: Sendable {
    public let mount: Mount
    public let dentry: Dentry
    public init(mount: Mount, dentry: Dentry) {
        self.mount = mount
        self.dentry = dentry
    }
    public var inode: (any Inode)? { dentry.inode }

    public static func == (a: Path, b: Path) -> Bool { a.mount === b.mount && a.dentry === b.dentry }
}
