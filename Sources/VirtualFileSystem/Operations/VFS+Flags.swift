import LinuxABI

extension VFS {
    /// vfs_fileattr_get. - Throws: EOPNOTSUPP where the file system keeps no flags.
    public static func flags(of path: Path) throws(Errno) -> FileFlags {
        guard path.node.keepsFlags else { throw .EOPNOTSUPP }
        return path.node.flags
    }

    /// vfs_fileattr_set: the flags of FS_IOC_SETFLAGS. - Throws: EOPNOTSUPP, EROFS, EPERM.
    public static func setFlags(_ flags: FileFlags, of path: Path, caller: any Caller) throws(Errno) {
        let node = path.node
        try requireWritable(path)
        guard node.keepsFlags else { throw .EOPNOTSUPP }
        let credentials = caller.credentials
        guard ownsOrCapable(try node.attributes(), credentials) else { throw .EPERM }
        if !flags.symmetricDifference(node.flags).isDisjoint(with: .privileged), !credentials.has(.linuxImmutable) { throw .EPERM }
        guard flags.isSubset(of: .changeable) else { throw .EOPNOTSUPP }
        try node.setFlags(flags)
        FileNotice.post(.attributes, path.dentry)
    }

    /// may_open: an append-only file is opened for appending or reading. - Throws: EPERM.
    static func checkAppendOnly(_ node: any Inode, _ flags: OpenFlags) throws(Errno) {
        guard node.flags.contains(.appendOnly) else { return }
        if flags.accessMode != 0 && !flags.contains(.append) || flags.contains(.truncate) { throw .EPERM }
    }

    /// may_setattr: changes that a user asked for by value. - Throws: EPERM.
    static func requireChangeable(_ node: any Inode) throws(Errno) {
        if !node.flags.isDisjoint(with: .privileged) { throw .EPERM }
    }
}
