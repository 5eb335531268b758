import Kernel
import LinuxABI
import VirtualFileSystem

/// How execve(2) changes credentials: set-user-ID, set-group-ID and the capability rules of capabilities(7). Files carry no
/// capabilities here.
enum ExecCredentials {
    private static let noRoot: UInt32 = 1  // SECBIT_NOROOT
    private static let keepCapabilities: UInt32 = 16  // SECBIT_KEEP_CAPS

    /// - Parameter isWatched: somebody without CAP_SYS_PTRACE traces the task, which may gain nothing then.
    /// - Returns: the new credentials, and whether the program gained privileges (AT_SECURE).
    static func transform(_ old: Credentials, _ file: FileDescription, caller: any Caller, isWatched: Bool) throws(Errno)
        -> (credentials: Credentials, isSecure: Bool)
    {
        var new = old
        let attributes = try file.attributes()
        let mode = attributes.mode.permissions
        let honoursSetID = !old.noNewPrivileges && (file.path.map { maySetID($0.mount, old, caller) } ?? true)
        let isMapped = old.innerUserNamespace?.maps(user: attributes.uid, group: attributes.gid) ?? true
        let root = old.rootUser
        if honoursSetID && isMapped {
            if mode & FileMode.setUserID != 0 { new.effectiveUID = attributes.uid }
            if mode & FileMode.setGroupID != 0 && mode & 0o010 != 0 { new.effectiveGID = attributes.gid }
        }
        new.permitted = []
        var becomesEffective = false
        if new.secureBits & noRoot == 0 && (new.effectiveUID == root || new.realUID == root) {
            new.permitted = old.bounding.union(old.inheritable)
            becomesEffective = new.effectiveUID == root
        }
        let isSetID = new.effectiveUID != old.realUID || new.effectiveGID != old.realGID
        let gained = !old.permitted.isSuperset(of: new.permitted)
        if (isSetID || gained) && (old.noNewPrivileges || isWatched) {
            if old.noNewPrivileges || !old.has(.setuid, in: old.userNamespace) {
                new.effectiveUID = new.realUID
                new.effectiveGID = new.realGID
            }
            new.permitted.formIntersection(old.permitted)
        }
        new.savedUID = new.effectiveUID
        new.fileSystemUID = new.effectiveUID
        new.savedGID = new.effectiveGID
        new.fileSystemGID = new.effectiveGID
        if isSetID { new.ambient = [] }
        new.permitted.formUnion(new.ambient)
        new.effective = becomesEffective ? new.permitted : new.ambient
        new.secureBits &= ~keepCapabilities
        let isSecure = isSetID || (new.realUID != root && (becomesEffective || !new.ambient.isSuperset(of: new.permitted)))
        return (new, isSecure)
    }

    /// mnt_may_suid: a mount of the own namespace, of a file system that the own user namespace may trust.
    private static func maySetID(_ mount: Mount, _ old: Credentials, _ caller: any Caller) -> Bool {
        guard !mount.flags.contains(.noSetUserID) else { return false }
        guard let inner = old.innerUserNamespace else { return mount.fileSystem.userNamespace == nil }
        return caller.mountNamespace.contains(mount) && inner.isWithin(mount.fileSystem.userNamespace ?? .initial)
    }
}
