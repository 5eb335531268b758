import LinuxABI
import Synchronization

extension TimerSet {
    /// The timers of timer_create(2) as /proc/PID/timers shows them (proc_pid_timers(5)).
    public func descriptions(of group: ThreadGroup) -> String {
        let timers = state.withLock { $0.posix.values.sorted { $0.id < $1.id } }
        return timers.map { timer in
            var signal: Int32 = 0
            var target = "pid.\(group.id)"
            var kind = "none"
            if case .signal(let number, let thread) = timer.notification {
                signal = number.rawValue
                kind = "signal"
                if let thread { target = "tid.\(thread.task?.id ?? 0)" }
            }
            return "ID: \(timer.id)\nsignal: \(signal)/\(Hexadecimal.padded(timer.value, width: 16, with: "0"))\n"
                + "notify: \(kind)/\(target)\nClockID: \(timer.clock.number(of: group))\n"
        }.joined()
    }
}

extension TimerClock {
    /// As clock_gettime(2) names it.
    fileprivate func number(of group: ThreadGroup) -> Int32 {
        switch self {
        case .host(let clock): clock.rawValue
        case .task(let task, let kind): Self.processorClock(task.task?.id ?? 0, kind, perThread: true)
        case .group(let other, let kind):
            other.group === group && kind == .scheduled
                ? ClockID.processCPU : Self.processorClock(other.group?.id ?? 0, kind, perThread: false)
        }
    }
    private static func processorClock(_ id: Int32, _ kind: ProcessorClockKind, perThread: Bool) -> Int32 {
        ~id << 3 | (perThread ? 4 : 0) | kind.rawValue
    }
}
