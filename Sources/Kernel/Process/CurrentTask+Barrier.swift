import HostOS
import LinuxABI
import Memory
import Synchronization

extension CurrentTask {
    /// MEMBARRIER_CMD_PRIVATE_EXPEDITED: returns once every other thread of this address space has passed a full memory barrier.
    public func runBarrier() {
        let memory = memory
        runBarrier { $0 === memory }
    }

    /// MEMBARRIER_CMD_GLOBAL_EXPEDITED: as above, for every process that has registered for it.
    public func runBarrier(registeredFor command: UInt32) {
        runBarrier { $0.barrierRegistrations & command != 0 }
    }

    /// A thread outside guest code passes a barrier on its way back: its task thread hands over to the guest thread. One inside is
    /// taken out once.
    private func runBarrier(_ isMeant: (AddressSpace) -> Bool) {
        let others = kernel.processes.withTree { tree in
            tree.tasks.values.filter { other in
                guard other !== task, let memory = other.memory else { return false }
                return isMeant(memory)
            }
        }
        let running = others.compactMap { other -> (Task, Int64)? in
            guard other.isInGuest.load(ordering: .sequentiallyConsistent) else { return nil }
            let entry = other.processorTime.entry
            other.kick()
            return (other, entry)
        }
        let pause: Int64 = 20_000
        for (other, entry) in running {
            while other.isInGuest.load(ordering: .sequentiallyConsistent) && other.processorTime.entry == entry {
                sleep(until: .after(nanoseconds: pause))
            }
        }
    }
}
