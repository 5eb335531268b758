import Glibc
import LinuxABI

extension HostThread {
    /// CPU time in nanoseconds of the thread `id` of this process; 0 when it has ended. clock_gettime(2) on the clock that
    /// pthread_getcpuclockid(3) makes of a thread ID.
    public static func processorTime(of id: Int32) -> Int64 {
        var value = Glibc.timespec()
        // SAFETY: `value` is a live local for the duration of the call.
        guard unsafe clock_gettime(clockid_t((~id << 3) | 6), &value) == 0 else { return 0 }
        return Timespec(seconds: Int64(value.tv_sec), nanoseconds: Int64(value.tv_nsec)).totalNanoseconds
    }
}
