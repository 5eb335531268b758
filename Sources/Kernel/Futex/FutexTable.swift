import HostOS
import LinuxABI
import Memory

/// Waiters on guest words: futex(2).
///
/// Words hash to buckets. A waiter compares the word and queues itself under the bucket's lock, and whoever wakes takes that lock too,
/// so no wake-up falls between comparison and queue. Priority-inheritance futexes hand the lock over directly: the waker writes the next
/// owner's thread ID into the word.
///
/// Lock order: bucket locks (two of them in order of index), then a task's `FutexOwnership`, then address-space locks.
public final class FutexTable: Sendable {
    final class Bucket: Sendable {
        struct State: Sendable {
            /// In order of arrival.
            var waiters: [FutexWaiter] = []
            /// Priority-inheritance futexes that have waiters.
            var locks: [FutexKey: FutexLock] = [:]
        }
        let state = HostMutex(State())
    }

    private static let bucketCount = 256
    private let buckets: [Bucket]

    public init() {
        buckets = (0..<Self.bucketCount).map { _ in Bucket() }
    }

    /// A cheap hash: private keys share one object and differ in address, shared ones differ in both.
    static func index(of key: FutexKey) -> Int {
        var h = UInt64(UInt(bitPattern: key.object)) ^ (key.offset >> 2)
        h = h &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: h >> 56)
    }
    func bucket(_ index: Int) -> Bucket { buckets[index] }

    func withBucket<R, E: Error>(of key: FutexKey, _ body: (inout Bucket.State) throws(E) -> R) throws(E) -> R {
        try buckets[Self.index(of: key)].state.withLock { s throws(E) in try body(&s) }
    }

    /// Runs `body` with the locks of both buckets. When both keys share a bucket, `body` gets nil for the second: use the first.
    func withBuckets<R, E: Error>(
        _ first: FutexKey, _ second: FutexKey, _ body: (inout TwoBuckets) throws(E) -> R
    ) throws(E) -> R {
        let i = Self.index(of: first)
        let j = Self.index(of: second)
        if i == j {
            return try buckets[i].state.withLock { s throws(E) in
                var pair = TwoBuckets(first: s, second: nil)
                // Taken out and put back, so that arrays stay uniquely referenced.
                s = Bucket.State()
                defer { s = pair.first }
                return try body(&pair)
            }
        }
        let (low, high) = i < j ? (i, j) : (j, i)
        return try buckets[low].state.withLock { a throws(E) in
            try buckets[high].state.withLock { b throws(E) in
                var pair = i < j ? TwoBuckets(first: a, second: b) : TwoBuckets(first: b, second: a)
                a = Bucket.State()
                b = Bucket.State()
                defer {
                    if i < j {
                        a = pair.first
                        b = pair.second ?? Bucket.State()
                    } else {
                        b = pair.first
                        a = pair.second ?? Bucket.State()
                    }
                }
                return try body(&pair)
            }
        }
    }

    struct TwoBuckets {
        var first: Bucket.State
        /// Nil when both keys fall into one bucket.
        var second: Bucket.State?

        mutating func withSecond<R, E: Error>(_ body: (inout Bucket.State) throws(E) -> R) throws(E) -> R {
            if second == nil { return try body(&first) }
            return try body(&second!)
        }
    }

    // MARK: waking

    /// Wakes up to `count` waiters of `key` whose bitset meets `bitset`. Returns how many.
    @discardableResult
    public func wake(_ key: FutexKey, count: Int, bitset: UInt32 = FutexWord.matchAny) -> Int {
        guard count > 0 else { return 0 }
        var woken = WakeList()
        withBucket(of: key) { bucket in
            _ = try? bucket.take(key, count: count, bitset: bitset, into: &woken)
        }
        return woken.wake()
    }

    /// FUTEX_WAKE. - Throws: EINVAL when a waiter waits for a priority-inheritance lock.
    public func wakeChecked(_ key: FutexKey, count: Int, bitset: UInt32) throws(Errno) -> Int {
        var woken = WakeList()
        do throws(Errno) {
            try withBucket(of: key) { bucket throws(Errno) in
                try bucket.take(key, count: count, bitset: bitset, into: &woken)
            }
        } catch {
            _ = woken.wake()
            throw error
        }
        return woken.wake()
    }

    /// FUTEX_WAKE_OP: changes the second word, wakes `count` waiters of the first, and `count2` of the second when its old value
    /// satisfies the comparison.
    /// - Throws: EFAULT, EINVAL, ENOSYS for unknown operations.
    public func wakeOp(
        _ key: FutexKey, _ key2: FutexKey, memory: AddressSpace, address2: GuestAddress, count: Int, count2: Int,
        operation: FutexWakeOperation
    ) throws(Errno) -> Int {
        guard operation.operation != nil else { throw .ENOSYS }
        var woken = WakeList()
        do throws(Errno) {
            try withBuckets(key, key2) { pair throws(Errno) in
                var old = try memory.atomicLoad(address2)
                while true {
                    let found = try memory.atomicCompareExchange(address2, expected: old, desired: operation.applied(to: old))
                    if found == old { break }
                    old = found
                }
                guard operation.comparison != nil else { throw .ENOSYS }
                try pair.first.take(key, count: count, bitset: FutexWord.matchAny, into: &woken)
                if operation.matches(old) {
                    try pair.withSecond { bucket throws(Errno) in
                        try bucket.take(key2, count: count2, bitset: FutexWord.matchAny, into: &woken)
                    }
                }
            }
        } catch {
            _ = woken.wake()
            throw error
        }
        return woken.wake()
    }

    /// FUTEX_REQUEUE and FUTEX_CMP_REQUEUE: wakes `wakeCount` waiters of `key` and moves up to `requeueCount` more to `target`. With
    /// `expected`, only when the word at `address` has that value.
    /// - Returns: waiters woken and moved. - Throws: EAGAIN, EFAULT, EINVAL.
    public func requeue(
        _ key: FutexKey, to target: FutexKey, wakeCount: Int, requeueCount: Int,
        expecting: (memory: AddressSpace, address: GuestAddress, value: UInt32)?
    ) throws(Errno) -> Int {
        var woken = WakeList()
        var total = 0
        do throws(Errno) {
            try withBuckets(key, target) { pair throws(Errno) in
                if let expecting {
                    guard try expecting.memory.atomicLoad(expecting.address) == expecting.value else { throw .EAGAIN }
                }
                var index = 0
                while index < pair.first.waiters.count {
                    if total - wakeCount >= requeueCount { break }
                    let waiter = pair.first.waiters[index]
                    guard waiter.key == key else {
                        index += 1
                        continue
                    }
                    if waiter.kind != .plain { throw .EINVAL }
                    total += 1
                    if total <= wakeCount {
                        pair.first.waiters.remove(at: index)
                        woken.append(waiter, .woken)
                    } else if key == target {
                        index += 1
                    } else {
                        // Appended behind those of its new key; within one bucket the loop meets it again under that key and skips it.
                        pair.first.waiters.remove(at: index)
                        waiter.move(to: target)
                        pair.withSecond { $0.waiters.append(waiter) }
                    }
                }
            }
        } catch {
            _ = woken.wake()
            throw error
        }
        _ = woken.wake()
        return total
    }

    // MARK: leaving

    /// Takes a waiter out of whatever bucket it is in now. False when somebody took it out before: it was woken.
    func remove(_ waiter: FutexWaiter) -> Bool {
        while true {
            let index = waiter.bucketIndex
            let removed = buckets[index].state.withLock { state -> Bool? in
                guard waiter.bucketIndex == index else { return nil }
                guard waiter.isQueued else { return false }
                state.remove(waiter)
                waiter.leave(.none)
                return true
            }
            if let removed { return removed }
        }
    }
}

