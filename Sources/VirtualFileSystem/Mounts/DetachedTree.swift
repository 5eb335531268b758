import LinuxABI
import Synchronization

/// A tree of mounts in no namespace, held by a descriptor: open_tree(2) with OPEN_TREE_CLONE, fsmount(2). What was not attached when the
/// descriptor goes is unmounted.
public final class DetachedTree: Sendable {
    private let table: MountTable
    private let number: UInt64
    public let root: Path

    private init(table: MountTable, number: UInt64, root: Path) {
        self.table = table
        self.number = number
        self.root = root
    }
    deinit { table.dissolve(number) }

    /// A copy of `subtree`, as a bind mount makes it. - Throws: EINVAL.
    public static func copy(of subtree: Path, recursive: Bool, in namespace: MountNamespace) throws(Errno) -> DetachedTree {
        try make(namespace) { s throws(Errno) in try namespace.copyForBind(&s, subtree, recursive: recursive) }
    }
    /// A new mount of a file system.
    public static func mount(
        _ fileSystem: any FileSystem, flags: MountFlags, source: [UInt8], readOnly: Bool, in namespace: MountNamespace
    ) throws(Errno) -> DetachedTree {
        try make(namespace) { s throws(Errno) in s.makeMount(of: fileSystem, flags: flags, source: source, readOnly: readOnly) }
    }
    private static func make(_ namespace: MountNamespace, _ body: (inout MountTable.State) throws(Errno) -> Int32) throws(Errno)
        -> DetachedTree
    {
        let number = NamespaceKind.nextNumber()
        return try namespace.table.change { s, _ throws(Errno) in
            let id = try body(&s)
            for id in s.tree(at: id) { s.nodes[id]?.namespace = number }
            guard let mount = s.nodes[id]?.mount else { throw .EINVAL }
            return DetachedTree(table: namespace.table, number: number, root: mount.rootPath)
        }
    }
}

/// The file behind the descriptor of a detached tree, which else is as one opened with O_PATH.
public final class DetachedTreeFile: FileOperations {
    private let tree: DetachedTree
    public init(_ tree: DetachedTree) { self.tree = tree }

    public static func makeDescription(_ tree: DetachedTree) -> FileDescription {
        FileDescription(operations: DetachedTreeFile(tree), inode: tree.root.node, path: tree.root, flags: .path)
    }
}
