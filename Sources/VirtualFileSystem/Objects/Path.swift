import LinuxABI

/// A place in the file-system tree: a dentry under a mount. Linux's `struct path`.
public struct Path: Sendable {
    public let mount: Mount
    public let dentry: Dentry
    public init(mount: Mount, dentry: Dentry) {
        self.mount = mount
        self.dentry = dentry
    }
    public var inode: (any Inode)? { dentry.node }
    public var node: any Inode { dentry.node }

    public static func == (a: Path, b: Path) -> Bool { a.mount === b.mount && a.dentry === b.dentry }
}

extension Path {
    /// The absolute path as seen from `root` (default: the top of the namespace), as getcwd(2) and /proc show it: ` (deleted)` is
    /// appended where the name is gone, `(unreachable)` put before a place that does not lie under `root`.
    public func displayName(root: Path? = nil) -> [UInt8] {
        let (bytes, reached) = walkUp(root: root)
        var name = bytes
        if !reached { name.insert(contentsOf: Array("(unreachable)".utf8), at: 0) }
        if isUnlinked { name += Array(" (deleted)".utf8) }
        return name
    }

    /// Whether this name, or the name of a directory above it, was removed.
    public var isUnlinked: Bool { dentry.isDeleted }

    /// The path below `root` and whether `root` was met on the way up.
    func walkUp(root: Path?) -> (bytes: [UInt8], reached: Bool) {
        var reversed: [FileName] = []
        var (mount, dentry) = (self.mount, self.dentry)
        var reached = root == nil
        while true {
            if let root, root.mount === mount, root.dentry === dentry {
                reached = true
                break
            }
            if dentry === mount.root {
                guard let position = mount.position.withLock({ $0 }) else {
                    // A detached name (pipe:[1]) stands alone.
                    if reversed.isEmpty && !dentry.name.bytes.isEmpty && dentry.parent == nil { return (dentry.name.bytes, true) }
                    break
                }
                (mount, dentry) = (position.parent, position.mountPoint)
                continue
            }
            let (parent, name) = dentry.link.withLock { ($0.parent, $0.name) }
            guard let parent else {
                if reversed.isEmpty { return (name.bytes, true) }
                break
            }
            reversed.append(name)
            dentry = parent
        }
        var bytes: [UInt8] = []
        for name in reversed.reversed() {
            bytes.append(UInt8(ascii: "/"))
            bytes += name.bytes
        }
        if bytes.isEmpty { bytes = [UInt8(ascii: "/")] }
        return (bytes, reached)
    }
}
