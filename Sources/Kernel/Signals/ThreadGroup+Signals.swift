import LinuxABI
import Synchronization

/// Who sends a signal, as far as the rules depend on it.
public struct SignalSendOptions: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The kernel itself sends: the queue's limit does not lose standard signals' information.
    public static let kernel = SignalSendOptions(rawValue: 1)
    /// From outside the sandbox.
    public static let external = SignalSendOptions(rawValue: 2)
    /// The process sends to itself.
    public static let own = SignalSendOptions(rawValue: 4)

    /// Whether the signal acts on init as on any process. Linux spares a namespace's init all signals without handler; here it is
    /// spared those of other processes only, so that a sandbox's command ends of its own abort(3), SIGPIPE or timer as it would
    /// outside. A stop of itself would stop the sandbox for good.
    func overridesInitProtection(_ signal: Signal) -> Bool {
        if contains(.external) || contains(.kernel) { return true }
        return contains(.own) && signal.defaultAction != .stop
    }
    /// From a POSIX timer: its place in the queue was counted when the timer was made, and signals of several timers do not merge.
    static let timer = SignalSendOptions(rawValue: 8)
}

extension ThreadGroup {
    /// Queues a signal to the process, or to `task` of it alone, and wakes a taker. Dead targets take it silently.
    /// - Throws: EAGAIN when RLIMIT_SIGPENDING is reached and `info` is not from kill(2): sigqueue(3).
    public func send(_ info: SignalInfo, to task: Task?, options: SignalSendOptions) throws(Errno) {
        guard let signal = Signal(rawValue: info.signo) else { return }
        try signals.withLock { g throws(Errno) in try g.send(signal, info, to: task, in: self, options: options) }
    }

    /// Whether a signal sent now would be thrown away.
    func ignores(_ signal: Signal, for task: Task?) -> Bool {
        signals.withLock { g in
            guard let judge = task ?? g.tasks.first else { return true }
            return g.isIgnored(signal, by: judge, isExternal: false)
        }
    }
}

/// All of these run with the group's signal lock held.
extension GroupSignals {
    mutating func send(_ signal: Signal, _ info: SignalInfo, to target: Task?, in group: ThreadGroup, options: SignalSendOptions)
        throws(Errno)
    {
        guard prepare(signal, in: group) else { return }
        // Linux asks the blocked mask of the given thread, or of the leader for a process-wide signal.
        guard let judge = target ?? tasks.first else { return }
        let isExternal = group.isInnerInit ? options.contains(.external) : options.overridesInitProtection(signal)
        if isIgnored(signal, by: judge, isExternal: isExternal) { return }

        // Standard signals are not queued twice.
        let alreadyPending = target.map { $0.signals.withLock { $0.pending.set.has(signal) } } ?? pending.set.has(signal)
        if alreadyPending && !signal.isRealTime && !options.contains(.timer) { return }

        var entry: PendingSignals.Entry?
        if signal != .SIGKILL {
            let uid = judge.credentials.realUID
            let isUnlimited = !signal.isRealTime && (options.contains(.kernel) || info.code >= 0)
            if options.contains(.timer) {
                entry = .init(info: info, charged: nil, isExternal: false, isTimer: true)
            } else if isUnlimited {
                group.kernel.queuedSignals.add(uid)
                entry = .init(info: info, charged: uid, isExternal: isExternal)
            } else if group.kernel.queuedSignals.add(uid, limit: group.limit(.pendingSignals).soft) {
                entry = .init(info: info, charged: uid, isExternal: isExternal)
            } else if signal.isRealTime && info.code != SignalInfo.SI_USER {
                throw .EAGAIN
            }
        }
        func put(_ queue: inout PendingSignals) {
            if let entry { queue.append(entry, signal) } else { queue.mark(signal) }
        }
        if let target { target.signals.withLock { put(&$0.pending) } } else { put(&pending) }
        group.signalEvents.notify(.allReadable)
        complete(signal, target: target, isExternal: isExternal)
    }

    /// Linux's prepare_signal: stop and continue signals cancel each other, a dying group takes nothing.
    private mutating func prepare(_ signal: Signal, in group: ThreadGroup) -> Bool {
        if exit != nil { return false }
        if signal.defaultAction == .stop {
            discard(SignalSet(.SIGCONT), group)
        } else if signal == .SIGCONT {
            discard(.stops, group)
            for task in tasks {
                let (wasStopped, isSeized) = task.signals.withLock { t in
                    t.mustStop = false
                    t.tookStop = false
                    defer { t.isStopped = false }
                    return (t.isStopped, t.trace?.isSeized ?? false)
                }
                if wasStopped { task.kick() }
                if isSeized { notifyTracee(task) }
            }
            switch stop {
            case .stopped:
                parentNotice = .continued
                continueIsUnreported = true
            case .stopping:
                // The stop was under way: the parent hears of it, as if it had completed.
                parentNotice = .stopped
                continueIsUnreported = true
            case .none: break
            }
            if parentNotice != nil {
                // Some thread must pass the notice on.
                tasks.first { !$0.isExiting }?.wakeForWork()
            }
            stop = .none
            stopIsUnreported = false
        }
        return true
    }

