import LinuxABI
import Memory

/// Marks the robust futexes of an ending thread and hands its priority-inheritance locks over: Linux's futex_exit_release, also done
/// when the thread executes a new program. Every fault of the guest's list just ends the walk.
func exitRobustList(_ current: CurrentTask) {
    let head = current.task.robustList
    if !head.isNull { try? RobustListWalk(current: current).walk(head) }
    current.kernel.futexes.releaseLocks(of: current.task)
}

private struct RobustListWalk {
    let current: CurrentTask

    /// Bit 0 of an entry's pointer says that the lock inherits priority.
    private struct Entry {
        var address: GuestAddress
        var inheritsPriority: Bool
        init(_ raw: GuestAddress) {
            address = GuestAddress(raw.rawValue & ~1)
            inheritsPriority = raw.rawValue & 1 != 0
        }
    }

    func walk(_ head: GuestAddress) throws(Errno) {
        let list = try current.memory.load(RobustListHead.self, at: head)
        let pending = Entry(list.pending)
        var entry = Entry(list.next)
        var count = 0
        while entry.address != head {
            // Fetched before the futex is marked: its memory may go when it is.
            let next = try? current.memory.load(GuestAddress.self, at: entry.address)
            if entry.address != pending.address {
                guard mark(entry.address + Int(truncatingIfNeeded: list.futexOffset), entry.inheritsPriority, isPending: false) else {
                    return
                }
            }
            guard let next else { return }
            entry = Entry(next)
            count += 1
            if count >= RobustListHead.limit { break }
        }
        if !pending.address.isNull {
            _ = mark(pending.address + Int(truncatingIfNeeded: list.futexOffset), pending.inheritsPriority, isPending: true)
        }
    }

    /// Linux's handle_futex_death. False ends the walk.
    private func mark(_ address: GuestAddress, _ inheritsPriority: Bool, isPending: Bool) -> Bool {
        guard address.rawValue & 3 == 0 else { return false }
        let memory = current.memory
        do throws(Errno) {
            var word = try memory.atomicLoad(address)
            let id = UInt32(bitPattern: current.task.ownID)
            while true {
                let owner = word & FutexWord.ownerMask
                if isPending && !inheritsPriority && owner == 0 {
                    // The thread died between unlocking the word and waking a waiter.
                    wakeOne(address)
                    return true
                }
                if owner != id { return true }
                let found = try memory.atomicCompareExchange(
                    address, expected: word, desired: (word & FutexWord.waiters) | FutexWord.ownerDied)
                if found == word { break }
                word = found
            }
            if !inheritsPriority && word & FutexWord.waiters != 0 { wakeOne(address) }
            return true
        } catch {
            return false
        }
    }

    private func wakeOne(_ address: GuestAddress) {
        guard let key = try? current.memory.futexKey(address, shared: true) else { return }
        current.kernel.futexes.wake(key, count: 1)
    }
}
