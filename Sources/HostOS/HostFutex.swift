import CHost
import Glibc
import LinuxABI


/// A point in time on CLOCK_MONOTONIC, in nanoseconds.
public struct MonotonicInstant: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

    public static var now: MonotonicInstant { MonotonicInstant(nanoseconds: HostClock.monotonic.nanoseconds) }
    /// `interval` nanoseconds from now, saturating.
    public static func after(nanoseconds interval: Int64) -> MonotonicInstant {
        let (sum, overflow) = now.nanoseconds.addingReportingOverflow(max(0, interval))
        return MonotonicInstant(nanoseconds: overflow ? Int64.max : sum)
    }
}

/// Host clocks, read through the vDSO.
public enum HostClock: Int32, Sendable {
    case realtime = 0
    case monotonic = 1
    case processCPU = 2
    case threadCPU = 3
    case monotonicRaw = 4
    case realtimeCoarse = 5
    case monotonicCoarse = 6
    case boottime = 7
    case tai = 11

    public var timespec: Timespec {
        var value = Glibc.timespec()
        // SAFETY: `value` is a live local for the duration of the call.
        _ = unsafe clock_gettime(rawValue, &value)
        return Timespec(seconds: Int64(value.tv_sec), nanoseconds: Int64(value.tv_nsec))
    }
    public var nanoseconds: Int64 { timespec.totalNanoseconds }
}

/// One thread's parking place: a token that `wake` leaves and `park` takes. A wake before the park is not lost.
@safe public final class HostParker: Sendable {
    // SAFETY: only the C functions below touch the word, atomically.
    private nonisolated(unsafe) let word = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)

    public init() { unsafe word.initialize(to: 0) }
    // SAFETY: allocated in init, freed once here; no thread can hold the object any more.
    deinit { unsafe word.deallocate() }

    /// Leaves a token and wakes the owner if it is parked. Any thread.
    public func wake() { unsafe chost_parker_wake(word) }

    /// Takes the token, waiting for it until `deadline`. Returns false when the deadline passed first. Owner thread only.
    @discardableResult
    public func park(until deadline: MonotonicInstant?) -> Bool {
        unsafe chost_parker_park(word, deadline?.nanoseconds ?? -1) != 0
    }
}
