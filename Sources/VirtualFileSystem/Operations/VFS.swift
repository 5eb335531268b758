import LinuxABI
import Synchronization

/// Operations on paths, as system calls need them: they walk, check permissions, mounts and types in Linux's order, lock, call the
/// inode, and keep the dentry cache in step. Linux's fs/namei.c and fs/open.c.
public enum VFS {
    /// Finds the place that `path` names, starting at `base` (default: the working directory) when it is relative.
    /// - Parameter credentials: other than the caller's, for access(2).
    public static func resolve(
        _ path: [UInt8], from base: Path? = nil, _ options: LookupOptions = [.follow], caller: any Caller,
        credentials: Credentials? = nil
    ) throws(Errno) -> Path {
        var walk = try PathWalk(path, from: base, options, caller: caller, credentials: credentials)
        return try walk.finish()
    }

    /// The directory and last name of a path, for operations that change a name.
    struct Target {
        var directory: Path
        var last: PathWalk.Last
    }

    static func resolveParent(_ path: [UInt8], from base: Path?, caller: any Caller) throws(Errno) -> Target {
        var walk = try PathWalk(path, from: base, [], caller: caller, credentials: nil)
        let last = try walk.toLast()
        return Target(directory: walk.path, last: last)
    }

    // MARK: permission

    /// Permission on an inode seen through a mount: Linux's inode_permission with the mount's read-only flag.
    /// - Throws: EROFS, EACCES.
    static func check(_ access: AccessMask, _ path: Path, _ credentials: Credentials) throws(Errno) {
        try path.node.checkAccess(access, credentials)
    }

    /// Before a change of the file or directory at `path`, or of the entry `name` in it. - Throws: EROFS.
    static func requireWritable(_ path: Path, _ name: FileName? = nil) throws(Errno) {
        guard path.mount.isReadOnly else { return }
        if let refusals = path.mount.superblock.refusals.load() { refusals.note(path, name) }
        throw .EROFS
    }

    /// The file-system user owns the file, or may act as if: inode_owner_or_capable.
    static func ownsOrCapable(_ attributes: FileAttributes, _ credentials: Credentials) -> Bool {
        credentials.fileSystemUID == attributes.uid || credentials.has(.fowner, over: attributes)
    }

    /// access(2), faccessat2(2) with `credentials` already chosen (see `accessCredentials`).
    /// - Throws: EACCES, EROFS.
    public static func checkAccess(_ access: AccessMask, _ path: Path, _ credentials: Credentials) throws(Errno) {
        guard !access.isEmpty else { return }
        if access.contains(.execute) && path.dentry.type == .regular && path.mount.flags.contains(.noExecute) { throw .EACCES }
        try path.node.checkAccess(access, credentials)
        if access.contains(.write) && path.mount.isReadOnly {
            switch path.dentry.type {
            case .regular, .directory, .symbolicLink: throw .EROFS
            default: break
            }
        }
    }

    /// The credentials that access(2) goes by: real instead of file-system ids, and the capabilities that go with them.
    public static func accessCredentials(_ credentials: Credentials) -> Credentials {
        var result = credentials
        result.fileSystemUID = credentials.realUID
        result.fileSystemGID = credentials.realGID
        // SECURE_NO_SETUID_FIXUP
        if credentials.secureBits & 4 == 0 {
            result.effective = credentials.realUID == credentials.rootUser ? credentials.permitted : []
        }
        return result
    }

    /// Set-group-ID inheritance of a new node (inode_init_owner).
    static func newNode(_ kind: NodeKind, permissions: UInt16, in directory: FileAttributes, _ credentials: Credentials) -> NodeRequest {
        var request = NodeRequest(
            kind: kind, permissions: permissions, uid: credentials.fileSystemUID, gid: credentials.fileSystemGID)
        guard directory.mode.permissions & FileMode.setGroupID != 0 else { return request }
        request.gid = directory.gid
        if case .directory = kind {
            request.permissions |= FileMode.setGroupID
        } else if permissions & 0o2010 == 0o2010 && !credentials.isInGroup(directory.gid) && !credentials.has(.fsetid, over: directory) {
            request.permissions &= ~FileMode.setGroupID
        }
        return request
    }
}
