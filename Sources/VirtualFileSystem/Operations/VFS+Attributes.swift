import LinuxABI
import Synchronization

extension VFS {
    /// chmod(2). - Throws: EROFS, EPERM.
    public static func changeMode(_ path: Path, _ permissions: UInt16, caller: any Caller) throws(Errno) {
        try requireWritable(path)
        try requireChangeable(path.node)
        let attributes = try path.node.attributes()
        let credentials = caller.credentials
        guard ownsOrCapable(attributes, credentials) else { throw .EPERM }
        if path.dentry.type == .symbolicLink { throw .EOPNOTSUPP }
        var change = AttributeChange()
        change.permissions = permissions & 0o7777
        if !credentials.isInGroup(attributes.gid) && !credentials.has(.fsetid, over: attributes) {
            change.permissions = permissions & 0o7777 & ~FileMode.setGroupID
        }
        try apply(change, path, caller: caller)
    }

    /// chown(2); nil leaves an id alone. Set-user-ID and set-group-ID are cleared on anything but directories.
    /// - Throws: EROFS, EPERM.
    public static func changeOwner(_ path: Path, uid: UInt32?, gid: UInt32?, caller: any Caller) throws(Errno) {
        try requireWritable(path)
        try requireChangeable(path.node)
        let attributes = try path.node.attributes()
        let credentials = caller.credentials
        if !credentials.has(.chown, over: attributes) {
            let isOwner = credentials.fileSystemUID == attributes.uid
            if let uid, !(isOwner && uid == attributes.uid) { throw .EPERM }
            if let gid, !(isOwner && (gid == attributes.gid || credentials.isInGroup(gid))) { throw .EPERM }
        }
        var change = AttributeChange()
        change.uid = uid
        change.gid = gid
        if !path.dentry.isDirectory { change.permissions = withoutPrivileges(attributes, credentials, sparing: false) }
        try apply(change, path, caller: caller)
    }

    /// utimensat(2). `isExplicit`: the caller named times other than "both now", which takes ownership instead of write permission.
    /// - Throws: EROFS, EPERM, EACCES.
    public static func changeTimes(
        _ path: Path, access: AttributeChange.TimeChange?, modification: AttributeChange.TimeChange?, isExplicit: Bool,
        caller: any Caller
    ) throws(Errno) {
        try requireWritable(path)
        if isExplicit { try requireChangeable(path.node) } else if path.node.flags.contains(.immutable) { throw .EPERM }
        let credentials = caller.credentials
        if !ownsOrCapable(try path.node.attributes(), credentials) {
            if isExplicit { throw .EPERM }
            try path.node.checkAccess(.write, credentials)
        }
        var change = AttributeChange()
        change.accessTime = access
        change.modificationTime = modification
        try apply(change, path, caller: caller)
    }

    /// Every change of attributes that a user asked for passes here.
    private static func apply(_ change: AttributeChange, _ path: Path, caller: any Caller) throws(Errno) {
        try path.node.setAttributes(change, caller: caller)
        path.node.shared.forgetMode()
        FileNotice.post(notice(of: change), path.dentry)
    }

    /// fsnotify_change: one time alone counts as what usually changes it.
    private static func notice(of change: AttributeChange) -> WatchEvents {
        var events: WatchEvents = []
        if change.permissions != nil || change.uid != nil || change.gid != nil { events.insert(.attributes) }
        switch (change.accessTime != nil, change.modificationTime != nil) {
        case (true, true): events.insert(.attributes)
        case (true, false): events.insert(.access)
        case (false, true): events.insert(.modify)
        case (false, false): break
        }
        return events
    }

    /// The permission bits without set-user-ID and set-group-ID, nil when there is nothing to take away. `sparing`: whoever has
    /// CAP_FSETID keeps them (writes and truncation, not chown).
    private static func withoutPrivileges(_ attributes: FileAttributes, _ credentials: Credentials, sparing: Bool) -> UInt16? {
        let mode = attributes.mode.permissions
        if sparing && credentials.has(.fsetid, over: attributes) { return nil }
        var result = mode & ~FileMode.setUserID
        if mode & FileMode.setGroupID != 0 {
            let isExecutable = mode & 0o010 != 0
            if isExecutable || !(credentials.isInGroup(attributes.gid) || credentials.has(.fsetid, over: attributes)) { result &= ~FileMode.setGroupID }
        }
        return result == mode ? nil : result
    }

    /// Before the contents of a regular file change: takes set-user-ID and set-group-ID away (file_remove_privs).
    public static func removePrivileges(_ inode: any Inode, caller: any Caller) throws(Errno) {
        let state = inode.shared
        if state.isKnownPlain { return }
        let attributes = try inode.attributes()
        guard attributes.mode.permissions & 0o6000 != 0 else {
            state.isKnownPlain = true
            return
        }
        guard let permissions = withoutPrivileges(attributes, caller.credentials, sparing: true) else { return }
        var change = AttributeChange()
        change.permissions = permissions
        try inode.setAttributes(change, caller: caller)
    }

    /// truncate(2). - Throws: EINVAL, EISDIR, EROFS, EACCES, ETXTBSY, EFBIG.
    public static func truncate(_ path: Path, to length: Int64, caller: any Caller) throws(Errno) {
        guard length >= 0 else { throw .EINVAL }
        if path.dentry.isDirectory { throw .EISDIR }
        guard path.dentry.type == .regular else { throw .EINVAL }
        try requireWritable(path)
        try path.node.checkAccess(.write, caller.credentials)
        if path.node.flags.contains(.appendOnly) { throw .EPERM }
        try path.node.shared.addWriter()
        defer { path.node.shared.removeWriter() }
        try caller.credentials.landlock?.check(.truncate, at: path)
        try truncate(path.node, to: length, caller: caller)
        FileNotice.post(.modify, path.dentry)
    }

    /// Sets the size of a regular file that the caller may write: ftruncate(2), O_TRUNC.
    /// - Throws: EFBIG with SIGXFSZ past RLIMIT_FSIZE.
    public static func truncate(_ inode: any Inode, to length: Int64, caller: any Caller) throws(Errno) {
        let size = UInt64(max(0, length))
        let limit = caller.fileSizeLimit
        if size > limit, try inode.attributes().size < size {
            caller.raise(.SIGXFSZ)
            throw .EFBIG
        }
        try removePrivileges(inode, caller: caller)
        try inode.truncate(to: size, caller: caller)
    }
}
