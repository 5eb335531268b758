import HostOS
import LinuxABI

extension CurrentTask {
    public var blockedSignals: SignalSet { task.signals.withLock { $0.blocked } }

    /// Replaces the signal mask; SIGKILL and SIGSTOP stay unblocked.
    public func setBlockedSignals(_ mask: SignalSet) {
        let new = mask.subtracting(.unblockable)
        threadGroup.signals.withLock { g in
            let old = task.signals.withLock { t in
                let old = t.blocked
                t.blocked = new
                return old
            }
            // Process-wide signals that only this thread would have taken may have another taker.
            let newlyBlocked = new.subtracting(old)
            if !newlyBlocked.isEmpty && g.tasks.count > 1 { g.retarget(newlyBlocked, from: task) }
            g.recalculate(task)
        }
    }

    /// Runs `body` with another signal mask, as ppoll(2), pselect(2) and epoll_pwait(2) do. When a signal interrupted it, the mask
    /// stays in force until the signal's handler has started, and is put back then.
    public func withTemporarySignalMask<R>(_ mask: SignalSet?, _ body: () throws(Errno) -> R) throws(Errno) -> R {
        guard let mask else { return try body() }
        setTemporarySignalMask(mask)
        do throws(Errno) {
            let result = try body()
            restoreSignalMask()
            return result
        } catch {
            if !(error.isRestart || error == .EINTR) { restoreSignalMask() }
            throw error
        }
    }
    /// Linux's set_user_sigmask.
    public func setTemporarySignalMask(_ mask: SignalSet) {
        if savedMask == nil { savedMask = blockedSignals }
        setBlockedSignals(mask)
    }
    /// Linux's restore_saved_sigmask. Without a temporary mask it does nothing.
    public func restoreSignalMask() {
        guard let mask = savedMask else { return }
        savedMask = nil
        setBlockedSignals(mask)
    }

    /// Takes a pending signal of `mask`, blocked or not, of this thread or the process: signalfd(2), rt_sigtimedwait(2).
    public func dequeueSignal(_ mask: SignalSet) -> SignalInfo? {
        threadGroup.signals.withLock { g in
            defer { g.recalculate(task) }
            return take(from: &g, blocked: SignalSet(rawValue: ~mask.rawValue))?.info
        }
    }
    /// Whether `dequeueSignal` would give one.
    public func hasPendingSignal(_ mask: SignalSet) -> Bool { !pendingSignals.intersection(mask).isEmpty }
    /// Pending for this thread or the process.
    public var pendingSignals: SignalSet { threadGroup.pendingSignals.union(task.pendingSignals) }

    /// Waits for a signal of `mask` and takes it: rt_sigtimedwait(2).
    /// - Throws: EAGAIN at the deadline, EINTR when another signal came.
    public func waitForSignal(_ mask: SignalSet, until deadline: MonotonicInstant?) throws(Errno) -> SignalInfo {
        let wanted = mask.subtracting(.unblockable)
        if let info = dequeueSignal(wanted) { return info }
        if let deadline, deadline <= .now { throw .EAGAIN }
        // Let the wanted signals through so that they wake the task, and remember that they have a taker (Linux's real_blocked).
        threadGroup.signals.withLock { g in
            task.signals.withLock { t in
                t.realBlocked = t.blocked
                t.blocked.subtract(wanted)
            }
            g.recalculate(task)
        }
        var timedOut = false
        do { try park(until: deadline) } catch { timedOut = error == .ETIMEDOUT }
        let info = threadGroup.signals.withLock { g -> SignalInfo? in
            task.signals.withLock { t in
                t.blocked = t.realBlocked
                t.realBlocked = []
            }
            defer { g.recalculate(task) }
            return take(from: &g, blocked: SignalSet(rawValue: ~wanted.rawValue))?.info
        }
        if let info { return info }
        if !timedOut && !isSignalPending {
            // A stale wake-up: wait again.
            return try waitForSignal(mask, until: deadline)
        }
        throw timedOut ? .EAGAIN : .EINTR
    }

    /// Replaces the mask and waits for a handler to run: rt_sigsuspend(2).
    /// - Throws: ERESTARTNOHAND, always.
    public func suspend(with mask: SignalSet) throws(Errno) -> Never {
        setTemporarySignalMask(mask)
        try pause()
    }
    /// pause(2). - Throws: ERESTARTNOHAND, always.
    public func pause() throws(Errno) -> Never {
        while true {
            do { try park(until: nil) } catch { throw .ERESTARTNOHAND }
        }
    }

    /// Takes the next signal outside `blocked`, the thread's own first. Signal lock held.
    func take(from g: inout GroupSignals, blocked: SignalSet) -> (signal: Signal, info: SignalInfo, isExternal: Bool)? {
        while true {
            let found = task.signals.withLock { t -> (signal: Signal, entry: PendingSignals.Entry)? in
                let found = t.pending.take(blocked: blocked) ?? g.pending.take(blocked: blocked)
                if let found, found.signal.defaultAction == .stop { t.tookStop = true }
                return found
            }
            guard let found else { return nil }
            kernel.uncharge(found.entry)
            var info = found.entry.info
            if found.entry.isTimer, !threadGroup.timers.signalTaken(&info, group: threadGroup, tasks: g.tasks) { continue }
            return (found.signal, info, found.entry.isExternal)
        }
    }

    // MARK: actions and the alternate stack

    /// rt_sigaction(2). - Throws: EINVAL for a change of SIGKILL or SIGSTOP.
    public func setAction(_ signal: Signal, _ action: SignalAction) throws(Errno) -> SignalAction {
        if signal == .SIGKILL || signal == .SIGSTOP { throw .EINVAL }
        var new = action
        new.flags &= SignalAction.Flags.known.rawValue
        new.mask.subtract(.unblockable)
        return threadGroup.signals.withLock { g in
            let old = g.actions[signal]
            g.actions[signal] = new
            // POSIX: pending signals that are now ignored are discarded, blocked or not.
            if new.isIgnore || (new.isDefault && signal.defaultAction == .ignore) {
                kernel.uncharge(g.pending.flush(SignalSet(signal)))
                for other in g.tasks { kernel.uncharge(other.signals.withLock { $0.pending.flush(SignalSet(signal)) }) }
                g.recalculate(task)
            }
            return old
        }
    }

    /// sigaltstack(2): sets the alternate stack. `stackPointer` is the guest's.
    /// - Throws: EPERM while on it, EINVAL for unknown flags, ENOMEM below MINSIGSTKSZ.
    public func setAlternateStack(_ stack: SignalStack, stackPointer: UInt64) throws(Errno) {
        if alternateStack.contains(stackPointer) { throw .EPERM }
        let mode = stack.flags & ~SignalStack.autoDisarm
        guard mode == 0 || mode == SignalStack.onStack || mode == SignalStack.disabled else { throw .EINVAL }
        var new = stack
        new.padding = 0
        if mode == SignalStack.disabled {
            new.base = .null
            new.size = 0
        } else if stack.size < SignalStack.minimumSize {
            throw .ENOMEM
        }
        alternateStack = new
    }
    /// What sigaltstack(2) reports.
    public func reportedAlternateStack(stackPointer: UInt64) -> SignalStack {
        var stack = alternateStack
        stack.flags = alternateStack.state(stackPointer) | (alternateStack.flags & SignalStack.autoDisarm)
        return stack
    }
    func resetAlternateStack() { alternateStack = .none }
}
