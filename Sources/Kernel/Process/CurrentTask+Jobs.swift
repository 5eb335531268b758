import LinuxABI

extension CurrentTask {
    /// setpgid(2).
    public func setProcessGroup(of pid: Int32, to groupID: Int32) throws(Errno) {
        let pid = pid == 0 ? threadGroup.id : pid
        let groupID = groupID == 0 ? pid : groupID
        if groupID < 0 { throw .EINVAL }
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
                tree.move(group, to: tree.processGroups[pid] ?? ProcessGroup(id: pid, session: group.session))
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
            tree.move(threadGroup, to: ProcessGroup(id: id, session: Session(id: id)))
            return id
        }
    }

    /// The thread group that getpgid(2) and getsid(2) mean; 0 is the caller's. - Throws: ESRCH.
    public func process(_ pid: Int32) throws(Errno) -> ThreadGroup {
        if pid == 0 { return threadGroup }
        guard let task = kernel.processes.task(pid) else { throw .ESRCH }
        return task.threadGroup
    }
}
