import HostOS
import LinuxABI
import Memory

// Priority-inheritance futexes: FUTEX_LOCK_PI and kin (futex(2), "Priority-inheritance futexes"). Owners are not boosted: the host
// schedules guest threads.

extension FutexTable {
    /// What an attempt to take a lock came to.
    private enum Attempt {
        case acquired
        case mustWait
        /// The word changed under way.
        case again
    }

    /// FUTEX_LOCK_PI, FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI.
    /// - Throws: EDEADLK when the caller owns it, ESRCH when its owner does not exist, EINVAL when word and waiters disagree, EAGAIN
    ///   for a failed try, EFAULT, ETIMEDOUT, ERESTARTNOINTR.
    public func lock(
        _ current: CurrentTask, _ key: FutexKey, address: GuestAddress, deadline: FutexDeadline?, isTry: Bool
    ) throws(Errno) {
        let waiter = FutexWaiter(
            key: key, bitset: FutexWord.matchAny, parker: current.parker, task: current.task, kind: .lock, lockMemory: current.memory,
            lockAddress: address, lockKey: key)
        let task = current.task
        let memory = current.memory
        while true {
            let attempt = try withBucket(of: key) { bucket throws(Errno) in
                let attempt = try tryAcquire(&bucket, key, task, memory, address, keepsWaitersBit: false)
                if case .mustWait = attempt {
                    if isTry {
                        bucket.dropIdleLock(key)
                    } else {
                        bucket.waiters.append(waiter)
                    }
                }
                return attempt
            }
            switch attempt {
            case .acquired: return
            case .again: continue
            case .mustWait: break
            }
            if isTry { throw .EAGAIN }
            do throws(Errno) {
                try sleep(current, waiter, deadline)
            } catch {
                throw error == .ERESTARTSYS ? .ERESTARTNOINTR : error
            }
            return
        }
    }

    /// Linux's futex_lock_pi_atomic: takes a free lock for `task`, or marks it contended and finds its owner. Bucket lock held.
    private func tryAcquire(
        _ bucket: inout Bucket.State, _ key: FutexKey, _ task: Task, _ memory: AddressSpace, _ address: GuestAddress,
        keepsWaitersBit: Bool
    ) throws(Errno) -> Attempt {
        let word = try memory.atomicLoad(address)
        let id = UInt32(bitPattern: task.ownID)
        let ownerID = word & FutexWord.ownerMask
        if ownerID == id { throw .EDEADLK }

        if let lock = bucket.locks[key], bucket.hasLockWaiters(key) {
            try check(word, lock)
            return .mustWait
        }
        if let other = bucket.top(key), other.kind != .lock { throw .EINVAL }
        if ownerID == 0 {
            var new = (word & FutexWord.ownerDied) | id
            if keepsWaitersBit { new |= FutexWord.waiters }
            return try memory.atomicCompareExchange(address, expected: word, desired: new) == word ? .acquired : .again
        }
        if word & FutexWord.waiters == 0 {
            guard try memory.atomicCompareExchange(address, expected: word, desired: word | FutexWord.waiters) == word else {
                return .again
            }
        }
        guard let number = task.pidNamespace.global(Int32(bitPattern: ownerID)), let owner = task.kernel.processes.task(number),
            owner.futexOwnership.add(key) else {
            // The owner may have ended between our look at the word and now, and its robust list marked it.
            if try memory.atomicLoad(address) != word | FutexWord.waiters { return .again }
            throw .ESRCH
        }
        bucket.locks[key] = FutexLock(owner: owner)
        return .mustWait
    }

    /// Linux's attach_to_pi_state: the word must name the owner that the waiters wait for.
    private func check(_ word: UInt32, _ lock: FutexLock) throws(Errno) {
        let ownerID = Int32(bitPattern: word & FutexWord.ownerMask)
        guard let owner = lock.owner else {
            if ownerID != 0 || word & FutexWord.ownerDied == 0 { throw .EINVAL }
            return
        }
        if word & FutexWord.ownerDied != 0 && ownerID == 0 { return }
        if ownerID != owner.id { throw .EINVAL }
    }

    /// FUTEX_UNLOCK_PI: hands the lock to the first waiter, or frees it.
    /// - Throws: EPERM when the caller does not own it, EINVAL, EAGAIN, EFAULT.
    public func unlock(_ current: CurrentTask, _ address: GuestAddress, shared: Bool) throws(Errno) {
        let id = UInt32(bitPattern: current.task.ownID)
        let memory = current.memory
        let before = try memory.atomicLoad(address)
        if before & FutexWord.ownerMask != id { throw .EPERM }
        let key = try memory.futexKey(address, shared: shared)
        var woken = WakeList()
        try withBucket(of: key) { bucket throws(Errno) in
            var word = try memory.atomicLoad(address)
            if word & FutexWord.ownerMask != id { throw .EPERM }
            if let top = bucket.top(key) {
                guard top.kind == .lock, let lock = bucket.locks[key] else { throw .EINVAL }
                guard lock.owner === current.task else { throw .EINVAL }
                guard let next = top.task else { throw .EINVAL }
                let new = FutexWord.waiters | UInt32(bitPattern: next.ownID)
                while true {
                    let found = try memory.atomicCompareExchange(address, expected: word, desired: new)
                    if found == word { break }
                    if found & FutexWord.ownerMask != id { throw .EINVAL }
                    word = found
                }
                hand(&bucket, key, to: top, from: current.task, &woken)
                return
            }
            guard try memory.atomicCompareExchange(address, expected: word, desired: 0) == word else { throw .EAGAIN }
        }
        _ = woken.wake()
    }

