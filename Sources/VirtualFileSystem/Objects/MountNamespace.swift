import LinuxABI

/// The mounts that a group of processes sees: Linux's mnt_namespace.
public final class MountNamespace: Sendable {
    public let root: Path
    public init(rootFileSystem: any FileSystem) {
        let dentry = Dentry(root: rootFileSystem.root)
        root = Path(mount: Mount(id: 1, fileSystem: rootFileSystem, root: dentry), dentry: dentry)
    }
}
