import LinuxABI

/// When a timer expires and how often: the arithmetic of itimers, POSIX timers and timerfd. All in nanoseconds on the timer's clock.
public struct TimerSchedule: Sendable, Equatable {
    /// Nil when disarmed.
    public var expiry: Int64?
    /// 0 for a timer that fires once.
    public var interval: Int64 = 0
    public init() {}
    public init(expiry: Int64?, interval: Int64) {
        self.expiry = expiry
        self.interval = interval
    }

    /// From a setting: absolute, or relative to `now`. A zero value disarms.
    public init(_ setting: Itimerspec, isAbsolute: Bool, now: Int64) {
        let value = setting.value.totalNanoseconds
        if value == 0 { return }
        interval = setting.interval.totalNanoseconds
        expiry = isAbsolute ? value : Self.sum(now, value)
    }

    public func isDue(_ now: Int64) -> Bool { expiry.map { $0 <= now } ?? false }

    /// Moves the expiry past `now` in whole intervals: Linux's hrtimer_forward. Returns how many intervals it moved.
    public mutating func forward(past now: Int64) -> UInt64 {
        guard let old = expiry, interval > 0, old <= now else { return 0 }
        let (late, overflow) = now.subtractingReportingOverflow(old)
        let steps = UInt64(overflow ? Int64.max : late) / UInt64(interval) + 1
        let (distance, tooFar) = interval.multipliedReportingOverflow(by: Int64(truncatingIfNeeded: min(steps, UInt64(Int64.max))))
        expiry = tooFar ? Int64.max : Self.sum(old, distance)
        return steps
    }

    /// Nanoseconds until the next expiry of a periodic timer, or until the one of a single-shot timer (0 when it has passed).
    public func remaining(_ now: Int64) -> Int64 {
        guard expiry != nil else { return 0 }
        var next = self
        _ = next.forward(past: now)
        guard let expiry = next.expiry else { return 0 }
        let (left, overflow) = expiry.subtractingReportingOverflow(now)
        return overflow ? Int64.max : max(0, left)
    }

    static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? (b < 0 ? Int64.min : Int64.max) : sum
    }
}
