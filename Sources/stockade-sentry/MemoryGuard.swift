import HostOS
import Kernel
import LinuxABI
import Memory

/// Keeps a container below its memory limit where the host has no control group that would: when the guest holds more, the process that
/// holds most is killed, as Linux's out-of-memory killer does. It looks the more often the less room is left, so that an idle container
/// with room costs one look a second.
struct MemoryGuard: Sendable {
    let kernel: SandboxKernel
    let limit: UInt64

    /// Bytes that a guest makes present in a nanosecond, at most.
    private static let fastestGrowth: UInt64 = 4
    private static let shortestPause: Int64 = 5_000_000
    private static let longestPause: Int64 = 1_000_000_000

    func start() throws(BootFailure) {
        try Boot.step("start a thread") { () throws(Errno) in try HostThread.start { watch() } }
    }

    private func watch() {
        while true {
            var held = kernel.memoryFile.committedBytes
            if held > limit {
                kernel.memoryFile.trim()
                held = kernel.memoryFile.committedBytes
            }
            if held > limit { killLargest() }
            let room = held < limit ? limit - held : 0
            let pause = min(max(Int64(clamping: room / Self.fastestGrowth), Self.shortestPause), Self.longestPause)
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: pause))
        }
    }

    /// Waits for its end, which gives the memory back.
    private func killLargest() {
        var victim: (group: ThreadGroup, weight: Int64)?
        for group in kernel.processes.threadGroups where group.exitStatus == nil && group.oomScoreAdjustment > -1000 {
            // As oom_badness(): a thousandth of the limit for each point of oom_score_adj.
            let share = Int64(clamping: limit / 1000) * Int64(group.oomScoreAdjustment)
            let weight = Int64(clamping: group.memory?.residentBytes ?? 0) &+ share
            if victim.map({ weight > $0.weight }) ?? true { victim = (group, weight) }
        }
        guard let group = victim?.group else { return }
        kernel.report("memory limit of \(limit) bytes exceeded: killing process \(group.id)")
        try? kernel.signalFromRuntime(.SIGKILL, to: group.id)
        let deadline = MonotonicInstant.after(nanoseconds: 2_000_000_000)
        while group.exitStatus == nil && MonotonicInstant.now < deadline { _ = HostPoll.waitReadable([], until: .after(nanoseconds: 2_000_000)) }
    }
}
