import HostOS
import LinuxABI
import Memory

/// One word of futex_waitv(2).
public struct FutexWaitRequest: Sendable {
    public var key: FutexKey
    public var address: GuestAddress
    public var value: UInt32
    public init(key: FutexKey, address: GuestAddress, value: UInt32) {
        self.key = key
        self.address = address
        self.value = value
    }
}

extension FutexTable {
    /// Sleeps until woken if the word at `address` is `value`.
    /// - Throws: EAGAIN when it is not, EFAULT, ETIMEDOUT, ERESTARTSYS.
    public func wait(
        _ current: CurrentTask, _ key: FutexKey, address: GuestAddress, value: UInt32, bitset: UInt32, deadline: FutexDeadline?
    ) throws(Errno) {
        let waiter = FutexWaiter(key: key, bitset: bitset, parker: current.parker)
        try withBucket(of: key) { bucket throws(Errno) in
            guard try current.memory.atomicLoad(address) == value else { throw .EAGAIN }
            bucket.waiters.append(waiter)
        }
        try sleep(current, waiter, deadline)
    }

    /// Sleeps until the waiter's outcome is known.
    /// - Throws: ETIMEDOUT or ERESTARTSYS after taking the waiter out; a wake-up that came first counts.
    func sleep(_ current: CurrentTask, _ waiter: FutexWaiter, _ deadline: FutexDeadline?) throws(Errno) {
        while waiter.outcome == .none {
            do throws(Errno) {
                try current.park(until: deadline?.instant)
            } catch {
                // A realtime deadline may have moved away with the clock.
                if error == .ETIMEDOUT, let deadline, !deadline.hasPassed { continue }
                if remove(waiter) { throw error }
                // Taken out by a waker, whose result is visible: `remove` took the same lock.
                return
            }
        }
    }

    /// futex_waitv(2): sleeps until one of the words is woken. Returns its index.
    /// - Throws: EAGAIN, EFAULT, ETIMEDOUT, ERESTARTSYS.
    public func waitAny(_ current: CurrentTask, _ requests: [FutexWaitRequest], deadline: FutexDeadline?) throws(Errno) -> Int {
        var waiters: [FutexWaiter] = []
        waiters.reserveCapacity(requests.count)
        for request in requests {
            let waiter = FutexWaiter(key: request.key, bitset: FutexWord.matchAny, parker: current.parker)
            do throws(Errno) {
                try withBucket(of: request.key) { bucket throws(Errno) in
                    guard try current.memory.atomicLoad(request.address) == request.value else { throw .EAGAIN }
                    bucket.waiters.append(waiter)
                }
            } catch {
                if let index = removeAll(waiters) { return index }
                throw error
            }
            waiters.append(waiter)
        }
        while !waiters.contains(where: { $0.outcome != .none }) {
            do throws(Errno) {
                try current.park(until: deadline?.instant)
            } catch {
                if error == .ETIMEDOUT, let deadline, !deadline.hasPassed { continue }
                if let index = removeAll(waiters) { return index }
                throw error
            }
        }
        return removeAll(waiters) ?? 0
    }

    /// Takes all out; the index of the last one that was woken, as Linux reports it.
    private func removeAll(_ waiters: [FutexWaiter]) -> Int? {
        var woken: Int?
        for (index, waiter) in waiters.enumerated() where !remove(waiter) { woken = index }
        return woken
    }
}

/// An absolute deadline on the clock that the caller chose.
public struct FutexDeadline: Sendable {
    public var time: ClockDeadline
    public init(_ time: ClockDeadline) { self.time = time }
    var instant: MonotonicInstant { time.instant }
    var hasPassed: Bool { time.hasPassed }
}
