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
        /// PTRACE_INTERRUPT, or a group stop of a traced task.
        case stopForTracer
        /// A signal was taken: the tracer decides what becomes of it.
        case showTracer(TakenSignal)
    }
    typealias TakenSignal = (signal: Signal, info: SignalInfo, isExternal: Bool)

    /// Linux's get_signal: takes signals until one has a handler, ends the group, or none is left; stops here as job control asks.
    func nextDelivery() -> Delivery {
        while true {
            var step = threadGroup.signals.withLock { nextStep(&$0) }
            if case .showTracer(let taken) = step {
                guard let left = showTracer(taken) else { continue }
                guard let next = threadGroup.signals.withLock({ act(on: left, &$0) }) else { continue }
                step = next
            }
            switch step {
            case .deliver(let delivery): return delivery
            case .stopForTracer: stopForJobControl()
            case .showTracer: continue
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
        let (mustStop, isTraced) = task.signals.withLock { ($0.mustStop, $0.trace != nil) }
        if mustStop {
            switch g.stop {
            case .none: task.signals.withLock { $0.mustStop = false }
            case .stopping(let signal), .stopped(let signal):
                if !isTraced { return .stop(signal) }
                // A traced task takes part in a group stop by a stop for its tracer.
                task.signals.withLock { $0.trace?.mustTrap = true }
            }
        }
        if isTraced, task.signals.withLock({ $0.isTrapPending }) { return .stopForTracer }
        while true {
            let blocked = task.signals.withLock { $0.blocked }
            let found: TakenSignal
            if let fault = task.signals.withLock({ $0.pending.takeSynchronous(blocked: blocked) }) {
                kernel.uncharge(fault.entry)
                found = (fault.signal, fault.entry.info, fault.entry.isExternal)
            } else if let taken = take(from: &g, blocked: blocked) {
                found = taken
            } else {
                g.recalculate(task)
                return .deliver(.none)
            }
            if isTraced && found.signal != .SIGKILL { return .showTracer(found) }
            if let step = act(on: found, &g) { return step }
        }
    }

    /// What the signal's action says; nil when that is nothing. Signal lock held.
    private func act(on found: TakenSignal, _ g: inout GroupSignals) -> Step? {
        let action = g.actions[found.signal]
        if action.isIgnore { return nil }
        if !action.isDefault {
            if action.has(.resetHandler) { g.actions[found.signal].handler = SignalAction.defaultHandler }
            return .deliver(.handler(found.signal, found.info, action))
        }
        if found.signal.defaultAction == .ignore { return nil }
        let isKernelOnly = found.signal == .SIGKILL || found.signal == .SIGSTOP
        if g.isUnkillable && !isKernelOnly && !found.isExternal { return nil }
        if found.signal.defaultAction == .stop {
            if found.signal != .SIGSTOP { return .stopUnlessOrphaned(found.signal) }
            guard prepareStop(found.signal, &g) else { return nil }
            return task.isTraced ? .stopForTracer : .stop(found.signal)
        }
        // No core is written: RLIMIT_CORE is honoured as 0.
        g.end(.killed(found.signal))
        return .deliver(.end(.killed(found.signal)))
    }

    /// Signal-delivery stop: the tracer may drop the signal, change it, or let it pass (Linux's ptrace_signal).
    /// - Returns: what is left of it, nil for nothing.
    private func showTracer(_ taken: TakenSignal) -> TakenSignal? {
        // Linux: whatever comes out of this stop may stop the group, should it be a stop signal.
        task.signals.withLock { $0.tookStop = true }
        let tracer = task.tracer
        let outcome = traceStop(taken.signal.rawValue, info: taken.info)
        guard let signal = Signal(rawValue: outcome.code) else { return nil }
        var left = taken
        left.signal = signal
        left.info = outcome.info ?? taken.info
        if left.info.signo != signal.rawValue {
            left.info = SignalInfo(signal, code: SignalInfo.SI_USER)
            left.info.pid = tracer.map { number(of: $0) } ?? 0
            left.info.uid = credentials.shownUser(tracer?.credentials.realUID ?? 0)
        }
        // Blocked meanwhile, or the task is dying: back into the queue.
        let isQueued = threadGroup.signals.withLock { g in
            guard task.signals.withLock({ $0.blocked.has(signal) || $0.isKilled }) else { return false }
            try? g.send(signal, left.info, to: task, in: threadGroup, options: .kernel)
            return true
        }
        return isQueued ? nil : left
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
            let (mustTell, isSeized) = other.signals.withLock { t in
                if t.isExiting || t.isStopped || t.mustStop { return (false, false) }
                t.mustStop = true
                t.stopSignal = signal
                return (other !== task, t.trace?.isSeized ?? false)
            }
            if mustTell && isSeized {
                g.notifyTracee(other)
            } else if mustTell {
                other.wakeForWork()
            }
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
            // A debugger's breakpoints do not make init mortal.
            if action.isDefault && (fatal || !task.isTraced) { g.isUnkillable = false }
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
        for task in tasks where task.signals.withLock({ $0.mustStop && !$0.isExiting }) { return false }
        stop = .stopped(signal)
        stopIsUnreported = true
        return true
    }
}
