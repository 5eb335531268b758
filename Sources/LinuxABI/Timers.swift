/// `struct itimerspec` (timer_settime(2), timerfd_create(2)), 32 bytes.
public struct Itimerspec: GuestData, Hashable {
    public var interval = Timespec()
    public var value = Timespec()
    public init() {}
    public init(interval: Timespec, value: Timespec) {
        self.interval = interval
        self.value = value
    }
    public var isValid: Bool { interval.isValid && value.isValid }
}

/// `struct itimerval` (getitimer(2)), 32 bytes.
public struct Itimerval: GuestData, Hashable {
    public var interval = Timeval()
    public var value = Timeval()
    public init() {}
    public init(interval: Timeval, value: Timeval) {
        self.interval = interval
        self.value = value
    }
}

extension Timeval {
    /// Microseconds in range, not before zero.
    public var isValid: Bool { seconds >= 0 && microseconds >= 0 && microseconds < 1_000_000 }
    /// All in nanoseconds, saturating.
    public var totalNanoseconds: Int64 {
        Timespec(seconds: seconds, nanoseconds: microseconds.multipliedReportingOverflow(by: 1000).partialValue).totalNanoseconds
    }
}

/// `struct sigevent` as the kernel reads it (sigevent(3type)), 64 bytes.
public struct SignalEvent: GuestData {
    public var value: UInt64 = 0
    public var signo: Int32 = 0
    public var notify: Int32 = 0
    /// sigev_notify_thread_id, the start of the union.
    public var threadID: Int32 = 0
    public var padding0: Int32 = 0
    public var padding: (UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0)
    public init() {}

    public static let signal: Int32 = 0
    public static let none: Int32 = 1
    public static let thread: Int32 = 2
    public static let threadID: Int32 = 4
}

/// Clock identifiers of clock_gettime(2).
public enum ClockID {
    public static let realtime: Int32 = 0
    public static let monotonic: Int32 = 1
    public static let processCPU: Int32 = 2
    public static let threadCPU: Int32 = 3
    public static let monotonicRaw: Int32 = 4
    public static let realtimeCoarse: Int32 = 5
    public static let monotonicCoarse: Int32 = 6
    public static let boottime: Int32 = 7
    public static let realtimeAlarm: Int32 = 8
    public static let boottimeAlarm: Int32 = 9
    public static let tai: Int32 = 11
}

/// `struct timezone` of gettimeofday(2).
public struct Timezone: GuestData {
    public var minutesWest: Int32 = 0
    public var daylightSaving: Int32 = 0
    public init() {}
}

/// `struct tms` of times(2), in clock ticks of 10 ms.
public struct ProcessTimes: GuestData {
    public var user: Int64 = 0
    public var system: Int64 = 0
    public var childUser: Int64 = 0
    public var childSystem: Int64 = 0
    public init() {}
    /// USER_HZ.
    public static let ticksPerSecond: Int64 = 100
    public static let nanosecondsPerTick: Int64 = 10_000_000
}

/// `struct timex` of adjtimex(2), 208 bytes.
public struct Timex: GuestData {
    public var modes: UInt32 = 0
    public var padding0: UInt32 = 0
    public var offset: Int64 = 0
    public var frequency: Int64 = 0
    public var maximumError: Int64 = 0
    public var estimatedError: Int64 = 0
    public var status: Int32 = 0
    public var padding1: Int32 = 0
    public var constant: Int64 = 0
    public var precision: Int64 = 0
    public var tolerance: Int64 = 0
    public var time = Timeval()
    public var tick: Int64 = 0
    public var ppsFrequency: Int64 = 0
    public var jitter: Int64 = 0
    public var shift: Int32 = 0
    public var padding2: Int32 = 0
    public var stability: Int64 = 0
    public var jitterCount: Int64 = 0
    public var calibrationCount: Int64 = 0
    public var errorCount: Int64 = 0
    public var stabilityCount: Int64 = 0
    public var tai: Int32 = 0
    public var padding3: (Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    public init() {}

    public static let ADJ_OFFSET_SINGLESHOT: UInt32 = 0x0001
    public static let ADJ_OFFSET_READONLY: UInt32 = 0x2000
    public static let ADJ_ADJTIME: UInt32 = 0x8000
}
