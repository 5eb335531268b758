import LinuxABI

extension CurrentTask {
    /// setpgid(2).
    public func setProcessGroup(of pid: Int32, to groupID: Int32) throws(Errno) {
        let isOwnGroup = groupID == 0 || groupID == (pid == 0 ? threadGroup.ownID : pid)
        if groupID < 0 || (isOwnGroup && pid < 0) { throw .EINVAL }
        if pid < 0 { throw .ESRCH }
        let namespace = pidNamespace
        let pid = pid == 0 ? threadGroup.id : namespace.global(pid) ?? 0
        let groupID = isOwnGroup ? pid : namespace.global(groupID) ?? 0
        try kernel.processes.withTree { tree throws(Errno) in
            guard let target = tree.tasks[pid] else { throw .ESRCH }
            guard target.isLeader else { throw .EINVAL }
            let group = target.threadGroup
            if group.parent === threadGroup {
                if group.session !== threadGroup.session { throw .EPERM }
                if group.links.withLock({ $0.hasExecuted }) { throw .EACCES }
            } else if group !== threadGroup {
                throw .ESRCH
            }
            if group.isSessionLeader { throw .EPERM }
            if groupID == pid {
                tree.move(group, to: tree.processGroups[pid] ?? ProcessGroup(group.numbers, session: group.session))
            } else {
                guard let existing = tree.processGroups[groupID], existing.session === threadGroup.session else { throw .EPERM }
                tree.move(group, to: existing)
            }
        }
    }

    /// setsid(2). Returns the session's ID.
    public func makeSession() throws(Errno) -> Int32 {
        try kernel.processes.withTree { tree throws(Errno) in
            let id = threadGroup.id
            if threadGroup.isSessionLeader || tree.processGroups[id] != nil { throw .EPERM }
            tree.move(threadGroup, to: ProcessGroup(threadGroup.numbers, session: Session(threadGroup.numbers)))
            return threadGroup.ownID
        }
    }

    /// The thread group that getpgid(2) and getsid(2) mean; 0 is the caller's. - Throws: ESRCH.
    public func process(_ pid: Int32) throws(Errno) -> ThreadGroup {
        if pid == 0 { return threadGroup }
        guard let task = findTask(pid) else { throw .ESRCH }
        return task.threadGroup
    }
}
