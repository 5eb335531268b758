import HostOS
import LinuxABI
import Synchronization

/// Whom a lock belongs to.
public enum LockOwner: Hashable, Sendable {
    /// POSIX record locks: the process, that is its descriptor table.
    case process(ObjectIdentifier)
    /// flock(2) and open-file-description locks.
    case description(ObjectIdentifier)
    /// A process outside the sandbox.
    case outside

    public static func process(_ table: DescriptorTable) -> LockOwner { .process(ObjectIdentifier(table)) }
    public static func description(_ description: FileDescription) -> LockOwner { .description(ObjectIdentifier(description)) }
}

/// An advisory lock on a range of bytes: fcntl(2), "Advisory record locking".
public struct RecordLock: Sendable, Equatable {
    public var owner: LockOwner
    public var isExclusive: Bool
    public var start: Int64
    /// Last byte, inclusive; Int64.max: to the end of file however far it grows.
    public var end: Int64
    /// What F_GETLK reports: a process id, -1 for open-file-description locks.
    public var processID: Int32

    public init(owner: LockOwner, isExclusive: Bool, start: Int64, end: Int64, processID: Int32) {
        self.owner = owner
        self.isExclusive = isExclusive
        self.start = start
        self.end = end
        self.processID = processID
    }

    func overlaps(_ other: RecordLock) -> Bool { start <= other.end && other.start <= end }
    func conflicts(with other: RecordLock) -> Bool {
        owner != other.owner && (isExclusive || other.isExclusive) && overlaps(other)
    }
    /// Overlapping or directly neighbouring.
    func touches(_ other: RecordLock) -> Bool {
        let afterEnd = end == Int64.max ? end : end + 1
        let afterOther = other.end == Int64.max ? other.end : other.end + 1
        return start <= afterOther && other.start <= afterEnd
    }
}

/// The locks on one inode. Whole-file locks (flock(2)) and record locks do not see each other, as in Linux.
public final class FileLocks: Sendable {
    private struct WholeFileLock: Sendable {
        var owner: LockOwner
        var isExclusive: Bool
    }
    private struct State: Sendable {
        var records: [RecordLock] = []
        var whole: [WholeFileLock] = []
    }
    private let state = Mutex(State())
    /// Notified when a lock goes or weakens.
    private let released = WaitQueue()
    private struct Outside: Sendable {
        weak let locks: (any OutsideLocks)?
    }
    /// Other processes that may lock the file; it goes with the inode that holds this object.
    private let outside: Outside

    /// Nobody tells when a lock outside goes: whoever waits for one looks again after that many nanoseconds.
    private static let outsideInterval: Int64 = 5_000_000

    public init(outside: (any OutsideLocks)? = nil) { self.outside = Outside(locks: outside) }

    // MARK: record locks

    /// The lock that stands in the way of `lock`, nil when none does: F_GETLK.
    public func conflict(with lock: RecordLock) -> RecordLock? {
        if let found = conflictInside(with: lock) { return found }
        guard let outside = outside.locks else { return nil }
        outside.prepareLocks()
        defer { dropIfIdle(outside) }
        guard let found = outside.conflict(exclusive: lock.isExclusive, start: lock.start, end: lock.end) else { return nil }
        return Self.outsideLock(found.isExclusive, found.start, found.end)
    }

    /// As above, among the sandbox's own.
    func conflictInside(with lock: RecordLock) -> RecordLock? {
        state.withLock { state in state.records.first { $0.conflicts(with: lock) } }
    }

    private func dropIfIdle(_ outside: any OutsideLocks) {
        state.withLock { state in if state.records.isEmpty && state.whole.isEmpty { outside.dropLocks() } }
    }

    /// Process ids of the host mean nothing inside.
    private static func outsideLock(_ isExclusive: Bool, _ start: Int64, _ end: Int64) -> RecordLock {
        RecordLock(owner: .outside, isExclusive: isExclusive, start: start, end: end, processID: 0)
    }

    /// The first lock that the owner of `range` holds in it: F_OFD_GETLK with F_UNLCK.
    public func held(in range: RecordLock) -> RecordLock? {
        state.withLock { state in state.records.first { $0.owner == range.owner && $0.overlaps(range) } }
    }

    /// Every record lock, for /proc/locks.
    public var recordLocks: [RecordLock] { state.withLock { $0.records } }

