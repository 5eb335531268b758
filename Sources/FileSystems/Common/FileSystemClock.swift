import HostOS
import LinuxABI

/// The clock of file timestamps: the coarse wall clock, as Linux's current_time() uses.
enum FileSystemClock {
    static var now: Timespec { HostClock.realtimeCoarse.timespec }
}

extension Timespec {
    static func isEarlier(_ a: Timespec, _ b: Timespec) -> Bool {
        a.seconds != b.seconds ? a.seconds < b.seconds : a.nanoseconds < b.nanoseconds
    }
}
