extension Mount {
    /// A place for an inode that was found without a name: it lies in no directory.
    public func place(of inode: any Inode) -> Path {
        if inode === root.node { return Path(mount: self, dentry: root) }
        return Path(mount: self, dentry: Dentry(detached: inode, name: FileName("/")))
    }
}
