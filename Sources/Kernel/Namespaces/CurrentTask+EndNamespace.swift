import HostOS
import LinuxABI
import VirtualFileSystem

extension CurrentTask {
    /// The last thread of a pid namespace's init ends: all others in it are killed and waited for (Linux's zap_pid_ns_processes).
    func endPIDNamespace() {
        let namespace = pidNamespace
        threadGroup.actions[.SIGCHLD] = {
            var action = SignalAction()
            action.handler = SignalAction.ignoreHandler
            return action
        }()
        kernel.processes.withTree { tree in
            namespace.state.withLock { $0.isClosed = true }
            for other in tree.tasks.values where other.threadGroup !== threadGroup && other.numbers.number(in: namespace) != 0 {
                other.threadGroup.kill()
            }
        }
        let released = WaitEntry(events: .everything, parker: parker)
        let changed = WaitEntry(events: .everything, parker: parker)
        namespace.released.add(released)
        threadGroup.childEvents.add(changed)
        defer {
            namespace.released.remove(released)
            threadGroup.childEvents.remove(changed)
        }
        while !isLast(in: namespace) { parker.park(until: nil) }
        namespace.state.withLock { $0.initID = 0 }
    }

    /// Reaps what has ended, and tells whether nobody but this process is left. Processes whose parent lies outside are theirs to wait for.
    private func isLast(in namespace: PIDNamespace) -> Bool {
        kernel.processes.withTree { tree in
            for child in threadGroup.children where child.isZombie { tree.reap(child) }
            return !tree.tasks.values.contains { $0.threadGroup !== threadGroup && $0.numbers.number(in: namespace) != 0 }
        }
    }
}
