import LinuxABI

extension CurrentTask {
    /// Whether the caller may signal `target`: kill(2).
    public func maySignal(_ target: ThreadGroup, _ signal: Signal?) -> Bool {
        if target === threadGroup { return true }
        let own = task.credentials
        if let domain = own.landlock, let other = target.tasks.first?.credentials, !domain.reaches(other.landlock, .signal) {
            return false
        }
        if own.has(.kill) { return true }
        guard let other = target.tasks.first?.credentials else { return true }
        if own.effectiveUID == other.savedUID || own.effectiveUID == other.realUID || own.realUID == other.savedUID
            || own.realUID == other.realUID
        {
            return true
        }
        return signal == .SIGCONT && target.session === threadGroup.session
    }

    /// kill(2). `signal` nil only checks (signal 0).
    public func kill(_ pid: Int32, _ signal: Signal?) throws(Errno) {
        var info = SignalInfo()
        info.signo = signal?.rawValue ?? 0
        info.code = SignalInfo.SI_USER
        info.pid = threadGroup.id
        info.uid = task.credentials.realUID
        if pid > 0 {
            guard let group = kernel.processes.task(pid)?.threadGroup else { throw .ESRCH }
            try send(info, signal, to: group)
        } else if pid == -1 {
            try sendToAll(info, signal)
        } else if pid == .min {
            throw .ESRCH
        } else {
            try sendToGroup(info, signal, pid == 0 ? threadGroup.processGroup : kernel.processes.processGroup(-pid))
        }
    }

    /// To one process, with permission check. - Throws: EPERM, EAGAIN (full queue).
    public func send(_ info: SignalInfo, _ signal: Signal?, to group: ThreadGroup) throws(Errno) {
        guard maySignal(group, signal) else { throw .EPERM }
        if signal != nil { try group.send(info, to: nil, options: group === threadGroup ? .own : []) }
    }

    /// To one thread. - Throws: EPERM, EAGAIN.
    public func send(_ info: SignalInfo, _ signal: Signal?, to thread: Task) throws(Errno) {
        guard maySignal(thread.threadGroup, signal) else { throw .EPERM }
        guard signal != nil else { return }
        let group = thread.threadGroup
        try group.send(info, to: thread, options: group === threadGroup ? .own : [])
    }

    /// To every process of the group that may be signalled. - Throws: ESRCH without a group, or the last error when none took it.
    public func sendToGroup(_ info: SignalInfo, _ signal: Signal?, _ processGroup: ProcessGroup?) throws(Errno) {
        guard let processGroup else { throw .ESRCH }
        try kernel.processes.withTree { _ throws(Errno) in
            var hasSent = false
            var last = Errno.ESRCH
            for member in processGroup.threadGroups {
                do throws(Errno) {
                    try send(info, signal, to: member)
                    hasSent = true
                } catch { last = error }
            }
            if !hasSent { throw last }
        }
    }

    /// All processes but init and the caller's own.
    private func sendToAll(_ info: SignalInfo, _ signal: Signal?) throws(Errno) {
        try kernel.processes.withTree { tree throws(Errno) in
            var count = 0
            var outcome: Errno?
            for (id, task) in tree.tasks where task.threadGroup.id == id && id > 1 && task.threadGroup !== threadGroup {
                count += 1
                do throws(Errno) {
                    try send(info, signal, to: task.threadGroup)
                    outcome = nil
                } catch { if error != .EPERM { outcome = error } }
            }
            if count == 0 { throw .ESRCH }
            if let outcome { throw outcome }
        }
    }
}
