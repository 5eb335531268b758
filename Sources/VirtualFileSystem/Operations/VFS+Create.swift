import LinuxABI
import Synchronization

extension VFS {
    /// mkdir(2), mknod(2), symlink(2), and bind(2) of a Unix socket. `permissions` are before umask.
    /// - Throws: EEXIST, ENOENT, EROFS, EACCES, and what the file system throws.
    @discardableResult
    public static func createNode(
        _ path: [UInt8], from base: Path? = nil, _ kind: NodeKind, permissions: UInt16, caller: any Caller
    ) throws(Errno) -> Path {
        let target = try resolveParent(path, from: base, caller: caller)
        guard case .name(let name, let hash, let trailingSlash) = target.last else { throw .EEXIST }
        let isDirectory = if case .directory = kind { true } else { false }
        let directory = target.directory.dentry
        let child = try directory.directoryLock.withLock { _ throws(Errno) in
            if try directory.lookupLocked(name, hash, caller: caller) != nil { throw .EEXIST }
            if trailingSlash && !isDirectory { throw .ENOENT }
            try requireWritable(target.directory, name)
            try caller.credentials.landlock?.check(LandlockDomain.making(kind.type), at: target.directory)
            return try create(name, kind, permissions: permissions, in: directory, caller: caller)
        }
        directory.tree.trimIfNeeded()
        return Path(mount: target.directory.mount, dentry: child)
    }

    /// Makes a node that does not exist.
    /// Preconditions: the directory's lock is held, the mount is writable.
    static func create(_ name: FileName, _ kind: NodeKind, permissions: UInt16, in directory: Dentry, caller: any Caller) throws(Errno)
        -> Dentry
    {
        if directory.isDeleted { throw .ENOENT }
        let credentials = caller.credentials
        try directory.node.checkAccess([.write, .execute], credentials)
        let attributes = try directory.node.accessAttributes()
        let masked: UInt16
        if case .symbolicLink = kind { masked = 0o777 } else { masked = permissions & ~caller.umask }
        let request = newNode(kind, permissions: masked, in: attributes, credentials)
        // Its owner must be known where the file system was mounted.
        if let space = directory.node.fileSystem.userNamespace, !space.maps(user: request.uid, group: request.gid) { throw .EOVERFLOW }
        let inode = try directory.node.create(name, request, caller: caller)
        return directory.didCreate(name, inode)
    }

    /// link(2), linkat(2): `old` is resolved already.
    /// - Throws: EEXIST, EXDEV, EPERM for directories, EMLINK, EROFS, EACCES.
    public static func link(_ old: Path, to path: [UInt8], from base: Path? = nil, caller: any Caller) throws(Errno) {
        let target = try resolveParent(path, from: base, caller: caller)
        guard case .name(let name, let hash, let trailingSlash) = target.last else { throw .EEXIST }
        let directory = target.directory.dentry
        try directory.directoryLock.withLock { _ throws(Errno) in
            if try directory.lookupLocked(name, hash, caller: caller) != nil { throw .EEXIST }
            if trailingSlash { throw .ENOENT }
            try requireWritable(target.directory, name)
            guard old.mount === target.directory.mount else { throw .EXDEV }
            if directory.isDeleted { throw .ENOENT }
            if let domain = caller.credentials.landlock {
                let from = Path(mount: old.mount, dentry: old.dentry.parent ?? old.dentry)
                try domain.checkMove(old.dentry, from: from, to: target.directory, replacing: nil, exchange: false, removing: false)
            }
            try directory.node.checkAccess([.write, .execute], caller.credentials)
            guard old.node.fileSystem === directory.node.fileSystem else { throw .EXDEV }
            if old.dentry.isDirectory || !old.node.flags.isDisjoint(with: .privileged) { throw .EPERM }
            // A file that lost its last name stays nameless; one that never had a name may get one.
            if old.dentry.isDeleted, try old.node.attributes().linkCount == 0, !old.node.shared.isLinkable { throw .ENOENT }
            try directory.node.link(name, to: old.node, caller: caller)
            FileNotice.postToSelf(.attributes, old.node)
            _ = directory.didCreate(name, old.node)
        }
        directory.tree.trimIfNeeded()
    }

    /// An unnamed file in the directory `place`: O_TMPFILE.
    static func createTemporary(in place: Path, permissions: UInt16, linkable: Bool, caller: any Caller) throws(Errno) -> Path {
        let credentials = caller.credentials
        try requireWritable(place)
        try place.node.checkAccess([.write, .execute], credentials)
        let request = newNode(
            .regular, permissions: permissions & ~caller.umask, in: try place.node.accessAttributes(), credentials)
        let inode = try place.node.temporaryFile(request, caller: caller)
        inode.shared.isLinkable = linkable
        let dentry = Dentry(inode, parent: place.dentry, name: FileName("#\(inode.number)"))
        dentry.link.withLock { $0.isDeleted = true }
        return Path(mount: place.mount, dentry: dentry)
    }
}