extension FutexTable.Bucket.State {
    /// Takes waiters of `key` out for waking. - Throws: EINVAL at a waiter of another kind.
    mutating func take(_ key: FutexKey, count: Int, bitset: UInt32, into list: inout WakeList) throws(Errno) {
        guard count > 0, !waiters.isEmpty else { return }
        var taken = 0
        var index = 0
        while index < waiters.count && taken < count {
            let waiter = waiters[index]
            guard waiter.key == key else {
                index += 1
                continue
            }
            if waiter.kind != .plain { throw .EINVAL }
            guard waiter.bitset & bitset != 0 else {
                index += 1
                continue
            }
            waiters.remove(at: index)
            list.append(waiter, .woken)
            taken += 1
        }
    }

    mutating func remove(_ waiter: FutexWaiter) {
        if let index = waiters.firstIndex(where: { $0 === waiter }) { waiters.remove(at: index) }
        dropIdleLock(waiter.key)
    }

    /// The first waiter of any kind.
    func top(_ key: FutexKey) -> FutexWaiter? { waiters.first { $0.key == key } }
    /// Waiters of a priority-inheritance lock.
    func hasLockWaiters(_ key: FutexKey) -> Bool { waiters.contains { $0.key == key && $0.kind == .lock } }

    /// Forgets the lock record of `key` when nobody waits for it.
    mutating func dropIdleLock(_ key: FutexKey) {
        guard let lock = locks[key], !hasLockWaiters(key) else { return }
        locks[key] = nil
        lock.owner?.futexOwnership.remove(key)
    }
}
