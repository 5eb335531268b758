import CHost
import LinuxABI

/// Processors of the host.
public enum HostAffinity {
    /// The one the caller runs on.
    public static var current: Int32 { chost_current_cpu() }
    /// Restricts the calling thread to one processor.
    /// - Throws: EINVAL when it may not run there (sched_setaffinity(2)).
    public static func pin(to processor: Int32) throws(Errno) { if chost_bind_to_cpu(0, processor) != 0 { throw .EINVAL } }

    /// Runs `body` on the caller's processor only: whoever wakes the thread meanwhile from there leaves it there. The host's scheduler likes
    /// to wake a thread on an idle processor, which takes many times longer (DESIGN §1).
    public static func staying<R>(_ body: () -> R) -> R {
        var before = chost_affinity()
        // SAFETY: the callee stores where the thread may run.
        let isBound = unsafe chost_stay_here(&before) != 0
        // SAFETY: it is only read.
        defer { if isBound { unsafe chost_allow_processors(&before) } }
        return body()
    }
}
