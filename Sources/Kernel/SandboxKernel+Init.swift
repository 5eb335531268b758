import HostOS
import LinuxABI
import Memory
import Platform
import Synchronization
import VirtualFileSystem

extension SandboxKernel {
    /// Starts init with a loaded program, in its own session. `descriptors` become its descriptor table.
    /// - Throws: the host's error when it gives no thread; `program.memory` was torn down then.
    public func startInit(
        _ program: LoadedProgram, descriptors: DescriptorTable, fileSystem: FileSystemContext, attributes initial: InitialAttributes = .init()
    ) throws(Errno) {
        guard let dispatcher else { throw .ENOSYS }
        let numbers = ProcessNumbers(global: 1, namespace: pidNamespace, inner: [])
        let namespaces = makeInitialNamespaces()
        let session = Session(numbers)
        let processGroup = ProcessGroup(numbers, session: session)
        var attributes = ThreadGroup.Attributes()
        attributes.image = program.image
        attributes.limits = initial.limits
        attributes.oomScoreAdjustment = initial.oomScoreAdjustment
        let group = ThreadGroup(
            numbers, kernel: self, parent: nil, parentTask: 0, processGroup: processGroup, exitSignal: .SIGCHLD, actions: SignalActions(),
            attributes: attributes)
        let task = Task(
            numbers, threadGroup: group, kernel: self,
            state: Task.State(
                credentials: program.credentials, name: Array(program.name.prefix(15)), memory: program.memory, files: descriptors,
                fileSystem: fileSystem, namespaces: namespaces),
            blocked: SignalSet())
        if let filter = initial.filter { task.setSeccomp(SeccompState(mode: .filter, filters: [filter])) }
        group.links.withLock { $0.hasExecuted = true }
        group.signals.withLock { g in
            g.tasks = [task]
            g.isUnkillable = true
        }
        processGroup.members.withLock { $0 = [group] }
        processes.withTree { tree in
            tree.lastID = 1
            tree.insert(task)
            tree.processGroups[1] = processGroup
            tree.sessions[1] = session
        }
        uses.retain(program.memory)
        uses.retain(descriptors)
        taskCounts.add(program.credentials.realUID)
        do throws(Errno) {
            try startFromOutside(
                TaskStart(
                    task: task, memory: program.memory, files: descriptors, fileSystem: fileSystem, namespaces: namespaces,
                    registers: program.registers,
                    dispatcher: dispatcher))
        } catch {
            processes.withTree { $0.tasks[1] = nil }
            program.memory.tearDown()
            throw error
        }
    }

    /// Blocks the calling host thread until init has ended and every task thread is gone. Returns init's status.
    public func waitForExit() -> ExitStatus {
        let parker = HostParker()
        let entry = WaitEntry(events: .everything, parker: parker)
        taskThreadEnded.add(entry)
        defer { taskThreadEnded.remove(entry) }
        while true {
            if let status = shutdown.withLock({ $0.taskThreads == 0 ? $0.status : nil }) { return status }
            parker.park(until: nil)
        }
    }

    /// A signal from outside the sandbox (the user's Ctrl-C, a service manager's SIGTERM) to init, or with `toGroup` to init's whole
    /// process group, as a terminal does. It acts on init even where init has no handler.
    public func sendFromOutside(_ signal: Signal, toGroup: Bool = false) {
        var info = SignalInfo(signal, code: SignalInfo.SI_USER)
        info.pid = 0
        processes.withTree { tree in
            guard let initGroup = tree.tasks[1]?.threadGroup else { return }
            let targets = toGroup ? initGroup.processGroup.threadGroups : [initGroup]
            for target in targets { try? target.send(info, to: nil, options: [.kernel, .external]) }
        }
    }

    /// Kills everything, init included. `waitForExit` returns soon after.
    public func killAll() {
        processes.withTree { tree in
            tree.isClosed = true
            for task in tree.tasks.values { task.threadGroup.kill() }
        }
    }

    /// Init's last thread ends: all others are killed and waited for (Linux's zap_pid_ns_processes).
    func endAllButInit(_ current: CurrentTask) {
        current.threadGroup.actions[.SIGCHLD] = {
            var action = SignalAction()
            action.handler = SignalAction.ignoreHandler
            return action
        }()
        processes.withTree { tree in
            tree.isClosed = true
            for task in tree.tasks.values where task.threadGroup !== current.threadGroup { task.threadGroup.kill() }
        }
        let entry = WaitEntry(events: .everything, parker: current.parker)
        taskThreadEnded.add(entry)
        defer { taskThreadEnded.remove(entry) }
        var deadline = MonotonicInstant.after(nanoseconds: 2_000_000_000)
        var rounds = 0
        while shutdown.withLock({ $0.taskThreads }) > 1 {
            if current.parker.park(until: deadline) { continue }
            // A thread that does not come out of guest code: take its host process away.
            rounds += 1
            if rounds > 3 {
                report("tasks did not end: giving them up")
                return
            }
            report("ending guest processes that do not stop")
            for task in processes.withTree({ Array($0.tasks.values) }) where task.threadGroup !== current.threadGroup {
                task.memory?.platformSpace.destroy()
                task.wakeForWork()
            }
            deadline = .after(nanoseconds: 2_000_000_000)
        }
    }

    func initDidEnd(_ status: ExitStatus) { shutdown.withLock { $0.status = status } }
}

extension ThreadGroup {
    /// SIGKILL that nothing stops, init's protection included.
    func kill() {
        signals.withLock { g in if g.exit == nil { g.end(.killed(.SIGKILL)) } }
    }
}
