import HostOS
import Kernel
import LinuxABI

/// nanosleep(2) and clock_nanosleep(2).
extension SystemCallFamilies {
    public static let sleeping: [SystemCallEntry] = [
        .init(35, "nanosleep", sysNanosleep),
        .init(230, "clock_nanosleep", sysClockNanosleep),
    ]

    private static let absoluteFlag: Int32 = 1

    @Sendable static func sysNanosleep(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let request = try current.memory.load(Timespec.self, at: a.address(0))
        guard request.isValid else { throw .EINVAL }
        return try sleep(
            current, clock: ClockID.monotonic, until: .after(nanoseconds: request.totalNanoseconds), remaining: a.address(1))
    }

    @Sendable static func sysClockNanosleep(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let id = a.int(0)
        let clock = try Clock(id)
        if !clock.hasTimers || id == ClockID.threadCPU { throw .EOPNOTSUPP }
        let request = try current.memory.load(Timespec.self, at: a.address(2))
        guard request.isValid else { throw .EINVAL }
        let isAbsolute = a.int(1) & absoluteFlag != 0
        let nanoseconds = request.totalNanoseconds
        switch clock {
        case .processor(let pid, let perThread, let kind, _):
            // A thread cannot wait for its own CPU time.
            if perThread && (pid == 0 || pid == current.task.ownID) { throw .EINVAL }
            let processorClock = try ProcessorClock(id: pid, perThread: perThread, kind: kind, current: current, isReading: false)
            let (sum, overflow) = processorClock.nanoseconds.addingReportingOverflow(nanoseconds)
            let end = isAbsolute ? nanoseconds : overflow ? Int64.max : sum
            return try sleep(current, processorClock, id, until: end, isAbsolute: isAbsolute, remaining: a.address(3))
        case .alarm(let host):
            if !current.credentials.has(.wakeAlarm) { throw .EPERM }
            if isAbsolute { return try sleep(current, until: ClockDeadline(host, nanoseconds: nanoseconds)) }
        case .host(let host):
            if isAbsolute { return try sleep(current, until: ClockDeadline(host, nanoseconds: nanoseconds)) }
        }
        return try sleep(current, clock: ClockID.monotonic, until: .after(nanoseconds: nanoseconds), remaining: a.address(3))
    }

    /// Sleeps until a moment on CLOCK_MONOTONIC, which relative sleeps on every wall clock use. Interrupted, it stores the time left and
    /// sets the restart block. - Throws: ERESTART_RESTARTBLOCK, EFAULT.
    static func sleep(
        _ current: CurrentTask, clock: Int32, until deadline: MonotonicInstant, remaining: GuestAddress
    ) throws(Errno) -> Int {
        while deadline > .now {
            do throws(Errno) {
                try current.park(until: deadline)
            } catch {
                if error == .ETIMEDOUT { break }
                let left = deadline.nanoseconds &- MonotonicInstant.now.nanoseconds
                if left <= 0 { return 0 }
                if !remaining.isNull { try current.memory.store(Timespec(nanoseconds: left), at: remaining) }
                current.restartBlock = .nanosleep(clock: clock, deadline: deadline, remaining: remaining)
                throw .ERESTART_RESTARTBLOCK
            }
        }
        return 0
    }

    /// Sleeps until a moment on `deadline`'s clock. - Throws: ERESTARTNOHAND.
    private static func sleep(_ current: CurrentTask, until deadline: ClockDeadline) throws(Errno) -> Int {
        while !deadline.hasPassed {
            do throws(Errno) {
                try current.park(until: deadline.instant)
            } catch {
                if error == .ETIMEDOUT { continue }
                throw .ERESTARTNOHAND
            }
        }
        return 0
    }

    /// Sleeps until a CPU clock shows `end`.
    private static func sleep(
        _ current: CurrentTask, _ clock: ProcessorClock, _ id: Int32, until end: Int64, isAbsolute: Bool, remaining: GuestAddress
    ) throws(Errno) -> Int {
        var last: Int64 = -1
        var wait: Int64 = 0
        while true {
            let now = clock.nanoseconds
            if now >= end { return 0 }
            // The time left is the least that must pass; look less often while the clock stands still.
            wait = now == last ? min(max(wait &* 2, 1_000_000), 250_000_000) : max(1_000_000, (end &- now) / Int64(clock.width))
            last = now
            do throws(Errno) {
                try current.park(until: .after(nanoseconds: wait))
            } catch {
                if error == .ETIMEDOUT { continue }
                if isAbsolute { throw .ERESTARTNOHAND }
                if !remaining.isNull {
                    try current.memory.store(Timespec(nanoseconds: max(0, end &- clock.nanoseconds)), at: remaining)
                }
                current.restartBlock = .nanosleep(clock: id, deadline: MonotonicInstant(nanoseconds: end), remaining: remaining)
                throw .ERESTART_RESTARTBLOCK
            }
        }
    }

    /// restart_syscall(2) of an interrupted relative sleep.
    public static func restartNanosleep(
        _ current: CurrentTask, clock id: Int32, deadline: MonotonicInstant, remaining: GuestAddress
    ) throws(Errno) -> Int {
        if case .processor(let pid, let perThread, let kind, _) = try Clock(id) {
            let clock = try ProcessorClock(id: pid, perThread: perThread, kind: kind, current: current, isReading: false)
            return try sleep(current, clock, id, until: deadline.nanoseconds, isAbsolute: false, remaining: remaining)
        }
        return try sleep(current, clock: id, until: deadline, remaining: remaining)
    }
}
