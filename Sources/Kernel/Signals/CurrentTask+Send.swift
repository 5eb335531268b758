import LinuxABI
import VirtualFileSystem

extension CurrentTask {
    /// Whether the caller may signal `target`: kill(2).
    public func maySignal(_ target: ThreadGroup, _ signal: Signal?) -> Bool {
        if target === threadGroup { return true }
        let own = task.credentials
        if let domain = own.landlock, let other = target.tasks.first?.credentials, !domain.reaches(other.landlock, .signal) {
            return false
        }
        guard let other = target.tasks.first?.credentials else { return true }
        if own.has(.kill, in: other.userNamespace) { return true }
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
        info.pid = threadGroup.ownID
        info.uid = task.credentials.shownUser(task.credentials.realUID)
        if pid > 0 {
            guard let group = findTask(pid)?.threadGroup else { throw .ESRCH }
            try send(info, signal, to: group)
        } else if pid == -1 {
            try sendToAll(info, signal)
        } else if pid == .min {
            throw .ESRCH
        } else {
            try sendToGroup(info, signal, pid == 0 ? threadGroup.processGroup : findProcessGroup(-pid))
        }
    }

    /// To one process, with permission check. - Throws: EPERM, EAGAIN (full queue).
    public func send(_ info: SignalInfo, _ signal: Signal?, to group: ThreadGroup) throws(Errno) {
        guard maySignal(group, signal) else { throw .EPERM }
        guard let signal else { return }
        let (info, options) = translated(info, signal, for: group)
        try group.send(info, to: nil, options: options)
    }

    /// To one thread. - Throws: EPERM, EAGAIN.
    public func send(_ info: SignalInfo, _ signal: Signal?, to thread: Task) throws(Errno) {
        guard maySignal(thread.threadGroup, signal) else { throw .EPERM }
        guard let signal else { return }
        let (info, options) = translated(info, signal, for: thread.threadGroup)
        try thread.threadGroup.send(info, to: thread, options: options)
    }

    /// The sender as the target sees it, and whether an init must take the signal: SIGKILL and SIGSTOP from an ancestor of its pid namespace
    /// (send_signal_locked).
    private func translated(_ info: SignalInfo, _ signal: Signal, for group: ThreadGroup) -> (SignalInfo, SignalSendOptions) {
        if group === threadGroup { return (info, .own) }
        var info = info
        let own = task.credentials
        if let other = group.tasks.first?.credentials, own.innerUserNamespace != other.innerUserNamespace {
            info.uid = own.kernelUser(info.uid).map { other.shownUser($0) } ?? UserNamespace.overflowID
        }
        guard threadGroup.numbers.number(in: group.pidNamespace) == 0 else { return (info, []) }
        info.pid = 0
        return (info, signal == .SIGKILL || signal == .SIGSTOP ? .external : [])
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
            let namespace = pidNamespace
            for (id, task) in tree.tasks
            where task.threadGroup.id == id && task.threadGroup.numbers.number(in: namespace) > 1 && task.threadGroup !== threadGroup {
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
