import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// When system calls are handed over in shared memory.
public enum FastPathUse: Sendable {
    case never, whereItPays
    /// Wherever it can be done, however dear: for tests.
    case always
}

/// What all guest threads of a sandbox share of the fast path.
final class FastPath: Sendable {
    /// Blocks of sites end here: guests map from here on.
    static let lowestAddress = GuestAddress(UInt64(CSTUB_SITES) + UInt64(CSTUB_SITES_SIZE))
    static let labels = cstub_fast_labels()

    /// Pairs of task thread and guest thread that may still spin: each keeps two processors busy.
    private let free: Atomic<Int>
    /// Guest threads that do not sleep in a call.
    private let running = Atomic<Int>(0)
    private let limit: Int

    let isEager: Bool

    /// Nil where two threads cannot spin for each other.
    init?(isEager: Bool) {
        var list = [Int32](repeating: 0, count: 1024)
        // SAFETY: the buffer holds 1024 entries.
        let count = unsafe list.withUnsafeMutableBufferPointer { unsafe chost_allowed_cpus($0.baseAddress!, 1024) }
        guard count >= 2 else { return nil }
        limit = Int(count) / 2
        free = Atomic(limit)
        self.isEager = isEager
    }

    func threadWakes() { running.add(1, ordering: .relaxed) }
    func threadSleeps() { running.subtract(1, ordering: .relaxed) }
    /// Guest threads of this sandbox want the processors that pairs would take.
    var isCrowded: Bool { !isEager && running.load(ordering: .relaxed) > limit }

    func takePair() -> Bool {
        guard !isCrowded, free.load(ordering: .relaxed) > 0 else { return false }
        if free.subtract(1, ordering: .relaxed).newValue >= 0 { return true }
        free.add(1, ordering: .relaxed)
        return false
    }
    func returnPair() { free.add(1, ordering: .relaxed) }
}