    /// Makes `waiter` the owner and takes it out. Bucket lock held; the word names it already.
    private func hand(_ bucket: inout Bucket.State, _ key: FutexKey, to waiter: FutexWaiter, from old: Task?, _ woken: inout WakeList) {
        old?.futexOwnership.remove(key)
        if let index = bucket.waiters.firstIndex(where: { $0 === waiter }) { bucket.waiters.remove(at: index) }
        if bucket.hasLockWaiters(key), let next = waiter.task {
            // A waiter's task can't have closed its ownership: it sleeps in this lock.
            _ = next.futexOwnership.add(key)
            bucket.locks[key] = FutexLock(owner: next)
        } else {
            bucket.locks[key] = nil
        }
        woken.append(waiter, .acquired)
    }

    /// FUTEX_WAIT_REQUEUE_PI: waits on `key` until moved to the lock at `lockAddress`, and then for that lock.
    /// - Throws: EAGAIN, EINVAL, EFAULT, ETIMEDOUT, ERESTARTNOINTR before the move, EAGAIN when a signal came after it.
    public func waitRequeue(
        _ current: CurrentTask, _ key: FutexKey, address: GuestAddress, value: UInt32, lockKey: FutexKey, lockAddress: GuestAddress,
        bitset: UInt32, deadline: FutexDeadline?
    ) throws(Errno) {
        if key == lockKey { throw .EINVAL }
        let waiter = FutexWaiter(
            key: key, bitset: bitset, parker: current.parker, task: current.task, kind: .requeueToLock, lockMemory: current.memory,
            lockAddress: lockAddress, lockKey: lockKey)
        try withBucket(of: key) { bucket throws(Errno) in
            guard try current.memory.atomicLoad(address) == value else { throw .EAGAIN }
            bucket.waiters.append(waiter)
        }
        do throws(Errno) {
            try sleep(current, waiter, deadline)
        } catch {
            if error != .ERESTARTSYS { throw error }
            // Once moved, the call cannot start again: the first wait is over.
            throw waiter.kind == .lock ? .EAGAIN : .ERESTARTNOINTR
        }
    }

    /// FUTEX_CMP_REQUEUE_PI: gives the lock to the first waiter of `key` if it is free, and moves the others to wait for it.
    /// - Returns: waiters that got the lock or were moved. - Throws: EAGAIN, EINVAL, EDEADLK, ESRCH, EFAULT.
    public func requeueToLock(
        _ current: CurrentTask, _ key: FutexKey, address: GuestAddress, value: UInt32, lockKey: FutexKey, lockAddress: GuestAddress,
        requeueCount: Int
    ) throws(Errno) -> Int {
        if key == lockKey { throw .EINVAL }
        let memory = current.memory
        while true {
            var woken = WakeList()
            var total = 0
            let isDone = try withBuckets(key, lockKey) { pair throws(Errno) in
                guard try memory.atomicLoad(address) == value else { throw .EAGAIN }
                guard let top = pair.first.top(key) else { return true }
                guard top.kind == .requeueToLock, top.lockKey == lockKey, let task = top.task else { throw .EINVAL }
                let attempt = try pair.withSecond { bucket throws(Errno) in
                    try tryAcquire(&bucket, lockKey, task, memory, lockAddress, keepsWaitersBit: requeueCount > 0)
                }
                var owner: Task?
                switch attempt {
                case .again: return false
                case .acquired:
                    if let index = pair.first.waiters.firstIndex(where: { $0 === top }) { pair.first.waiters.remove(at: index) }
                    woken.append(top, .acquired)
                    owner = task
                    total = 1
                case .mustWait: break
                }
                var moved = 0
                var index = 0
                while index < pair.first.waiters.count && moved < requeueCount {
                    let waiter = pair.first.waiters[index]
                    guard waiter.key == key else {
                        index += 1
                        continue
                    }
                    guard waiter.kind == .requeueToLock, waiter.lockKey == lockKey else { throw .EINVAL }
                    pair.first.waiters.remove(at: index)
                    waiter.move(to: lockKey, kind: .lock)
                    pair.withSecond { bucket in
                        bucket.waiters.append(waiter)
                        if let owner, bucket.locks[lockKey] == nil, owner.futexOwnership.add(lockKey) {
                            bucket.locks[lockKey] = FutexLock(owner: owner)
                        }
                    }
                    moved += 1
                }
                total += moved
                pair.withSecond { $0.dropIdleLock(lockKey) }
                return true
            }
            _ = woken.wake()
            if isDone { return total }
        }
    }

    /// Hands over every contended lock that an ending (or executing) task owns: Linux's exit_pi_state_list.
    func releaseLocks(of task: Task) {
        for key in task.futexOwnership.takeAll(close: task.isExiting) {
            var woken = WakeList()
            withBucket(of: key) { bucket in
                guard let lock = bucket.locks[key], lock.owner === task else { return }
                guard let top = bucket.waiters.first(where: { $0.key == key && $0.kind == .lock }), let next = top.task,
                    let memory = top.lockMemory
                else {
                    bucket.locks[key] = nil
                    return
                }
                let new = FutexWord.ownerDied | FutexWord.waiters | UInt32(bitPattern: next.ownID)
                if var word = try? memory.atomicLoad(top.lockAddress) {
                    while let found = try? memory.atomicCompareExchange(top.lockAddress, expected: word, desired: new), found != word {
                        word = found
                    }
                }
                hand(&bucket, key, to: top, from: task, &woken)
            }
            _ = woken.wake()
        }
    }
}
