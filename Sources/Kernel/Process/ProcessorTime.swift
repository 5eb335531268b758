import HostOS
import Synchronization

/// CPU time of one task. Time in guest code is the time between entering and leaving it (guest code never sleeps, save where the
/// host takes the CPU away); time in the kernel is the CPU time of the task thread.
final class ProcessorTime: Sendable {
    private let user = Atomic<Int64>(0)
    private let system = Atomic<Int64>(0)
    /// When guest code was entered; 0 outside.
    private let entered = Atomic<Int64>(0)
    private let sleeps = Atomic<UInt64>(0)

    func enterGuest() { entered.store(MonotonicInstant.now.nanoseconds, ordering: .relaxed) }
    func leaveGuest() {
        let start = entered.exchange(0, ordering: .relaxed)
        user.store(user.load(ordering: .relaxed) &+ (MonotonicInstant.now.nanoseconds &- start), ordering: .relaxed)
    }
    /// When guest code was entered last; 0 outside. Two different values have a stay in the kernel between them.
    var entry: Int64 { entered.load(ordering: .sequentiallyConsistent) }
    func countSleep() { sleeps.store(sleeps.load(ordering: .relaxed) &+ 1, ordering: .relaxed) }
    /// The task thread is about to end: keep its CPU time. Task thread only.
    func finish() { system.store(HostClock.threadCPU.nanoseconds, ordering: .relaxed) }

    func usage(hostThread: Int32) -> ResourceUsage {
        var usage = ResourceUsage()
        let start = entered.load(ordering: .relaxed)
        usage.user = user.load(ordering: .relaxed) &+ (start == 0 ? 0 : max(0, MonotonicInstant.now.nanoseconds &- start))
        let kept = system.load(ordering: .relaxed)
        usage.system = kept != 0 || hostThread == 0 ? kept : HostThread.processorTime(of: hostThread)
        usage.voluntarySwitches = sleeps.load(ordering: .relaxed)
        return usage
    }
}
