import Synchronization

/// Counts per real user ID that resource limits bound: tasks (RLIMIT_NPROC) and queued signals (RLIMIT_SIGPENDING).
public final class UserCounts: Sendable {
    private let counts = Mutex<[UInt32: Int]>([:])
    public init() {}

    public func value(_ uid: UInt32) -> Int { counts.withLock { $0[uid] ?? 0 } }
    public func add(_ uid: UInt32) { counts.withLock { $0[uid, default: 0] += 1 } }
    /// Counts one more unless that exceeds `limit`.
    public func add(_ uid: UInt32, limit: UInt64) -> Bool {
        counts.withLock {
            let now = $0[uid] ?? 0
            if UInt64(now) >= limit { return false }
            $0[uid] = now + 1
            return true
        }
    }
    public func remove(_ uid: UInt32) {
        counts.withLock {
            let now = $0[uid] ?? 0
            if now <= 1 { $0[uid] = nil } else { $0[uid] = now - 1 }
        }
    }
}

/// How many tasks use a shared object (address space, descriptor table): the last one tears it down, whoever else still holds a
/// reference.
public final class UseCounts: Sendable {
    private let counts = Mutex<[ObjectIdentifier: Int]>([:])
    public init() {}

    public func retain(_ object: some AnyObject) { counts.withLock { $0[ObjectIdentifier(object), default: 0] += 1 } }
    /// Whether that was the last use.
    public func release(_ object: some AnyObject) -> Bool {
        counts.withLock {
            let id = ObjectIdentifier(object)
            let now = $0[id] ?? 0
            if now <= 1 {
                $0[id] = nil
                return true
            }
            $0[id] = now - 1
            return false
        }
    }
    public func count(_ object: some AnyObject) -> Int { counts.withLock { $0[ObjectIdentifier(object)] ?? 0 } }
}
