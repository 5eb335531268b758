import LinuxABI
import Synchronization

extension VFS {
    /// unlink(2). - Throws: EISDIR, ENOENT, ENOTDIR, EROFS, EACCES, EPERM, EBUSY.
    public static func unlink(_ path: [UInt8], from base: Path? = nil, caller: any Caller) throws(Errno) {
        let target = try resolveParent(path, from: base, caller: caller)
        guard case .name(let name, let hash, let trailingSlash) = target.last else { throw .EISDIR }
        let directory = target.directory.dentry
        try requireWritable(target.directory, name)
        try directory.directoryLock.withLock { _ throws(Errno) in
            guard let child = try directory.lookupLocked(name, hash, caller: caller) else { throw .ENOENT }
            if trailingSlash { throw child.isDirectory ? .EISDIR : .ENOTDIR }
            try caller.credentials.landlock?.check(.removeFile, at: target.directory)
            try mayDelete(child, from: directory, caller.credentials)
            if child.isDirectory { throw .EISDIR }
            if caller.mountNamespace.isMountPoint(child) { throw .EBUSY }
            try directory.node.unlink(name, child: child.node, caller: caller)
            directory.didRemove(child)
            caller.mountNamespace.detachMounts(on: child)
        }
        FileNotice.post(.delete, in: directory, name, isDirectory: false)
    }

    /// rmdir(2). - Throws: EINVAL for `.`, ENOTEMPTY, EBUSY for the root and mount points, ENOTDIR, ENOENT, EROFS, EACCES, EPERM.
    public static func removeDirectory(_ path: [UInt8], from base: Path? = nil, caller: any Caller) throws(Errno) {
        let target = try resolveParent(path, from: base, caller: caller)
        let name: FileName
        let hash: UInt64
        switch target.last {
        case .name(let n, let h, _): (name, hash) = (n, h)
        case .dot: throw .EINVAL
        case .dotDot: throw .ENOTEMPTY
        case .none: throw .EBUSY
        }
        let directory = target.directory.dentry
        try requireWritable(target.directory, name)
        try directory.directoryLock.withLock { _ throws(Errno) in
            guard let child = try directory.lookupLocked(name, hash, caller: caller) else { throw .ENOENT }
            try caller.credentials.landlock?.check(.removeDirectory, at: target.directory)
            try mayDelete(child, from: directory, caller.credentials)
            guard child.isDirectory else { throw .ENOTDIR }
            if caller.mountNamespace.isMountPoint(child) { throw .EBUSY }
            try child.directoryLock.withLock { _ throws(Errno) in
                try directory.node.removeDirectory(name, child: child.node, caller: caller)
                directory.didRemove(child)
            }
            caller.mountNamespace.detachMounts(on: child)
        }
        FileNotice.post(.delete, in: directory, name, isDirectory: true)
    }

    /// may_delete: write and search permission on the directory, and the sticky bit.
    /// - Throws: EACCES, EPERM.
    static func mayDelete(_ child: Dentry, from directory: Dentry, _ credentials: Credentials) throws(Errno) {
        try directory.node.checkAccess([.write, .execute], credentials)
        if directory.node.flags.contains(.appendOnly) || !child.node.flags.isDisjoint(with: .privileged) { throw .EPERM }
        if credentials.has(.fowner) { return }
        let attributes = try directory.node.accessAttributes()
        guard attributes.mode.permissions & FileMode.sticky != 0 else { return }
        if attributes.uid == credentials.fileSystemUID { return }
        let own = try child.node.accessAttributes()
        if own.uid == credentials.fileSystemUID || credentials.has(.fowner, over: own) { return }
        throw .EPERM
    }
}