    /// Sets `lock`, replacing what its owner holds in the range. Returns the lock in the way, nil when it was set.
    public func tryLock(_ lock: RecordLock) -> RecordLock? {
        let outside = outside.locks
        outside?.prepareLocks()
        let conflict: RecordLock? = state.withLock { state in
            if let conflict = state.records.first(where: { $0.conflicts(with: lock) }) { return conflict }
            if let outside, !Self.set(outside, lock, state) { return Self.outsideLock(lock.isExclusive, lock.start, lock.end) }
            Self.carve(lock, from: &state.records, merging: true)
            return nil
        }
        if conflict != nil, let outside { dropIfIdle(outside) }
        // An exclusive lock may have become a shared one.
        if conflict == nil && !lock.isExclusive { released.notify(.everything) }
        return conflict
    }

    /// Sets `lock`, waiting until it can be set.
    /// - Throws: EDEADLK when the owner waits, over others, for itself (POSIX locks only); ERESTARTSYS on a signal.
    public func lock(_ lock: RecordLock, caller: any Caller) throws(Errno) {
        let token = LockWaits.newToken()
        defer { LockWaits.end(token) }
        try wait(caller) { () throws(Errno) -> Bool in
            guard let conflict = tryLock(lock) else { return true }
            if case .process = lock.owner { try LockWaits.begin(token, lock, in: self, blockedBy: conflict.owner) }
            return false
        }
    }

    /// Waits until `attempt` succeeds. - Throws: ERESTARTSYS on a signal, and what `attempt` throws.
    private func wait(_ caller: any Caller, _ attempt: () throws(Errno) -> Bool) throws(Errno) {
        while true {
            do throws(Errno) {
                let deadline = outside.locks == nil ? nil : MonotonicInstant.after(nanoseconds: Self.outsideInterval)
                _ = try caller.wait(on: released, until: deadline) { () throws(Errno) -> Bool? in try attempt() ? true : nil }
                return
            } catch {
                guard error == .ETIMEDOUT else { throw error }
            }
        }
    }

    // MARK: outside

    /// Takes `lock` outside, whose owner is free to have it inside. Returns whether it could be had.
    private static func set(_ outside: any OutsideLocks, _ lock: RecordLock, _ state: State) -> Bool {
        switch outside.setRecords(lock.isExclusive ? .exclusive : .shared, start: lock.start, end: lock.end) {
        case .granted: return true
        case .refused: return false
        case .lost:
            guard restore(outside, state) else { return false }
            return outside.setRecords(lock.isExclusive ? .exclusive : .shared, start: lock.start, end: lock.end) == .granted
        }
    }

    /// Sets all again that is held inside.
    private static func restore(_ outside: any OutsideLocks, _ state: State) -> Bool {
        var isComplete = true
        for (kind, start, end) in segments(state.records, 0, Int64.max) where kind != .none {
            if outside.setRecords(kind, start: start, end: end) != .granted { isComplete = false }
        }
        let whole = OutsideLockKind.strongest(state.whole.map(\.isExclusive))
        if whole != .none, outside.setWhole(whole) != .granted { isComplete = false }
        return isComplete
    }

    /// Brings the outside in line with what is held inside of a range after something went.
    private static func weaken(_ outside: any OutsideLocks, _ start: Int64, _ end: Int64, _ state: State) {
        if state.records.isEmpty && state.whole.isEmpty { return outside.dropLocks() }
        for (kind, first, last) in segments(state.records, start, end) { _ = outside.setRecords(kind, start: first, end: last) }
    }

    /// The range in pieces, each with the strongest lock on it.
    private static func segments(_ records: [RecordLock], _ start: Int64, _ end: Int64) -> [(kind: OutsideLockKind, start: Int64, end: Int64)] {
        let inside = records.filter { $0.start <= end && start <= $0.end }
        var points = [start]
        for record in inside {
            if record.start > start { points.append(record.start) }
            if record.end < end { points.append(record.end + 1) }
        }
        points = Set(points).sorted()
        return points.indices.map { index in
            let first = points[index]
            let last = index + 1 < points.count ? points[index + 1] - 1 : end
            let kind = OutsideLockKind.strongest(inside.filter { $0.start <= first && last <= $0.end }.map(\.isExclusive))
            return (kind, first, last)
        }
    }