    private mutating func discard(_ mask: SignalSet, _ group: ThreadGroup) {
        group.kernel.uncharge(pending.flush(mask))
        for task in tasks {
            group.kernel.uncharge(task.signals.withLock { $0.pending.flush(mask) })
        }
    }

    /// Linux's sig_ignored: a blocked signal is never ignored, its action may change before it is unblocked.
    func isIgnored(_ signal: Signal, by task: Task, isExternal: Bool) -> Bool {
        let (isBlocked, isTraced) = task.signals.withLock {
            ($0.blocked.has(signal) || $0.realBlocked.has(signal), $0.trace != nil)
        }
        if isBlocked { return false }
        // A tracer sees ignored signals too.
        if isTraced && signal != .SIGKILL { return false }
        let action = actions[signal]
        if isUnkillable && action.isDefault && !isExternal { return true }
        if action.isIgnore { return true }
        return action.isDefault && signal.defaultAction == .ignore
    }

    /// Linux's complete_signal: finds a thread that takes the signal and wakes it; a fatal signal ends the group at once.
    private mutating func complete(_ signal: Signal, target: Task?, isExternal: Bool) {
        func wants(_ task: Task) -> Bool {
            let state = task.signals.withLock { ($0.blocked.has(signal), $0.isExiting, $0.isStopped || $0.isTraceStopped) }
            if state.0 || state.1 { return false }
            if signal == .SIGKILL { return true }
            if state.2 { return false }
            return !task.work.load(ordering: .relaxed)
        }
        var taker: Task?
        if let target {
            taker = wants(target) ? target : nil
        } else if let first = tasks.first, wants(first) {
            taker = first
        } else if tasks.count > 1 {
            for step in 0..<tasks.count {
                let candidate = tasks[(nextTarget &+ step) % tasks.count]
                if wants(candidate) {
                    taker = candidate
                    nextTarget = (nextTarget &+ step) % tasks.count
                    break
                }
            }
        }
        guard let taker else { return }
        let action = actions[signal]
        let isFatal =
            signal == .SIGKILL
            || (action.isDefault && (signal.defaultAction == .terminate)
                && !taker.signals.withLock { $0.realBlocked.has(signal) || $0.trace != nil })
        if isFatal && exit == nil && (!isUnkillable || isExternal) {
            end(.killed(signal))
            return
        }
        taker.wakeForWork()
    }

    /// Begins the end of the whole group: every thread gets SIGKILL.
    mutating func end(_ status: ExitStatus) {
        exit = status
        stop = .none
        for task in tasks {
            let isLive = task.signals.withLock { t in
                t.mustStop = false
                t.tookStop = false
                t.isStopped = false
                t.trace?.mustTrap = false
                t.trace?.mustNotify = false
                t.pending.mark(.SIGKILL)
                return !t.isExiting
            }
            if isLive { task.wakeForWork() }
        }
    }

    /// Sets or clears `task`'s work flag from what is pending. Only the task itself clears its flag.
    func recalculate(_ task: Task, hasSavedMask: Bool = false) {
        let needs = task.signals.withLock { t in
            t.mustStop || t.isTrapPending || !t.pending.set.subtracting(t.blocked).isEmpty || !pending.set.subtracting(t.blocked).isEmpty
        }
        let others = exit != nil || parentNotice != nil || (execTask != nil && execTask !== task)
        task.work.store(needs || others, ordering: .sequentiallyConsistent)
    }

    /// Process-wide signals that `task` no longer takes (it blocked them or exits) need another taker: retarget_shared_pending.
    func retarget(_ which: SignalSet, from task: Task) {
        var rest = pending.set.intersection(which)
        if rest.isEmpty { return }
        for other in tasks where other !== task {
            let (blocked, exiting) = other.signals.withLock { ($0.blocked, $0.isExiting) }
            if exiting || rest.subtracting(blocked).isEmpty { continue }
            rest = rest.intersection(blocked)
            if !other.work.load(ordering: .relaxed) { other.wakeForWork() }
            if rest.isEmpty { break }
        }
    }
}

extension SandboxKernel {
    /// Gives queue space back.
    func uncharge(_ entries: [PendingSignals.Entry]) {
        for entry in entries { if let uid = entry.charged { queuedSignals.remove(uid) } }
    }
    func uncharge(_ entry: PendingSignals.Entry) { if let uid = entry.charged { queuedSignals.remove(uid) } }
}
