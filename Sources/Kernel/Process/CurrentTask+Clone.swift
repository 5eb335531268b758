import LinuxABI
import Memory
import Platform
import VirtualFileSystem

extension CurrentTask {
    /// Makes a thread or process: clone(2). Returns its ID. With CLONE_VFORK it returns when the child has left this address space.
    public func clone(_ request: CloneRequest) throws(Errno) -> Int32 {
        let flags = request.flags
        try checkClone(flags)
        if isSignalPending && forkRestarts < 8 {
            forkRestarts += 1
            throw .ERESTARTNOINTR
        }
        if flags.contains(.setTLS) && request.tls >= 0x7fff_ffff_f000 { throw .EPERM }
        guard let dispatcher = kernel.dispatcher else { throw .EAGAIN }

        var credentials = task.credentials
        let mayExceed = credentials.realUID == 0 || credentials.has(.sysResource) || credentials.has(.sysAdmin)
        let limit = mayExceed ? UInt64.max : threadGroup.limit(.processes).soft
        guard kernel.taskCounts.add(credentials.realUID, limit: limit) else { throw .EAGAIN }
        var hasStarted = false
        defer { if !hasStarted { kernel.taskCounts.remove(credentials.realUID) } }

        if flags.contains(.newUser) { credentials = try enteringNewUserNamespace(credentials) }
        let childFileSystem = flags.contains(.fileSystem) ? fileSystem : fileSystem.copy()
        let childNamespaces = try copiedNamespaces(flags, credentials, childFileSystem)

        let sharesMemory = flags.contains(.memory)
        var registers = context.registers
        let childMemory = sharesMemory ? memory : try copiedMemory()
        let childFiles = flags.contains(.files) ? files : files.copy()
        kernel.uses.retain(childMemory)
        kernel.uses.retain(childFiles)

        registers.rax = 0
        registers.originalRAX = systemCallNumber
        if !request.stackPointer.isNull { registers.rsp = request.stackPointer.rawValue }
        if flags.contains(.setTLS) { registers.fsBase = request.tls }
        var completion: VforkCompletion?
        if flags.contains(.vfork) { completion = VforkCompletion(parent: task) }

        let event = cloneEvent(request)
        var linked: Task?
        var pidFileNumber: Int32?
        do throws(Errno) {
            var state = task.state.withLock { $0 }
            state.memory = childMemory
            state.files = childFiles
            state.fileSystem = childFileSystem
            state.namespaces = childNamespaces
            state.credentials = credentials
            state.run = .running
            state.parentDeathSignal = nil
            state.robustList = .null
            state.defaultTimerSlack = state.timerSlack
            state.scheduling = state.scheduling.forked()
            state.keys = state.keys.inherited
            let child = try link(request, state, isTraced: event != nil || flags.contains(.ptrace))
            linked = child
            if flags.contains(.pidFile) {
                let description = PidFile.makeDescription(child.threadGroup, nonBlocking: false)
                let number = Int32(truncatingIfNeeded: try install(description, closeOnExec: true))
                pidFileNumber = number
                try memory.store(number, at: request.pidFile)
            }
            if flags.contains(.parentSetTID) { try? memory.store(number(of: child), at: request.parentTID) }
            try kernel.startForGuest(
                TaskStart(
                    task: child, memory: childMemory, files: childFiles, fileSystem: childFileSystem, namespaces: childNamespaces,
                    registers: registers,
                    extendedState: context.extendedState(),
                    alternateStack: sharesMemory && !flags.contains(.vfork) ? .none : alternateStack,
                    setChildTID: flags.contains(.childSetTID) ? request.childTID : .null,
                    clearChildTID: flags.contains(.childClearTID) ? request.childTID : .null, vforkCompletion: completion,
                    dispatcher: dispatcher))
            hasStarted = true
            forkRestarts = 0
            let id = number(of: child)
            if let event { traceCallEvent(event, message: traceNumber(of: child)) }
            if let completion {
                waitForVforkChild(completion)
                if completion.done { traceCallEvent(.vforkDone, message: traceNumber(of: child)) }
            }
            return id
        } catch {
            if let pidFileNumber { _ = try? files.remove(pidFileNumber) }
            if let linked { unlink(linked) }
            if kernel.uses.release(childFiles) { _ = childFiles.removeAll() }
            if kernel.uses.release(childMemory) { childMemory.tearDown() }
            throw error
        }
    }

    /// - Throws: EAGAIN, ENOMEM.
    private func copiedMemory() throws(Errno) -> AddressSpace {
        do throws(Errno) { return try memory.fork(platform: kernel.platform) } catch {
            // Out of memory is what the sandbox's own limit says, too.
            if error == .ENOMEM { throw error }
            throw kernel.refuse(StartFailure(step: .addressSpace, error: error))
        }
    }

