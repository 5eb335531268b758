import HostOS
import LinuxABI

/// A timer of timer_create(2).
struct POSIXTimer: Sendable {
    enum Notification: Sendable {
        /// SIGEV_NONE.
        case none
        /// To the process, or to one thread of it.
        case signal(Signal, WeakTask?)
    }
    let id: Int32
    let clock: TimerClock
    let notification: Notification
    /// si_value.
    let value: UInt64
    /// The real user ID that holds the timer's preallocated place in the signal queue; nil for none.
    let charged: UInt32?
    var schedule = TimerSchedule()
    /// Counts settings: a signal queued for an earlier one is dropped when it is taken.
    var sequence: UInt64 = 0
    /// Its signal waits to be taken. A periodic timer goes on when it is.
    var isQueued = false
    /// Expirations while the signal was ignored.
    var missed: UInt64 = 0
    /// timer_getoverrun(2).
    var lastOverrun: Int32 = 0
    /// Nil for CPU clocks and SIGEV_NONE.
    var hostTimer: TimerService.Timer?

    /// Whether it will expire by itself.
    var isWaiting: Bool {
        if case .none = notification { return false }
        return schedule.expiry != nil && !isQueued
    }

    /// A signal to be sent once no lock is held.
    struct Delivery: Sendable {
        var info: SignalInfo
        var target: WeakTask?

        func send(to group: ThreadGroup) {
            var thread: Task?
            if let target {
                // A dead thread's timers fire into nothing.
                guard let task = target.task, task.threadGroup === group, !task.isExiting else { return }
                thread = task
            }
            _ = try? group.send(info, to: thread, options: [.kernel, .timer])
        }
    }

    /// The timer is due: marks its signal queued. The set's lock held.
    mutating func expire() -> Delivery? {
        guard case .signal(let signal, let target) = notification else { return nil }
        isQueued = true
        if schedule.interval == 0 { schedule.expiry = nil }
        var info = SignalInfo(signal, code: SignalInfo.SI_TIMER)
        info.timerID = id
        info.value = value
        // Linux's si_sys_private: cleared before the guest sees it.
        info.fields.2 = sequence
        return Delivery(info: info, target: target)
    }

    /// What timer_gettime(2) reports.
    func report(now: Int64) -> Itimerspec {
        var result = Itimerspec()
        result.interval = Timespec(nanoseconds: schedule.interval)
        guard let expiry = schedule.expiry else { return result }
        let isSilent = if case .none = notification { true } else { false }
        let left: Int64
        if schedule.interval > 0 && (isQueued || isSilent) {
            left = schedule.remaining(now)
        } else {
            let (difference, overflow) = expiry.subtractingReportingOverflow(now)
            left = overflow ? .max : max(0, difference)
        }
        // A running timer never shows zero; a silent single-shot one that has expired does.
        result.value = Timespec(nanoseconds: left > 0 ? left : (isSilent ? 0 : 1))
        return result
    }

    func release(_ kernel: SandboxKernel) {
        if let hostTimer { kernel.timers.set(hostTimer, nil) }
        if let charged { kernel.queuedSignals.remove(charged) }
    }
}
