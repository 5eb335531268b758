/// What the sandbox as a whole holds of a file that processes outside may lock too.
public enum OutsideLockKind: Int16, Sendable {
    // F_RDLCK, F_WRLCK, F_UNLCK.
    case shared = 0
    case exclusive = 1
    case none = 2

    static func strongest(_ kinds: some Sequence<Bool>) -> OutsideLockKind {
        var result = OutsideLockKind.none
        for isExclusive in kinds {
            if isExclusive { return .exclusive }
            result = .shared
        }
        return result
    }
}

public enum OutsideLockResult: Sendable {
    case granted
    case refused
    /// All that was held before is lost, to make room for a stronger lock: set it again.
    case lost
}

/// The locks of processes outside the sandbox on one file: of the host, on a shared mount. Nothing here waits.
public protocol OutsideLocks: AnyObject, Sendable {
    /// Before locks are set: may ask the host. Called without locks held.
    func prepareLocks()
    /// Sets what the sandbox holds of the bytes `start` to `end`; `end` is Int64.max for all that follow.
    func setRecords(_ kind: OutsideLockKind, start: Int64, end: Int64) -> OutsideLockResult
    func setWhole(_ kind: OutsideLockKind) -> OutsideLockResult
    /// Somebody's lock outside that stands in the way: its kind, first and last byte.
    func conflict(exclusive: Bool, start: Int64, end: Int64) -> (isExclusive: Bool, start: Int64, end: Int64)?
    /// The sandbox holds no lock any more.
    func dropLocks()
}
