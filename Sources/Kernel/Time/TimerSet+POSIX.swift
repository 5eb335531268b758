import HostOS
import LinuxABI

// timer_create(2) and kin.

extension TimerSet {
    /// How a new timer tells of its expiry.
    public enum NotificationRequest: Sendable {
        case none
        /// `thread` nil: to the process. `value` nil: the timer's ID.
        case signal(Signal, thread: Task?, value: UInt64?)
    }

    /// timer_create(2). `publish` writes the ID to the guest; when it throws, there is no timer.
    /// - Throws: EAGAIN when RLIMIT_SIGPENDING is reached, and what `publish` throws.
    public func create(
        _ clock: TimerClockRequest, _ request: NotificationRequest, for current: CurrentTask, publish: (Int32) throws(Errno) -> Void
    ) throws(Errno) {
        let kernel = current.kernel
        let uid = current.credentials.realUID
        guard kernel.queuedSignals.add(uid, limit: current.threadGroup.limit(.pendingSignals).soft) else { throw .EAGAIN }
        let id = state.withLock { s -> Int32 in
            let id = s.allocateID()
            let notification: POSIXTimer.Notification
            let value: UInt64
            switch request {
            case .none:
                notification = .none
                value = 0
            case .signal(let signal, let thread, let given):
                notification = .signal(signal, thread.map(WeakTask.init))
                value = given ?? UInt64(UInt32(bitPattern: id))
            }
            var timer = POSIXTimer(
                id: id, clock: clock.timerClock, notification: notification, value: value, charged: uid)
            if !timer.clock.isProcessorTime, case .signal = notification {
                timer.hostTimer = kernel.timers.makeTimer { [weak self] in self?.expired(id) }
            }
            s.posix[id] = timer
            return id
        }
        do throws(Errno) {
            try publish(id)
        } catch {
            try? delete(id)
            throw error
        }
    }

    /// timer_settime(2). Returns the setting before.
    /// - Throws: EINVAL when there is no such timer.
    public func set(_ id: Int32, _ setting: Itimerspec, isAbsolute: Bool) throws(Errno) -> Itimerspec {
        let now = try clockNow(id)
        let (old, isProcessorTime) = try state.withLock { s throws(Errno) in
            guard var timer = s.posix[id] else { throw .EINVAL }
            let old = timer.report(now: now)
            timer.sequence &+= 1
            timer.isQueued = false
            timer.missed = 0
            timer.lastOverrun = 0
            timer.schedule = TimerSchedule(setting, isAbsolute: isAbsolute, now: now)
            s.posix[id] = timer
            arm(timer, s)
            return (old, timer.clock.isProcessorTime)
        }
        if isProcessorTime { checkProcessorTimers() }
        return old
    }

    /// timer_gettime(2). - Throws: EINVAL.
    public func get(_ id: Int32) throws(Errno) -> Itimerspec {
        let now = try clockNow(id)
        return try state.withLock { s throws(Errno) in
            guard let timer = s.posix[id] else { throw .EINVAL }
            return timer.report(now: now)
        }
    }

    /// timer_getoverrun(2). - Throws: EINVAL.
    public func overrun(_ id: Int32) throws(Errno) -> Int32 {
        try state.withLock { s throws(Errno) in
            guard let timer = s.posix[id] else { throw .EINVAL }
            return timer.lastOverrun
        }
    }

    /// timer_delete(2). - Throws: EINVAL.
    public func delete(_ id: Int32) throws(Errno) {
        try state.withLock { s throws(Errno) in
            guard let timer = s.posix.removeValue(forKey: id) else { throw .EINVAL }
            if let kernel = s.group?.group?.kernel { timer.release(kernel) }
        }
    }

    /// IDs in order, for /proc/PID/timers.
    public var timerIDs: [Int32] { state.withLock { $0.posix.keys.sorted() } }

    /// Time on the timer's clock, read without this set's lock: CPU clocks take the signal lock.
    private func clockNow(_ id: Int32) throws(Errno) -> Int64 {
        guard let clock = state.withLock({ $0.posix[id]?.clock }) else { throw .EINVAL }
        return clock.now
    }

