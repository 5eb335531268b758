import LinuxABI
import VirtualFileSystem

/// Entering namespaces: setns(2).
extension CurrentTask {
    /// Enters all of `targets` or none, the user namespace first. - Throws: EPERM, EINVAL, ENOSPC.
    public func enter(_ targets: [any Namespace]) throws(Errno) {
        let old = task.credentials
        var credentials = old
        var new = namespaces
        var context = fileSystem
        if targets.count > 1 && targets.contains(where: { $0 is MountNamespace }) { context = fileSystem.copy() }
        for target in targets {
            if let user = target as? UserNamespace {
                guard user !== old.userNamespace, threadGroup.threadCount == 1, !sharesFileSystem else { throw .EINVAL }
                guard old.has(.sysAdmin, in: user) else { throw .EPERM }
                credentials.enter(user)
                continue
            }
            guard old.has(.sysAdmin, in: target.owner), credentials.hasInside(.sysAdmin) else { throw .EPERM }
            switch target {
            case let mounts as MountNamespace:
                guard credentials.hasInside(.sysChroot) else { throw .EPERM }
                guard targets.count > 1 || !sharesFileSystem else { throw .EINVAL }
                if context === fileSystem { context = fileSystem.copy() }
                let root = mounts.topRoot
                context.state.withLock { s in
                    s.root = root
                    s.workingDirectory = root
                }
                new = new.with(mounts: mounts)
            case let uts as UTSNamespace: new = new.with(uts: uts)
            case let ipc as IPCNamespace: new = new.with(ipc: ipc)
            case let network as NetworkNamespace: new = new.with(network: network)
            case let pid as PIDNamespace:
                // Only the own one and those below it.
                guard pid.isWithin(pidNamespace) else { throw .EINVAL }
                new = new.with(pidForChildren: pid)
            case let plain as PlainNamespace:
                if plain.kind == .cgroup { new = new.with(cgroup: plain) }
            default: throw .EINVAL
            }
        }
        if new.ipc !== namespaces.ipc { namespaces.ipc.processEnded(threadGroup) }
        if credentials != old { setCredentials(credentials) }
        install(new, context)
    }

    /// Whether another task has the same root and working directory (CLONE_FS).
    private var sharesFileSystem: Bool {
        let own = fileSystem
        return kernel.processes.withTree { tree in
            tree.tasks.values.contains { $0 !== task && $0.fileSystem === own }
        }
    }
}
