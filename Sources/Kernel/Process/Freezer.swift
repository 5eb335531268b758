import Synchronization

/// Stops all tasks of the sandbox without their noticing, as a freezer control group does: `pause` of a container runtime.
///
/// A frozen task stays where it next leaves guest code or its sleep; only its end gets it out. Calls that it slept in start again
/// afterwards, as after a signal without a handler.
public final class Freezer: Sendable {
    private let frozen = Atomic<Bool>(false)
    private let holdsInit = Atomic<Bool>(false)
    private let parked = Atomic<Int>(0)
    public init() {}

    public var isFrozen: Bool { frozen.load(ordering: .sequentiallyConsistent) }
    fileprivate func set(_ value: Bool) { frozen.store(value, ordering: .sequentiallyConsistent) }
    fileprivate func setInit(_ value: Bool) { holdsInit.store(value, ordering: .sequentiallyConsistent) }
    /// Whether a task of this process stays.
    func holds(_ process: Int32) -> Bool { isFrozen || process == 1 && holdsInit.load(ordering: .sequentiallyConsistent) }
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
        wakeAll()
    }

    /// Whether no task runs guest code any more.
    public var isFrozenWhole: Bool {
        freezer.isFrozen
            && processes.withTree { tree in tree.tasks.values.allSatisfy { !$0.isInGuest.load(ordering: .sequentiallyConsistent) } }
    }

    public func thaw() {
        freezer.set(false)
        wakeAll()
    }

    /// Init, when it starts, stays in front of its first instruction, while processes beside it run.
    public func holdInit() { freezer.setInit(true) }
    public func releaseInit() {
        freezer.setInit(false)
        wakeAll()
    }

    private func wakeAll() {
        for task in processes.withTree({ Array($0.tasks.values) }) { task.wakeForWork() }
    }
}

extension CurrentTask {
    /// Stays while the sandbox is frozen, unless the task must end.
    func stayFrozen() {
        guard kernel.freezer.holds(threadGroup.id) else { return }
        kernel.freezer.countIn()
        while kernel.freezer.holds(threadGroup.id) && !isDying { sleep() }
        kernel.freezer.countOut()
    }
}
