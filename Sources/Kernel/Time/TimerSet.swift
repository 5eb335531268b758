import HostOS
import LinuxABI
import Synchronization

/// The timers of one process: interval timers (getitimer(2)), POSIX timers (timer_create(2)) and the CPU-time limit.
///
/// Timers on wall and monotonic clocks wait in the sandbox's `TimerService`. Timers on CPU time share one entry there: it is set for the
/// earliest moment at which the process can have used enough CPU time, and looks again then. When every thread sleeps no CPU time passes,
/// so the entry is not set at all until a thread runs again (`Task.setRunState` tells).
///
/// Lock order: the thread group's signal lock, then this one, then the service's. Signals are sent without this lock.
public final class TimerSet: Sendable {
    struct State: Sendable {
        var group: WeakThreadGroup?
        /// ITIMER_REAL, on CLOCK_MONOTONIC.
        var real = TimerSchedule()
        /// ITIMER_VIRTUAL, on user CPU time.
        var virtual = TimerSchedule()
        /// ITIMER_PROF, on all CPU time.
        var profiling = TimerSchedule()
        var posix: [Int32: POSIXTimer] = [:]
        var nextID: Int32 = 0
        var realTimer: TimerService.Timer?
        var processorTimer: TimerService.Timer?
        /// RLIMIT_CPU is not infinite.
        var hasProcessorLimit = false
        /// CPU time until the next check is worthwhile, while nobody runs.
        var idleDistance: Int64 = 0
        /// The process ended.
        var isClosed = false

        var hasProcessorTimers: Bool {
            hasProcessorLimit || virtual.expiry != nil || profiling.expiry != nil
                || posix.values.contains { $0.clock.isProcessorTime && $0.isWaiting }
        }
    }
    let state = Mutex(State())
    /// CPU timers exist, all threads slept at the last look, and nothing is set in the service.
    let isProcessorClockIdle = Atomic<Bool>(false)

    init() {}

    func attach(_ group: ThreadGroup, processorLimit: ResourceLimit) {
        state.withLock {
            $0.group = WeakThreadGroup(group)
            $0.hasProcessorLimit = processorLimit.soft != ResourceLimit.infinity || processorLimit.hard != ResourceLimit.infinity
        }
        // Its first thread is about to run: look when it has.
        if processorLimit.soft != ResourceLimit.infinity || processorLimit.hard != ResourceLimit.infinity { checkProcessorTimers() }
    }

    var group: ThreadGroup? { state.withLock { $0.group?.group } }

    // MARK: interval timers

    public enum IntervalTimer: Int32, Sendable {
        case real = 0
        case virtual = 1
        case profiling = 2
    }

    /// getitimer(2): interval and time to go, in nanoseconds.
    public func interval(_ which: IntervalTimer) -> (interval: Int64, remaining: Int64) {
        let now = self.now(which)
        return state.withLock { Self.report($0[which], now, least: which == .real ? 1_000 : 4_000_000) }
    }

    /// setitimer(2), alarm(2). Returns what was set before.
    public func setInterval(_ which: IntervalTimer, value: Int64, interval: Int64) -> (interval: Int64, remaining: Int64) {
        let now = self.now(which)
        let old = state.withLock { s -> (interval: Int64, remaining: Int64) in
            let old = Self.report(s[which], now, least: which == .real ? 1_000 : 4_000_000)
            if s.isClosed { return old }
            s[which] =
                value == 0 ? TimerSchedule() : TimerSchedule(expiry: TimerSchedule.sum(now, value), interval: interval)
            if which == .real { armReal(&s, notBefore: nil) }
            return old
        }
        if which != .real { checkProcessorTimers() }
        return old
    }

    private static func report(_ schedule: TimerSchedule, _ now: Int64, least: Int64) -> (interval: Int64, remaining: Int64) {
        guard let expiry = schedule.expiry else { return (schedule.interval, 0) }
        let (left, overflow) = expiry.subtractingReportingOverflow(now)
        // An armed timer never shows zero.
        return (schedule.interval, overflow ? .max : max(least, left))
    }

    private func now(_ which: IntervalTimer) -> Int64 {
        switch which {
        case .real: HostClock.monotonic.nanoseconds
        case .virtual: group.map { $0.usage.user } ?? 0
        case .profiling: group.map { ProcessorClock.pick($0.usage, .profiling) } ?? 0
        }
    }

    private func armReal(_ s: inout State, notBefore: Int64?) {
        guard let service = s.group?.group?.kernel.timers else { return }
        guard let expiry = s.real.expiry else {
            if let timer = s.realTimer { service.set(timer, nil) }
            return
        }
        let timer = s.realTimer ?? service.makeTimer { [weak self] in self?.realExpired() }
        s.realTimer = timer
        service.set(timer, MonotonicInstant(nanoseconds: max(expiry, notBefore ?? expiry)))
    }

    private func realExpired() {
        guard let group else { return }
        // While the last SIGALRM waits, another one is lost: a fast timer then ticks no more often than every 10 ms.
        let isUnheard = group.pendingSignals.has(.SIGALRM)
        let fires = state.withLock { s -> Bool in
            let now = HostClock.monotonic.nanoseconds
            guard s.real.isDue(now) else {
                armReal(&s, notBefore: nil)
                return false
            }
            if s.real.interval > 0 {
                _ = s.real.forward(past: now)
                armReal(&s, notBefore: isUnheard ? now &+ 10_000_000 : nil)
            } else {
                s.real = TimerSchedule()
            }
            return true
        }
        if fires { group.send(SignalInfo(.SIGALRM, code: SignalInfo.SI_KERNEL)) }
    }

    // MARK: the process's end

    /// execve(2) deletes POSIX timers and keeps interval timers.
    func deletePOSIXTimers() {
        state.withLock { Self.deletePOSIX(&$0) }
    }
    /// No timer fires any more.
    func close() {
        isProcessorClockIdle.store(false, ordering: .relaxed)
        state.withLock { s in
            s.isClosed = true
            s.real = TimerSchedule()
            s.virtual = TimerSchedule()
            s.profiling = TimerSchedule()
            s.hasProcessorLimit = false
            Self.deletePOSIX(&s)
            guard let service = s.group?.group?.kernel.timers else { return }
            if let timer = s.realTimer { service.set(timer, nil) }
            if let timer = s.processorTimer { service.set(timer, nil) }
        }
    }
    private static func deletePOSIX(_ s: inout State) {
        guard let kernel = s.group?.group?.kernel else { return }
        for timer in s.posix.values { timer.release(kernel) }
        s.posix = [:]
    }
}

extension TimerSet.State {
    subscript(_ which: TimerSet.IntervalTimer) -> TimerSchedule {
        get {
            switch which {
            case .real: real
            case .virtual: virtual
            case .profiling: profiling
            }
        }
        set {
            switch which {
            case .real: real = newValue
            case .virtual: virtual = newValue
            case .profiling: profiling = newValue
            }
        }
    }
}

extension ThreadGroup {
    /// The process ended: no timer of it fires any more.
    func endTimers() { timers.close() }
    /// execve(2) deletes POSIX timers and keeps interval timers.
    func endPOSIXTimers() { timers.deletePOSIXTimers() }
}
