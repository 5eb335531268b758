import LinuxABI
import Synchronization

/// Who waits for a POSIX record lock, over all files: for EDEADLK.
///
/// What a waiter waits for is asked anew each time. A waiter whose lock has become free, or who has it already, still stands here until
/// its thread has run; a deadlock found over it would be none.
enum LockWaits {
    private struct Wait {
        let token: UInt64
        let request: RecordLock
        let locks: FileLocks
    }
    private struct State {
        var waits: [Wait] = []
        var nextToken: UInt64 = 1

        /// Whoever `owner` waits for now.
        func blockers(of owner: LockOwner) -> [LockOwner] {
            waits.filter { $0.request.owner == owner }.compactMap { $0.locks.conflictInside(with: $0.request)?.owner }
        }
    }
    private static let state = Mutex(State())

    static func newToken() -> UInt64 {
        state.withLock {
            $0.nextToken += 1
            return $0.nextToken
        }
    }

    /// Enters the wait for `request`, which a lock of `blocker` stands in the way of.
    /// - Throws: EDEADLK when `blocker`, directly or over others, waits for the owner of `request`.
    static func begin(_ token: UInt64, _ request: RecordLock, in locks: FileLocks, blockedBy blocker: LockOwner) throws(Errno) {
        try state.withLock { state throws(Errno) in
            var seen: Set<LockOwner> = []
            var open = [blocker]
            while let next = open.popLast() {
                if next == request.owner { throw .EDEADLK }
                if seen.insert(next).inserted { open += state.blockers(of: next) }
            }
            state.waits.removeAll { $0.token == token }
            state.waits.append(Wait(token: token, request: request, locks: locks))
        }
    }

    static func end(_ token: UInt64) {
        state.withLock { $0.waits.removeAll { $0.token == token } }
    }
}
