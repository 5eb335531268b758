import HostOS
import LinuxABI
import Memory
import Synchronization

/// A task that waits on a futex word.
final class FutexWaiter: Sendable {
    enum Kind: Sendable {
        /// FUTEX_WAIT and kin.
        case plain
        /// FUTEX_LOCK_PI, or moved there by FUTEX_CMP_REQUEUE_PI: gets the lock handed over.
        case lock
        /// FUTEX_WAIT_REQUEUE_PI before it was moved.
        case requeueToLock
    }
    /// How the wait ended, as far as others decide.
    enum Outcome: Int, Sendable {
        case none = 0
        case woken
        /// The lock is the waiter's.
        case acquired
    }

    let parker: HostParker
    let task: Task?
    /// Where the word of a lock is, for whoever hands it over: the waiter's own address space and address.
    let lockMemory: AddressSpace?
    let lockAddress: GuestAddress
    let lockKey: FutexKey?
    let bitset: UInt32

    /// Changed under the lock of the bucket that holds the waiter (both buckets for a move), read there.
    private struct Place: Sendable {
        var key: FutexKey
        var kind: Kind
        var isQueued = true
    }
    private let place: Mutex<Place>
    private let index: Atomic<Int>
    private let result = Atomic<Int>(0)

    init(
        key: FutexKey, bitset: UInt32, parker: HostParker, task: Task? = nil, kind: Kind = .plain, lockMemory: AddressSpace? = nil,
        lockAddress: GuestAddress = .null, lockKey: FutexKey? = nil
    ) {
        self.bitset = bitset
        self.parker = parker
        self.task = task
        self.lockMemory = lockMemory
        self.lockAddress = lockAddress
        self.lockKey = lockKey
        place = Mutex(Place(key: key, kind: kind))
        index = Atomic(FutexTable.index(of: key))
    }

    var key: FutexKey { place.withLock { $0.key } }
    var kind: Kind { place.withLock { $0.kind } }
    var isQueued: Bool { place.withLock { $0.isQueued } }
    var bucketIndex: Int { index.load(ordering: .acquiring) }
    var outcome: Outcome { Outcome(rawValue: result.load(ordering: .acquiring)) ?? .none }

    /// Both buckets' locks held.
    func move(to key: FutexKey, kind: Kind? = nil) {
        place.withLock {
            $0.key = key
            if let kind { $0.kind = kind }
        }
        index.store(FutexTable.index(of: key), ordering: .releasing)
    }
    /// The bucket's lock held; the waiter is out of its list.
    func leave(_ outcome: Outcome) {
        place.withLock { $0.isQueued = false }
        result.store(outcome.rawValue, ordering: .releasing)
    }
}

/// Waiters taken out under a bucket lock, to be woken after it is given up. The first needs no allocation.
struct WakeList {
    private var first: FutexWaiter?
    private var rest: [FutexWaiter] = []
    private(set) var count = 0

    /// The bucket's lock held.
    mutating func append(_ waiter: FutexWaiter, _ outcome: FutexWaiter.Outcome) {
        waiter.leave(outcome)
        if first == nil { first = waiter } else { rest.append(waiter) }
        count += 1
    }
    /// Wakes all; returns how many.
    func wake() -> Int {
        first?.parker.wake()
        for waiter in rest { waiter.parker.wake() }
        return count
    }
}
