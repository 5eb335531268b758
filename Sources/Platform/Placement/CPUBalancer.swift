import CHost
import HostOS
import LinuxABI
import Synchronization

/// Places pairs of task thread and guest thread on CPUs. A pair hands control to and fro all the time, which is cheap on one CPU and very
/// dear across two, so both are bound to the same one; this type spreads the pairs and moves them rarely (DESIGN §3).
///
/// A pair counts while it runs guest code or kernel code and not while its task sleeps. It is placed on the CPU with the fewest when it is
/// made and when it wakes; when a CPU's last pair goes to sleep, one is pulled from a CPU that has several, so that threads that compute
/// without system calls spread too.
final class CPUBalancer: Sendable {
    /// A pair's entry. The threads are named by host thread id.
    final class Pair: Sendable {
        fileprivate let taskThread: Int32
        fileprivate let guestThread: Int32
        fileprivate let slot: Mutex<Int?>
        init(taskThread: Int32, guestThread: Int32) {
            self.taskThread = taskThread
            self.guestThread = guestThread
            slot = Mutex(nil)
        }
    }

    private let cpus: [Int32]
    private let running: Mutex<[[Pair]]>

    init() {
        var list = [Int32](repeating: 0, count: 1024)
        // SAFETY: the buffer holds 1024 entries.
        let count = unsafe list.withUnsafeMutableBufferPointer { unsafe chost_allowed_cpus($0.baseAddress!, 1024) }
        cpus = count > 0 ? Array(list.prefix(Int(count))) : [0]
        running = Mutex(Array(repeating: [], count: cpus.count))
    }

    /// The pair runs (again): chooses its CPU.
    func start(_ pair: Pair, previous: Int? = nil) {
        running.withLock { running in
            let last = pair.slot.withLock { $0 }
            var best = last ?? running.indices.min { running[$0].count < running[$1].count } ?? 0
            for index in running.indices where running[index].count < running[best].count { best = index }
            running[best].append(pair)
            if best != last { bind(pair, to: best) }
        }
    }

    /// The pair sleeps or ends.
    func stop(_ pair: Pair) {
        running.withLock { running in
            guard let index = pair.slot.withLock({ $0 }) else { return }
            running[index].removeAll { $0 === pair }
            guard running[index].isEmpty else { return }
            guard let busiest = running.indices.max(by: { running[$0].count < running[$1].count }), running[busiest].count > 1 else { return }
            let moved = running[busiest].removeFirst()
            running[index].append(moved)
            bind(moved, to: index)
        }
    }

    private func bind(_ pair: Pair, to index: Int) {
        pair.slot.withLock { $0 = index }
        _ = chost_bind_to_cpu(pair.guestThread, cpus[index])
        _ = chost_bind_to_cpu(pair.taskThread, cpus[index])
    }
}