    /// The combinations that copy_process refuses, in its order.
    private func checkClone(_ flags: CloneFlags) throws(Errno) {
        if flags.isSuperset(of: [.newMount, .fileSystem]) || flags.isSuperset(of: [.newUser, .fileSystem]) { throw .EINVAL }
        if flags.contains(.thread) && !flags.contains(.signalHandlers) { throw .EINVAL }
        if flags.contains(.signalHandlers) && !flags.contains(.memory) { throw .EINVAL }
        if flags.contains(.parent) && threadGroup.signals.withLock({ $0.isUnkillable }) { throw .EINVAL }
        if flags.contains(.thread) && !flags.isDisjoint(with: [.newUser, .newPID]) { throw .EINVAL }
        if flags.contains(.pidFile) && !flags.isDisjoint(with: [.detached, .thread]) { throw .EINVAL }
        if flags.isSuperset(of: [.signalHandlers, .clearSignalHandlers]) { throw .EINVAL }
        if flags.contains(.thread) && namespaces.pidForChildren !== pidNamespace { throw .EINVAL }
        if flags.isSuperset(of: [.newIPC, .systemVSemaphores]) { throw .EINVAL }
    }

    /// Puts the new task into the process tree.
    private func link(_ request: CloneRequest, _ state: Task.State, isTraced: Bool) throws(Errno) -> Task {
        let flags = request.flags
        let blocked = blockedSignals
        return try kernel.processes.withTree { tree throws(Errno) in
            // A signal for several processes that came while memory was copied must reach the child too: deliver it, then fork
            // again. After some tries (a fast timer) fork anyway.
            if isSignalPending && forkRestarts < 8 {
                forkRestarts += 1
                throw .ERESTARTNOINTR
            }
            let namespace = state.namespaces?.pidForChildren ?? pidNamespace
            let numbers = try tree.allocate(in: namespace, wanted: request.wantedNumbers)
            if flags.contains(.thread) {
                let child = Task(numbers, threadGroup: threadGroup, kernel: kernel, state: state, blocked: blocked)
                let isLinked = threadGroup.signals.withLock { g in
                    if g.exit != nil || (g.execTask != nil) { return false }
                    g.tasks.append(child)
                    return true
                }
                guard isLinked else {
                    tree.abandon(numbers)
                    throw .ERESTARTNOINTR
                }
                tree.insert(child)
                inheritTracing(child, isTraced: isTraced, tree)
                return child
            }
            let parent: ThreadGroup
            let parentTask: Int32
            let exitSignal: Signal?
            if flags.contains(.parent) {
                let own = threadGroup.links.withLock { ($0.parent, $0.parentTask, $0.exitSignal) }
                guard let grandparent = own.0 else {
                    tree.abandon(numbers)
                    throw .EINVAL
                }
                (parent, parentTask, exitSignal) = (grandparent, own.1, own.2)
            } else {
                (parent, parentTask, exitSignal) = (threadGroup, task.id, request.exitSignal)
            }
            let actions = flags.contains(.signalHandlers) ? threadGroup.actions : threadGroup.actions.copy()
            if flags.contains(.clearSignalHandlers) { actions.clearHandlers() }
            var attributes = threadGroup.attributes.withLock { $0 }
            attributes.hasChildSubreaper = attributes.hasChildSubreaper || attributes.isChildSubreaper
            attributes.isChildSubreaper = false
            if !attributes.execGain.isInherited { attributes.execGain = [] }
            attributes.processKeyring = nil
            let processGroup = threadGroup.processGroup
            let group = ThreadGroup(
                numbers, kernel: kernel, parent: parent, parentTask: parentTask, processGroup: processGroup, exitSignal: exitSignal,
                actions: actions, attributes: attributes)
            let child = Task(numbers, threadGroup: group, kernel: kernel, state: state, blocked: blocked)
            if group.isInnerInit { namespace.state.withLock { $0.initID = numbers.global } }
            group.signals.withLock { g in
                g.tasks = [child]
                g.isUnkillable = group.isInnerInit
            }
            parent.links.withLock { $0.children.append(group) }
            processGroup.members.withLock { $0.append(group) }
            tree.insert(child)
            inheritTracing(child, isTraced: isTraced, tree)
            return child
        }
    }

    /// Takes a task out of the tree whose host thread could not start.
    private func unlink(_ child: Task) {
        kernel.processes.withTree { tree in
            let group = child.threadGroup
            tree.unlink(child)
            child.leaveSeccomp()
            group.signals.withLock { g in
                g.tasks.removeAll { $0 === child }
                g.execTask?.parker.wake()
            }
            tree.tasks[child.id] = nil
            if group !== threadGroup {
                group.links.withLock { $0.parent }?.links.withLock { $0.children.removeAll { $0 === group } }
                tree.leaveProcessGroup(group)
                if group.isInnerInit {
                    group.pidNamespace.state.withLock { s in
                        s.initID = 0
                        s.isClosed = true
                    }
                }
            }
            tree.release(child.numbers)
        }
    }

    /// Linux's wait_for_vfork_done: only a fatal signal ends it early.
    private func waitForVforkChild(_ completion: VforkCompletion) {
        task.setRunState(.waitingForChild)
        while !completion.done && !isDying { sleep() }
        task.setRunState(.running)
    }

    /// Whether a fatal signal is pending: the only thing that ends a killable sleep.
    public var isDying: Bool {
        threadGroup.signals.withLock { g in g.exit != nil || (g.execTask != nil && g.execTask !== task) }
    }
}
