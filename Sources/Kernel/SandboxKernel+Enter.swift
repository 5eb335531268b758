import LinuxABI
import Memory
import VirtualFileSystem

/// What a process that comes from outside starts with, besides its program and credentials.
public struct InitialAttributes: Sendable {
    /// By RLIMIT_* number.
    public var limits = ResourceLimit.initial
    /// /proc/PID/oom_score_adj.
    public var oomScoreAdjustment: Int32 = 0
    /// Holds from the first instruction on.
    public var filter: SeccompFilter?
    public init() {}
}

extension SandboxKernel {
    /// Starts a process beside init, in a session of its own, whose parent is outside the sandbox: what a container runtime's `exec` does.
    /// It is reaped when it ends; its `exitStatus` stays readable and its `exitEvents` fire.
    /// - Throws: EAGAIN when the limit of tasks is reached, ENOMEM when init has ended, the host's error when it gives no thread;
    ///   `program.memory` was torn down then.
    public func startBesideInit(
        _ program: LoadedProgram, descriptors: DescriptorTable, fileSystem: FileSystemContext, attributes initial: InitialAttributes
    ) throws(Errno) -> ThreadGroup {
        guard let dispatcher else { throw .ENOSYS }
        var attributes = ThreadGroup.Attributes()
        attributes.image = program.image
        attributes.limits = initial.limits
        attributes.oomScoreAdjustment = initial.oomScoreAdjustment
        let made: (task: Task, group: ThreadGroup, namespaces: NamespaceSet)
        do throws(Errno) {
            made = try processes.withTree { tree throws(Errno) in
                guard let namespaces = tree.tasks[1]?.namespaces else { throw .ENOMEM }
                let numbers = try tree.allocate(in: pidNamespace, wanted: [])
                let id = numbers.global
                let session = Session(numbers)
                let processGroup = ProcessGroup(numbers, session: session)
                let group = ThreadGroup(
                    numbers, kernel: self, parent: nil, parentTask: 0, processGroup: processGroup, exitSignal: nil, actions: SignalActions(),
                    attributes: attributes)
                let task = Task(
                    numbers, threadGroup: group, kernel: self,
                    state: Task.State(
                        credentials: program.credentials, name: Array(program.name.prefix(15)), memory: program.memory, files: descriptors,
                        fileSystem: fileSystem, namespaces: namespaces),
                    blocked: SignalSet())
                if let filter = initial.filter { task.setSeccomp(SeccompState(mode: .filter, filters: [filter])) }
                group.links.withLock { $0.hasExecuted = true }
                group.signals.withLock { $0.tasks = [task] }
                processGroup.members.withLock { $0 = [group] }
                tree.insert(task)
                tree.processGroups[id] = processGroup
                tree.sessions[id] = session
                return (task, group, namespaces)
            }
        } catch {
            program.memory.tearDown()
            throw error
        }
        uses.retain(program.memory)
        uses.retain(descriptors)
        taskCounts.add(program.credentials.realUID)
        do throws(Errno) {
            try startFromOutside(
                TaskStart(
                    task: made.task, memory: program.memory, files: descriptors, fileSystem: fileSystem, namespaces: made.namespaces,
                    registers: program.registers, dispatcher: dispatcher))
        } catch {
            processes.withTree { tree in
                tree.tasks[made.task.id] = nil
                tree.release(made.task.numbers)
                tree.leaveProcessGroup(made.group)
            }
            taskCounts.remove(program.credentials.realUID)
            if uses.release(descriptors) { _ = descriptors.removeAll() }
            if uses.release(program.memory) { program.memory.tearDown() }
            throw error
        }
        return made.group
    }

    /// The domain name that the first process finds.
    public func setDomainName(_ name: [UInt8]) { uts.domainName.withLock { $0 = name } }

    /// A signal from a container runtime to the process `id`. As from a parent pid namespace: init is spared what it has no handler for,
    /// but not SIGKILL and SIGSTOP (pid_namespaces(7)).
    /// - Throws: ESRCH.
    public func signalFromRuntime(_ signal: Signal, to id: Int32) throws(Errno) {
        var info = SignalInfo(signal, code: SignalInfo.SI_USER)
        info.pid = 0
        let isForced = signal == .SIGKILL || signal == .SIGSTOP || id != 1
        try processes.withTree { tree throws(Errno) in
            guard let group = tree.tasks[id]?.threadGroup, group.id == id else { throw .ESRCH }
            try group.send(info, to: nil, options: isForced ? [.kernel, .external] : [])
        }
    }

    /// The same to every process.
    public func signalAllFromRuntime(_ signal: Signal) {
        for group in processes.threadGroups { try? signalFromRuntime(signal, to: group.id) }
    }

    /// At most this many tasks, threads and zombies included: pids.max of a control group. Nil for no limit.
    public func limitTasks(to count: Int?) { processes.withTree { $0.limit = count ?? .max } }
    public var taskLimit: Int? { processes.withTree { $0.limit == .max ? nil : $0.limit } }
}
