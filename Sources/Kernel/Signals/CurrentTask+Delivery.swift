import LinuxABI

extension CurrentTask {
    /// What to do before the thread returns to guest code.
    enum Delivery {
        /// Nothing is pending.
        case none
        case handler(Signal, SignalInfo, SignalAction)
        /// The thread ends.
        case end(ExitStatus)
    }

    private enum Step {
        case deliver(Delivery)
        case tellParent(GroupSignals.ParentNotice)
        /// SIGTSTP, SIGTTIN or SIGTTOU was taken: stop unless the process group is orphaned.
        case stopUnlessOrphaned(Signal)
        case stop(Signal)
    }

    /// Linux's get_signal: takes signals until one has a handler, ends the group, or none is left; stops here as job control asks.
    func nextDelivery() -> Delivery {
        while true {
            switch threadGroup.signals.withLock({ nextStep(&$0) }) {
            case .deliver(let delivery): return delivery
            case .tellParent(let notice): threadGroup.tellParentOfJobControl(notice)
            case .stopUnlessOrphaned(let signal):
                if !threadGroup.processGroup.isOrphaned { beginStop(signal) }
            case .stop(let signal): stayStopped(signal)
            }
        }
    }

    /// Signal lock held.
    private func nextStep(_ g: inout GroupSignals) -> Step {
        if let notice = g.parentNotice {
            g.parentNotice = nil
            return .tellParent(notice)
        }
        if let status = g.exit { return .deliver(.end(status)) }
        // Another thread executes a new program: this one goes.
        if let other = g.execTask, other !== task { return .deliver(.end(.exited(0))) }
        if task.signals.withLock({ $0.mustStop }) {
            if case .stopping(let signal) = g.stop { return .stop(signal) }
            if case .stopped(let signal) = g.stop { return .stop(signal) }
            task.signals.withLock { $0.mustStop = false }
        }
        while true {
            let blocked = task.signals.withLock { $0.blocked }
            let found: (signal: Signal, info: SignalInfo, isExternal: Bool)
            if let fault = task.signals.withLock({ $0.pending.takeSynchronous(blocked: blocked) }) {
                kernel.uncharge(fault.entry)
                found = (fault.signal, fault.entry.info, fault.entry.isExternal)
            } else if let taken = take(from: &g, blocked: blocked) {
                found = taken
            } else {
                g.recalculate(task)
                return .deliver(.none)
            }
            let action = g.actions[found.signal]
            if action.isIgnore { continue }
            if !action.isDefault {
                if action.has(.resetHandler) { g.actions[found.signal].handler = SignalAction.defaultHandler }
                return .deliver(.handler(found.signal, found.info, action))
            }
            if found.signal.defaultAction == .ignore { continue }
            let isKernelOnly = found.signal == .SIGKILL || found.signal == .SIGSTOP
            if g.isUnkillable && !isKernelOnly && !found.isExternal { continue }
            if found.signal.defaultAction == .stop {
                if found.signal != .SIGSTOP { return .stopUnlessOrphaned(found.signal) }
                if prepareStop(found.signal, &g) { return .stop(found.signal) }
                continue
            }
            // No core is written: RLIMIT_CORE is honoured as 0.
            g.end(.killed(found.signal))
            return .deliver(.end(.killed(found.signal)))
        }
    }

    private func beginStop(_ signal: Signal) {
        // nextStep sees `mustStop` and stops.
        threadGroup.signals.withLock { g in _ = prepareStop(signal, &g) }
    }

    /// Tells all threads to stop. False when SIGCONT or SIGKILL came after the stop signal was taken.
    private func prepareStop(_ signal: Signal, _ g: inout GroupSignals) -> Bool {
        guard task.signals.withLock({ $0.tookStop }), g.exit == nil, g.execTask == nil else { return false }
        if case .stopped = g.stop {} else { g.stop = .stopping(signal) }
        for other in g.tasks {
            let mustTell = other.signals.withLock { t in
                if t.isExiting || t.isStopped || t.mustStop { return false }
                t.mustStop = true
                return other !== task
            }
            if mustTell { other.wakeForWork() }
        }
        return true
    }

    /// Stops until SIGCONT or the group's end.
    private func stayStopped(_ signal: Signal) {
        let completes = threadGroup.signals.withLock { g in
            guard g.exit == nil, g.execTask == nil else { return false }
            let stops = task.signals.withLock { t in
                guard t.mustStop else { return false }
                t.mustStop = false
                t.isStopped = true
                return true
            }
            return stops && g.completeStop()
        }
        if completes {
            threadGroup.tellParentOfJobControl(.stopped)
            if threadGroup.isInit { kernel.initStopped?(signal) }
        }
        task.setRunState(.stopped(by: signal))
        while threadGroup.signals.withLock({ g in
            g.exit == nil && (g.execTask == nil || g.execTask === task) && task.signals.withLock { $0.isStopped }
        }) {
            sleep()
        }
        task.signals.withLock { $0.isStopped = false }
        task.setRunState(.running)
    }

    // MARK: faults

    /// A signal that the thread cannot escape, for its own fault: Linux's force_sig. A blocked or ignored one takes its default
    /// action.
    public func force(_ info: SignalInfo, fatal: Bool = false) {
        guard let signal = Signal(rawValue: info.signo) else { return }
        threadGroup.signals.withLock { g in
            let isBlocked = task.signals.withLock { t in
                let blocked = t.blocked.has(signal)
                t.blocked.drop(signal)
                return blocked
            }
            var action = g.actions[signal]
            if isBlocked || action.isIgnore || fatal {
                action.handler = SignalAction.defaultHandler
                g.actions[signal] = action
            }
            if action.isDefault { g.isUnkillable = false }
            try? g.send(signal, info, to: task, in: threadGroup, options: .kernel)
            g.recalculate(task)
        }
    }

    /// Starts a handler: frame, mask, alternate stack. A frame that cannot be written raises SIGSEGV.
    func startHandler(_ signal: Signal, _ info: SignalInfo, _ action: SignalAction, _ registers: inout RegisterFile) {
        let blocked = blockedSignals
        do {
            try pushSignalFrame(signal, info, action, mask: savedMask ?? blocked, &registers)
        } catch {
            force(SignalInfo(.SIGSEGV, code: SignalInfo.SI_KERNEL), fatal: signal == .SIGSEGV)
            return
        }
        context.resetExtendedState()
        savedMask = nil
        var mask = blocked.union(action.mask)
        if !action.has(.noDefer) { mask.add(signal) }
        setBlockedSignals(mask)
        if alternateStack.flags & SignalStack.autoDisarm != 0 { resetAlternateStack() }
    }
}

extension GroupSignals {
    /// Whether the last thread has stopped just now. Signal lock held.
    mutating func completeStop() -> Bool {
        guard case .stopping(let signal) = stop else { return false }
        for task in tasks where !task.signals.withLock({ $0.isStopped || $0.isExiting }) { return false }
        stop = .stopped(signal)
        stopIsUnreported = true
        return true
    }
}
