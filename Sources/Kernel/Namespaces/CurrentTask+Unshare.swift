import LinuxABI
import VirtualFileSystem

/// Making namespaces: clone(2), unshare(2).
extension CurrentTask {
    /// `credentials` in a user namespace of its own. - Throws: EPERM (changed root, maker without mapping), ENOSPC.
    func enteringNewUserNamespace(_ credentials: Credentials) throws(Errno) -> Credentials {
        let top = mountNamespace.topRoot
        guard fileSystem.root == top else { throw .EPERM }
        var new = credentials
        new.enter(try UserNamespace(madeBy: credentials))
        return new
    }

    /// The namespaces of a child or of the task itself after `flags`: copy_namespaces and unshare_nsproxy_namespaces. `credentials` are
    /// those after a change of user namespace; `context` moves into a copied mount namespace.
    func copiedNamespaces(_ flags: CloneFlags, _ credentials: Credentials, _ context: FileSystemContext) throws(Errno) -> NamespaceSet {
        let kinds = flags.intersection(.namespaces).subtracting(.newUser)
        if kinds.isEmpty { return namespaces }
        let owner = credentials.userNamespace
        guard credentials.has(.sysAdmin, in: owner) else { throw .EPERM }
        // As a kernel without CONFIG_TIME_NS: the guest reads its clocks without the Sentry, so that they can have no offsets.
        if kinds.contains(.newTime) { throw .EINVAL }
        let uid = credentials.effectiveUID
        var new = namespaces
        if kinds.contains(.newMount) { new = new.with(mounts: try copyMounts(owner, uid, context)) }
        if kinds.contains(.newUTS) { new = new.with(uts: try UTSNamespace(copying: new.uts, owner: owner, by: uid)) }
        if kinds.contains(.newIPC) { new = new.with(ipc: try IPCNamespace(owner: owner, by: uid)) }
        if kinds.contains(.newPID) {
            guard new.pidForChildren === pidNamespace else { throw .EINVAL }
            new = new.with(pidForChildren: try PIDNamespace(in: pidNamespace, owner: owner, by: uid))
        }
        if kinds.contains(.newCgroup) { new = new.with(cgroup: try PlainNamespace(.cgroup, owner: owner, by: uid)) }
        if kinds.contains(.newNetwork) { new = new.with(network: try NetworkNamespace(owner: owner, by: uid)) }
        return new
    }

    /// copy_mnt_ns: root and working directory move to the same places in the copy.
    private func copyMounts(_ owner: UserNamespace, _ uid: UInt32, _ context: FileSystemContext) throws(Errno) -> MountNamespace {
        let (fresh, places) = try mountNamespace.copy(owner: owner, by: uid)
        context.state.withLock { s in
            s.root = places.counterpart(of: s.root)
            s.workingDirectory = places.counterpart(of: s.workingDirectory)
        }
        return fresh
    }

    /// unshare(2) of namespaces. - Throws: EPERM, EINVAL, ENOSPC.
    public func unshareNamespaces(_ flags: CloneFlags) throws(Errno) {
        if flags.isDisjoint(with: .namespaces) { return }
        var credentials = task.credentials
        if flags.contains(.newUser) { credentials = try enteringNewUserNamespace(credentials) }
        let needsContext = !flags.isDisjoint(with: [.newMount, .newUser])
        let context = needsContext ? fileSystem.copy() : fileSystem
        let new = try copiedNamespaces(flags, credentials, context)
        if flags.contains(.newIPC) { namespaces.ipc.processEnded(threadGroup) }
        if flags.contains(.newUser) { setCredentials(credentials) }
        install(new, context)
    }

    func install(_ new: NamespaceSet, _ context: FileSystemContext) {
        namespaces = new
        fileSystem = context
        task.state.withLock {
            $0.namespaces = new
            $0.fileSystem = context
        }
    }
}
