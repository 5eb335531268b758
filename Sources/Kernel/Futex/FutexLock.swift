import LinuxABI
import Memory
import Synchronization

/// A priority-inheritance futex that has waiters: Linux's futex_pi_state. Lives in its bucket.
struct FutexLock: Sendable {
    /// Nil between the owner's death and the hand-over.
    var owner: Task?
}

/// The contended priority-inheritance futexes that a task owns, so that its end can hand them over.
public final class FutexOwnership: Sendable {
    private struct State: Sendable {
        var keys: [FutexKey] = []
        /// The task has given its locks up for good: nobody may wait for it.
        var isClosed = false
    }
    private let state = Mutex(State())

    init() {}

    /// False when the task ended: the caller finds no owner.
    func add(_ key: FutexKey) -> Bool {
        state.withLock {
            if $0.isClosed { return false }
            $0.keys.append(key)
            return true
        }
    }
    func remove(_ key: FutexKey) {
        state.withLock { s in
            if let index = s.keys.firstIndex(of: key) { s.keys.remove(at: index) }
        }
    }
    func takeAll(close: Bool) -> [FutexKey] {
        state.withLock {
            let keys = $0.keys
            $0.keys = []
            if close { $0.isClosed = true }
            return keys
        }
    }
}
