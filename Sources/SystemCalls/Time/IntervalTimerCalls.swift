import Kernel
import LinuxABI

/// getitimer(2), setitimer(2), alarm(2).
extension SystemCallFamilies {
    public static let intervalTimers: [SystemCallEntry] = [
        .init(36, "getitimer", sysGetitimer),
        .init(37, "alarm", sysAlarm),
        .init(38, "setitimer", sysSetitimer),
    ]

    private static func value(_ timer: (interval: Int64, remaining: Int64)) -> Itimerval {
        Itimerval(interval: Timeval(nanoseconds: timer.interval), value: Timeval(nanoseconds: timer.remaining))
    }

    @Sendable static func sysGetitimer(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let which = TimerSet.IntervalTimer(rawValue: a.int(0)) else { throw .EINVAL }
        try current.memory.store(value(current.threadGroup.timers.interval(which)), at: a.address(1))
        return 0
    }

    @Sendable static func sysSetitimer(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var new = Itimerval()
        // A null pointer disarms: a Linux extension.
        if !a.address(1).isNull {
            new = try current.memory.load(Itimerval.self, at: a.address(1))
            guard new.value.isValid && new.interval.isValid else { throw .EINVAL }
        }
        guard let which = TimerSet.IntervalTimer(rawValue: a.int(0)) else { throw .EINVAL }
        let old = current.threadGroup.timers.setInterval(
            which, value: new.value.totalNanoseconds, interval: new.interval.totalNanoseconds)
        if !a.address(2).isNull { try current.memory.store(value(old), at: a.address(2)) }
        return 0
    }

    @Sendable static func sysAlarm(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let seconds = Int64(min(a.uint(0), UInt32(Int32.max)))
        let old = current.threadGroup.timers.setInterval(.real, value: seconds &* 1_000_000_000, interval: 0).remaining
        // Rounded to the nearest second, but never down to zero.
        let whole = old / 1_000_000_000
        let rest = old % 1_000_000_000
        return Int(whole + ((whole == 0 && rest > 0) || rest >= 500_000_000 ? 1 : 0))
    }
}
