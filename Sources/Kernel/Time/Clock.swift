import HostOS
import LinuxABI

/// A clock of clock_gettime(2) as the guest names it. Wall and monotonic clocks are the host's own, which guests also read through the
/// vDSO; CPU clocks count guest tasks.
public enum Clock: Sendable, Equatable {
    case host(HostClock)
    /// CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM: the clock underneath. The sandbox never suspends, so that alarm timers differ only in
    /// the capability they need.
    case alarm(HostClock)
    /// CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID and encoded IDs (clock_getcpuclockid(3)). `id` 0 is the caller.
    case processor(id: Int32, perThread: Bool, kind: ProcessorClockKind, isFixed: Bool)

    /// - Throws: EINVAL for a number that names no clock.
    public init(_ id: Int32) throws(Errno) {
        if id < 0 {
            guard let kind = ProcessorClockKind(rawValue: id & 3) else { throw .EINVAL }
            self = .processor(id: ~(id >> 3), perThread: id & 4 != 0, kind: kind, isFixed: false)
            return
        }
        switch id {
        case ClockID.processCPU: self = .processor(id: 0, perThread: false, kind: .scheduled, isFixed: true)
        case ClockID.threadCPU: self = .processor(id: 0, perThread: true, kind: .scheduled, isFixed: true)
        case ClockID.realtimeAlarm: self = .alarm(.realtime)
        case ClockID.boottimeAlarm: self = .alarm(.boottime)
        default:
            guard let clock = HostClock(rawValue: id) else { throw .EINVAL }
            self = .host(clock)
        }
    }

    /// Nanoseconds now. CPU clocks are read through `ProcessorClock`.
    public static func now(_ clock: HostClock) -> Int64 { clock.nanoseconds }

    /// clock_getres(2).
    public var resolution: Timespec {
        switch self {
        case .host(let clock), .alarm(let clock): clock.resolution
        case .processor: Timespec(seconds: 0, nanoseconds: 1)
        }
    }

    /// Whether timers and sleeps can use it: the raw and coarse clocks cannot.
    public var hasTimers: Bool {
        switch self {
        case .host(.monotonicRaw), .host(.realtimeCoarse), .host(.monotonicCoarse): false
        default: true
        }
    }
}

/// The low bits of an encoded CPU clock ID.
public enum ProcessorClockKind: Int32, Sendable {
    /// User and system time.
    case profiling = 0
    /// User time.
    case virtual = 1
    /// Time on a CPU; the same as `profiling` here.
    case scheduled = 2
}

/// A CPU clock bound to a process or thread.
public enum ProcessorClock: Sendable {
    case task(Task, ProcessorClockKind)
    case group(ThreadGroup, ProcessorClockKind)

    /// Linux's pid_for_clock. - Throws: EINVAL when the clock's process or thread does not exist or is not the caller's.
    public init(id: Int32, perThread: Bool, kind: ProcessorClockKind, current: CurrentTask, isReading: Bool) throws(Errno) {
        if id < 0 { throw .EINVAL }
        if perThread {
            if id == 0 {
                self = .task(current.task, kind)
                return
            }
            guard let task = current.findTask(id), task.threadGroup === current.threadGroup else { throw .EINVAL }
            self = .task(task, kind)
            return
        }
        if id == 0 || (isReading && id == current.task.ownID) {
            self = .group(current.threadGroup, kind)
            return
        }
        guard let group = current.findThreadGroup(id) else { throw .EINVAL }
        self = .group(group, kind)
    }

    /// Nanoseconds of CPU time.
    public var nanoseconds: Int64 {
        switch self {
        case .task(let task, let kind): Self.pick(task.usage, kind)
        case .group(let group, let kind): Self.pick(group.usage, kind)
        }
    }
    static func pick(_ usage: ResourceUsage, _ kind: ProcessorClockKind) -> Int64 {
        kind == .virtual ? usage.user : usage.user &+ usage.system
    }
    /// How many threads can drive it at once.
    public var width: Int {
        switch self {
        case .task: 1
        case .group(let group, _): max(1, min(group.threadCount, HostSystem.processors.count))
        }
    }
}

/// A point in time on one of the host's clocks.
public struct ClockDeadline: Sendable {
    public var clock: HostClock
    /// On `clock`.
    public var nanoseconds: Int64
    public init(_ clock: HostClock, nanoseconds: Int64) {
        self.clock = clock
        self.nanoseconds = nanoseconds
    }
    /// `interval` nanoseconds from now on CLOCK_MONOTONIC.
    public init(after interval: Int64) {
        self.init(.monotonic, nanoseconds: MonotonicInstant.after(nanoseconds: interval).nanoseconds)
    }

    /// The same moment on CLOCK_MONOTONIC, as far as can be told now: a step of the wall clock moves it.
    public var instant: MonotonicInstant {
        if clock == .monotonic { return MonotonicInstant(nanoseconds: max(0, nanoseconds)) }
        let (left, overflow) = nanoseconds.subtractingReportingOverflow(clock.nanoseconds)
        return .after(nanoseconds: overflow ? (nanoseconds < 0 ? 0 : .max) : left)
    }
    public var hasPassed: Bool { clock.nanoseconds >= nanoseconds }
    /// Nanoseconds to go, zero or more.
    public var remaining: Int64 {
        let (left, overflow) = nanoseconds.subtractingReportingOverflow(clock.nanoseconds)
        return overflow ? (nanoseconds < 0 ? 0 : .max) : max(0, left)
    }
}
