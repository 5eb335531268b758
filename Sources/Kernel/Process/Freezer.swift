import Synchronization

/// Stops all tasks of the sandbox without their noticing, as a freezer control group does: `pause` of a container runtime.
///
/// A frozen task stays where it next leaves guest code or its sleep; only its end gets it out. Calls that it slept in start again
/// afterwards, as after a signal without a handler.
public final class Freezer: Sendable {
    private let frozen = Atomic<Bool>(false)
    private let parked = Atomic<Int>(0)
    public init() {}

    public var isFrozen: Bool { frozen.load(ordering: .sequentiallyConsistent) }
    fileprivate func set(_ value: Bool) { frozen.store(value, ordering: .sequentiallyConsistent) }
    fileprivate func countIn() { parked.wrappingAdd(1, ordering: .sequentiallyConsistent) }
    fileprivate func countOut() { parked.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    /// Tasks that stay.
    public var parkedCount: Int { parked.load(ordering: .sequentiallyConsistent) }
}

extension SandboxKernel {
    /// Tells every task to stay. They do so within their next return to guest code; `isFrozenWhole` says when all have.
    public func freeze() {
        freezer.set(true)
        // A task that is linked later looks at the freezer before it first enters guest code.
        for task in processes.withTree({ Array($0.tasks.values) }) { task.wakeForWork() }
    }

    /// Whether no task runs guest code any more.
    public var isFrozenWhole: Bool {
        freezer.isFrozen
            && processes.withTree { tree in tree.tasks.values.allSatisfy { !$0.isInGuest.load(ordering: .sequentiallyConsistent) } }
    }

    public func thaw() {
        freezer.set(false)
        for task in processes.withTree({ Array($0.tasks.values) }) { task.wakeForWork() }
    }
}

extension CurrentTask {
    /// Stays while the sandbox is frozen, unless the task must end.
    func stayFrozen() {
        guard kernel.freezer.isFrozen else { return }
        kernel.freezer.countIn()
        while kernel.freezer.isFrozen && !isDying { sleep() }
        kernel.freezer.countOut()
    }
}