    /// Sets or clears the service's timer. This set's lock held.
    private func arm(_ timer: POSIXTimer, _ s: borrowing State) {
        guard let hostTimer = timer.hostTimer, let service = s.group?.group?.kernel.timers, case .host(let clock) = timer.clock else {
            return
        }
        service.set(hostTimer, timer.schedule.expiry.map { ClockDeadline(clock, nanoseconds: $0).instant })
    }

    /// The service's timer fired.
    private func expired(_ id: Int32) {
        guard let group, let timer = state.withLock({ $0.posix[id] }), case .signal(let signal, let target) = timer.notification,
            case .host(let clock) = timer.clock
        else { return }
        let isPending = group.pendingSignals.has(signal) || (target?.task?.pendingSignals.has(signal) ?? false)
        let isIgnored = group.ignores(signal, for: target?.task)
        let delivery = state.withLock { s -> POSIXTimer.Delivery? in
            guard var timer = s.posix[id], let service = s.group?.group?.kernel.timers, let hostTimer = timer.hostTimer else { return nil }
            defer { s.posix[id] = timer }
            let now = clock.nanoseconds
            if timer.isQueued {
                if isPending {
                    // Not taken yet.
                    service.set(hostTimer, .after(nanoseconds: 1_000_000_000))
                    return nil
                }
                // The signal was discarded (its action became SIG_IGN): go on without it.
                timer.isQueued = false
            }
            guard timer.schedule.isDue(now) else {
                arm(timer, s)
                return nil
            }
            if isIgnored {
                if timer.schedule.interval > 0 {
                    timer.missed &+= timer.schedule.forward(past: now)
                    // Nobody hears it: look no more often than every 10 ms.
                    let next = timer.schedule.expiry.map { ClockDeadline(clock, nanoseconds: $0).instant } ?? .now
                    service.set(hostTimer, max(next, .after(nanoseconds: 10_000_000)))
                } else {
                    timer.schedule.expiry = nil
                }
                return nil
            }
            let delivery = timer.expire()
            // Should the signal be discarded, a periodic timer must not stand still for ever.
            if timer.schedule.interval > 0 { service.set(hostTimer, .after(nanoseconds: 1_000_000_000)) }
            return delivery
        }
        delivery?.send(to: group)
    }

    /// A thread takes a timer's signal: fills in the overrun count and lets a periodic timer go on. False when the timer was deleted or
    /// set anew since: the signal is dropped. Called with the group's signal lock held; `tasks` are its threads.
    func signalTaken(_ info: inout SignalInfo, group: ThreadGroup, tasks: [Task]) -> Bool {
        let id = info.timerID
        let sequence = info.fields.2
        info.fields.2 = 0
        guard let clock = state.withLock({ $0.posix[id]?.clock }) else { return false }
        let now = if case .group(_, let kind) = clock { ProcessorClock.pick(group.usage(of: tasks), kind) } else { clock.now }
        return state.withLock { s in
            guard var timer = s.posix[id], timer.sequence == sequence, timer.isQueued else { return false }
            timer.isQueued = false
            var overrun = timer.missed
            timer.missed = 0
            let steps = timer.schedule.forward(past: now)
            if steps > 0 { overrun &+= steps &- 1 }
            timer.lastOverrun = Int32(clamping: overrun)
            info.overrun = timer.lastOverrun
            s.posix[id] = timer
            if timer.schedule.expiry != nil {
                if timer.clock.isProcessorTime {
                    if let processorTimer = s.processorTimer { group.kernel.timers.set(processorTimer, .after(nanoseconds: 1_000_000)) }
                } else {
                    arm(timer, s)
                }
            } else if let hostTimer = timer.hostTimer {
                group.kernel.timers.set(hostTimer, nil)
            }
            return true
        }
    }
}

extension TimerSet.State {
    /// The next free ID, counting on from the last one given.
    fileprivate mutating func allocateID() -> Int32 {
        var id = nextID
        while posix[id] != nil { id = id == .max ? 0 : id &+ 1 }
        nextID = id == .max ? 0 : id &+ 1
        return id
    }
}

/// The clock of a new POSIX timer.
public struct TimerClockRequest: Sendable {
    let timerClock: TimerClock
    public init(_ clock: HostClock) { timerClock = TimerClock(clock) }
    public init(_ clock: ProcessorClock) { timerClock = TimerClock(clock) }
}