    public func unlock(owner: LockOwner, start: Int64, end: Int64) {
        let range = RecordLock(owner: owner, isExclusive: false, start: start, end: end, processID: 0)
        let outside = outside.locks
        let changed = state.withLock { state in
            guard state.records.contains(where: { $0.owner == owner && $0.overlaps(range) }) else { return false }
            Self.carve(range, from: &state.records, merging: false)
            if let outside { Self.weaken(outside, start, end, state) }
            return true
        }
        if changed { released.notify(.everything) }
    }

    /// Cuts the range out of what its owner holds; with `merging` puts it in as a lock, joined with neighbours of the same kind.
    static func carve(_ lock: RecordLock, from records: inout [RecordLock], merging: Bool) {
        var lock = lock
        var kept: [RecordLock] = []
        kept.reserveCapacity(records.count + 2)
        for other in records {
            guard other.owner == lock.owner else {
                kept.append(other)
                continue
            }
            if merging && other.isExclusive == lock.isExclusive && other.touches(lock) {
                lock.start = min(lock.start, other.start)
                lock.end = max(lock.end, other.end)
                continue
            }
            guard other.overlaps(lock) else {
                kept.append(other)
                continue
            }
            if other.start < lock.start {
                var left = other
                left.end = lock.start - 1
                kept.append(left)
            }
            if other.end > lock.end {
                var right = other
                right.start = lock.end + 1
                kept.append(right)
            }
        }
        if merging { kept.append(lock) }
        records = kept
    }

    // MARK: whole-file locks

    /// flock(2). A change of kind gives the old lock up first, as in Linux: when the new one cannot be had, the old one is lost.
    public func tryLockWhole(_ owner: LockOwner, exclusive: Bool) -> Bool {
        let outside = outside.locks
        outside?.prepareLocks()
        let (granted, gaveUp) = state.withLock { state in
            var gaveUp = false
            if let index = state.whole.firstIndex(where: { $0.owner == owner }) {
                if state.whole[index].isExclusive == exclusive { return (true, false) }
                state.whole.remove(at: index)
                gaveUp = true
            }
            if state.whole.contains(where: { exclusive || $0.isExclusive }) {
                if gaveUp, let outside { Self.weakenWhole(outside, state) }
                return (false, gaveUp)
            }
            if let outside, !Self.setWhole(outside, exclusive, state) {
                if gaveUp { Self.weakenWhole(outside, state) }
                return (false, gaveUp)
            }
            state.whole.append(WholeFileLock(owner: owner, isExclusive: exclusive))
            return (true, gaveUp)
        }
        if !granted, let outside { dropIfIdle(outside) }
        if gaveUp { released.notify(.everything) }
        return granted
    }

    private static func setWhole(_ outside: any OutsideLocks, _ exclusive: Bool, _ state: State) -> Bool {
        let kind = exclusive ? OutsideLockKind.exclusive : .shared
        switch outside.setWhole(kind) {
        case .granted: return true
        case .refused: return false
        case .lost: return restore(outside, state) && outside.setWhole(kind) == .granted
        }
    }

    private static func weakenWhole(_ outside: any OutsideLocks, _ state: State) {
        if state.records.isEmpty && state.whole.isEmpty { return outside.dropLocks() }
        _ = outside.setWhole(OutsideLockKind.strongest(state.whole.map(\.isExclusive)))
    }

    /// - Throws: ERESTARTSYS on a signal.
    public func lockWhole(_ owner: LockOwner, exclusive: Bool, caller: any Caller) throws(Errno) {
        try wait(caller) { () throws(Errno) -> Bool in tryLockWhole(owner, exclusive: exclusive) }
    }

    public func unlockWhole(_ owner: LockOwner) {
        let outside = outside.locks
        let changed = state.withLock { state in
            guard let index = state.whole.firstIndex(where: { $0.owner == owner }) else { return false }
            state.whole.remove(at: index)
            if let outside { Self.weakenWhole(outside, state) }
            return true
        }
        if changed { released.notify(.everything) }
    }

    // MARK: release with the owner

    /// A descriptor of this file was closed by the process.
    public func removeRecordLocks(of owner: LockOwner) { unlock(owner: owner, start: 0, end: Int64.max) }

    /// The description went away.
    func removeAll(of owner: LockOwner) {
        removeRecordLocks(of: owner)
        unlockWhole(owner)
    }
}
