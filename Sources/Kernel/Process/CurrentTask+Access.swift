import LinuxABI
import VirtualFileSystem

extension CurrentTask {
    /// Whether the caller may look into `target` and change it: ptrace(2), "Ptrace access mode checking", with real credentials.
    public func mayInspect(_ target: Task) -> Bool {
        if target.threadGroup === threadGroup { return true }
        let own = task.credentials
        if let domain = own.landlock, !domain.contains(target.credentials.landlock) { return false }
        let other = target.credentials
        if own.has(.sysPtrace, in: other.userNamespace) { return true }
        guard own.realUID == other.effectiveUID, own.realUID == other.savedUID, own.realUID == other.realUID,
            own.realGID == other.effectiveGID, own.realGID == other.savedGID, own.realGID == other.realGID
        else { return false }
        return target.threadGroup.dumpable == 1 && own.userNamespace === other.userNamespace
            && own.permitted.isSuperset(of: other.permitted)
    }

    /// Whether another task uses this address space.
    public var sharesMemory: Bool { kernel.uses.count(memory) > 1 }

    /// execve(2): the user has more tasks than RLIMIT_NPROC allows.
    public var exceedsProcessLimit: Bool {
        let own = task.credentials
        if own.realUID == 0 || own.has(.sysResource) || own.has(.sysAdmin) { return false }
        return UInt64(kernel.taskCounts.value(own.realUID)) > threadGroup.limit(.processes).soft
    }
}
