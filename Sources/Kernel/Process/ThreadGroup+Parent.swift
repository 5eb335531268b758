import LinuxABI

extension ThreadGroup {
    /// SIGCHLD for a stop or a continuation: Linux's do_notify_parent_cldstop.
    func tellParentOfJobControl(_ notice: GroupSignals.ParentNotice) {
        let stopSignal = signals.withLock { g in
            if case .stopped(let signal) = g.stop { signal } else { Signal.SIGSTOP }
        }
        kernel.processes.withTree { _ in
            guard let parent else { return }
            var info: SignalInfo
            switch notice {
            case .stopped:
                info = childInfo(code: SignalInfo.CLD_STOPPED, status: stopSignal.rawValue)
            case .continued:
                info = childInfo(code: SignalInfo.CLD_CONTINUED, status: Signal.SIGCONT.rawValue)
            }
            info.signo = Signal.SIGCHLD.rawValue
            parent.tellOfChildStop(info)
        }
    }

    /// SIGCHLD for a stop or continuation of a child or tracee, unless the process does not want to hear of those, and waiters.
    func tellOfChildStop(_ info: SignalInfo) {
        let action = actions[.SIGCHLD]
        if !action.isIgnore && !action.has(.noChildStop) { send(info) }
        childEvents.notify(.everything)
    }

    /// The exit signal to the parent: Linux's do_notify_parent. Tree lock held.
    /// - Returns: whether the parent wants no zombie (SIGCHLD ignored, or SA_NOCLDWAIT).
    func tellParentOfExit(_ status: ExitStatus) -> Bool {
        // Only init has no parent; nobody waits for it.
        guard let parent else { return true }
        var signal = exitSignal
        var isReaped = false
        if signal == .SIGCHLD {
            let action = parent.actions[.SIGCHLD]
            if action.isIgnore {
                signal = nil
                isReaped = true
            } else if action.has(.noChildWait) {
                isReaped = true
            }
        }
        if let signal {
            var info = childInfo(code: status.childCode, status: status.childStatus)
            info.signo = signal.rawValue
            parent.send(info)
        }
        parent.childEvents.notify(.everything)
        return isReaped
    }

    private func childInfo(code: Int32, status: Int32) -> SignalInfo {
        childInfo(parent.map { numbers.number(in: $0.pidNamespace) } ?? 0, of: tasks.first, for: parent, code, status, usage)
    }
    /// The same about one thread, for its tracer.
    func childInfo(of task: Task, for tracer: ThreadGroup, code: Int32, status: Int32) -> SignalInfo {
        childInfo(task.numbers.number(in: tracer.pidNamespace), of: task, for: tracer, code, status, task.usage)
    }
    private func childInfo(
        _ id: Int32, of task: Task?, for receiver: ThreadGroup?, _ code: Int32, _ status: Int32, _ usage: ResourceUsage
    ) -> SignalInfo {
        var info = SignalInfo(.SIGCHLD, code: code)
        let uid = task?.credentials.realUID ?? 0
        info.pid = id
        info.uid = receiver?.tasks.first?.credentials.shownUser(uid) ?? uid
        info.status = status
        info.userTime = UInt64(max(0, usage.user / 10_000_000))
        info.systemTime = UInt64(max(0, usage.system / 10_000_000))
        return info
    }

    /// A session leader's end frees the terminal: its foreground group gets SIGHUP (disassociate_ctty in the kernel; a stopped group
    /// gets its SIGCONT by becoming orphaned).
    func leaveTerminal() {
        guard isSessionLeader else { return }
        let session = session
        let terminal = session.terminal.withLock { t in
            defer { t = nil }
            return t
        }
        guard let terminal else { return }
        terminal.foregroundGroup?.send(SignalInfo(.SIGHUP, code: SignalInfo.SI_KERNEL))
        terminal.sessionEnded()
    }
}
