extension Path {
    /// A place outside every tree, for a file that is reached by a magic link alone; `displayName` is `name`.
    public init(detached inode: any Inode, named name: String) {
        self = AnonymousFileSystem.place(of: inode, named: name)
    }
}
