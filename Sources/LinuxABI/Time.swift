/// `struct timespec` (timespec(3type)).
public struct Timespec: GuestData, Hashable {
    public var seconds: Int64
    public var nanoseconds: Int64

    public init() { self.init(seconds: 0, nanoseconds: 0) }
    public init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
    /// From a count of nanoseconds, zero or more.
    public init(nanoseconds total: Int64) {
        self.init(seconds: total / 1_000_000_000, nanoseconds: total % 1_000_000_000)
    }
    /// Linux's timespec64_valid.
    public var isValid: Bool { seconds >= 0 && nanoseconds >= 0 && nanoseconds < 1_000_000_000 }
    /// All in nanoseconds, saturating at Int64.max as ktime_t does.
    public var totalNanoseconds: Int64 {
        let (product, o1) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if o1 { return seconds < 0 ? Int64.min : Int64.max }
        let (sum, o2) = product.addingReportingOverflow(nanoseconds)
        return o2 ? Int64.max : sum
    }
}

/// `struct timeval` (timeval(3type)).
public struct Timeval: GuestData, Hashable {
    public var seconds: Int64
    public var microseconds: Int64

    public init() { self.init(seconds: 0, microseconds: 0) }
    public init(seconds: Int64, microseconds: Int64) {
        self.seconds = seconds
        self.microseconds = microseconds
    }
    public init(nanoseconds total: Int64) {
        self.init(seconds: total / 1_000_000_000, microseconds: total % 1_000_000_000 / 1000)
    }
}
