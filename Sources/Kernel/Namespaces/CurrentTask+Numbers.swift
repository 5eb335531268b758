import LinuxABI
import VirtualFileSystem

/// From numbers in the caller's pid namespace to kernel objects, and back. System calls take and give numbers through these alone.
extension CurrentTask {
    /// The pid namespace that the task lives in: Linux's task_active_pid_ns.
    public var pidNamespace: PIDNamespace { task.pidNamespace }

    public func findTask(_ number: Int32) -> Task? {
        guard number > 0, let id = pidNamespace.global(number) else { return nil }
        return kernel.processes.task(id)
    }
    /// Zombies included.
    public func findThreadGroup(_ number: Int32) -> ThreadGroup? {
        guard number > 0, let id = pidNamespace.global(number) else { return nil }
        return kernel.processes.threadGroup(id)
    }
    public func findProcessGroup(_ number: Int32) -> ProcessGroup? {
        guard number > 0, let id = pidNamespace.global(number) else { return nil }
        return kernel.processes.processGroup(id)
    }
    /// Processes that the caller's pid namespace sees.
    public var visibleThreadGroups: [ThreadGroup] {
        let all = kernel.processes.threadGroups
        return pidNamespace.level == 0 ? all : all.filter { $0.numbers.number(in: pidNamespace) != 0 }
    }

    // Each is 0 for what the caller does not see.
    public func number(of other: Task) -> Int32 { other.numbers.number(in: pidNamespace) }
    public func number(of group: ThreadGroup) -> Int32 { group.numbers.number(in: pidNamespace) }
    public func number(of group: ProcessGroup) -> Int32 { group.numbers.number(in: pidNamespace) }
    public func number(of session: Session) -> Int32 { session.numbers.number(in: pidNamespace) }
    /// Of the process, or what once was it, with the ID `id`.
    public func number(ofProcess id: Int32) -> Int32 {
        if pidNamespace.level == 0 || id <= 0 { return id }
        return kernel.processes.task(id)?.numbers.number(in: pidNamespace) ?? 0
    }
    public func number(ofGroup id: Int32) -> Int32 {
        if pidNamespace.level == 0 || id <= 0 { return id }
        return kernel.processes.processGroup(id)?.numbers.number(in: pidNamespace) ?? 0
    }
    /// getppid(2).
    public var parentNumber: Int32 { threadGroup.parent.map { number(of: $0) } ?? 0 }
}
