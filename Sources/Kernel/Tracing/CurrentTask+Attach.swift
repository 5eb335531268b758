import HostOS
import LinuxABI
import VirtualFileSystem

/// The tracer's side of ptrace(2): attaching and detaching.
extension CurrentTask {
    /// PTRACE_TRACEME: the parent becomes the tracer.
    /// - Throws: EPERM when somebody traces the task already, and where the parent could not have attached (cap_ptrace_traceme, Landlock).
    public func traceMe() throws(Errno) {
        try kernel.processes.withTree { tree throws(Errno) in
            if task.isTraced { throw .EPERM }
            guard let parent = threadGroup.parent else { return }
            // A parent that ends is no tracer any more; that is no error (ptrace_traceme).
            guard let tracer = tree.tasks[threadGroup.parentTaskID] ?? parent.leader(in: tree), !tracer.isExiting else { return }
            let (own, its) = (task.credentials, tracer.credentials)
            if let domain = its.landlock, !domain.contains(own.landlock) { throw .EPERM }
            guard
                (own.userNamespace === its.userNamespace && its.permitted.isSuperset(of: own.permitted))
                    || its.has(.sysPtrace, in: own.userNamespace)
            else { throw .EPERM }
            tree.link(task, TraceState(tracer: tracer, tracerCredentials: its, isSeized: false, options: []))
        }
    }

    /// PTRACE_ATTACH and PTRACE_SEIZE. `options` are those of a seizure.
    /// - Throws: EPERM for the own process, without permission, when it is traced already or has ended.
    public func attach(_ target: Task, seizing: Bool, options: TraceOptions) throws(Errno) {
        if target.threadGroup === threadGroup { throw .EPERM }
        guard mayInspect(target) else { throw .EPERM }
        if options.contains(.suspendSeccomp) { try checkSuspendSeccomp() }
        try kernel.processes.withTree { tree throws(Errno) in
            switch target.runState {
            case .zombie, .dead: throw .EPERM
            default: break
            }
            if target.isTraced { throw .EPERM }
            tree.link(
                target, TraceState(tracer: task, tracerCredentials: credentials, isSeized: seizing, options: options))
        }
        if !seizing { target.send(SignalInfo(.SIGSTOP, code: SignalInfo.SI_KERNEL)) }
        // A task that job control has stopped turns that into a stop for the tracer, and attaching waits for it.
        let mustWait = target.threadGroup.signals.withLock { _ in
            let isStopped = target.signals.withLock { t in
                guard t.isStopped, t.trace != nil else { return false }
                t.isStopped = false
                t.trace?.mustTrap = true
                return true
            }
            if isStopped { target.wakeForWork() }
            return isStopped
        }
        if mustWait { waitForTrap(of: target) }
    }

    /// Until the task has stopped for this tracer, or ends. Only a fatal signal ends the wait early.
    private func waitForTrap(of target: Task) {
        let entry = WaitEntry(events: .everything, parker: parker)
        // A tracee tells its tracer's process of its stop and of its end.
        threadGroup.childEvents.add(entry)
        defer { threadGroup.childEvents.remove(entry) }
        while !isDying
            && target.signals.withLock({ t in (t.trace.map { $0.tracer === task && $0.mustTrap } ?? false) && !t.isKilled && !t.isExiting })
        {
            sleep()
        }
    }

    /// The tracee `id` of the calling thread; stopped, unless `running` ones are welcome (PTRACE_INTERRUPT, PTRACE_KILL).
    /// - Throws: ESRCH for everything else.
    public func tracee(_ id: Int32, running: Bool = false) throws(Errno) -> Task {
        guard let tracee = findTask(id) else { throw .ESRCH }
        let isFit = tracee.signals.withLock { t in
            guard let trace = t.trace, trace.tracer === task else { return false }
            return running || (t.isTraceStopped && !trace.isListening)
        }
        if !isFit { throw .ESRCH }
        return tracee
    }

    /// PTRACE_DETACH. `signal` is what the tracee goes on with; 0 for none. - Throws: EIO for no signal.
    public func detach(_ tracee: Task, signal: Int32) throws(Errno) {
        guard (0...64).contains(signal) else { throw .EIO }
        kernel.processes.withTree { tree in
            guard tracee.tracer === task else { return }
            tree.detach(tracee, resumingWith: signal)
        }
    }

    /// PTRACE_INTERRUPT. - Throws: EIO for a task that was attached, not seized.
    public func interrupt(_ tracee: Task) throws(Errno) {
        let isSeized = tracee.threadGroup.signals.withLock { _ in
            let (isSeized, isStopped) = tracee.signals.withLock { t -> (Bool, Bool) in
                guard t.trace?.isSeized ?? false else { return (false, false) }
                if t.isExiting || t.isKilled { return (true, true) }
                t.trace?.mustTrap = true
                if t.isTraceStopped && t.trace?.isListening ?? false { t.resumeTraceStop(0) }
                return (true, t.traceStop != nil)
            }
            if isSeized { if isStopped { tracee.parker.wake() } else { tracee.wakeForWork() } }
            return isSeized
        }
        if !isSeized { throw .EIO }
    }

    /// PTRACE_LISTEN: stay stopped, but hear of SIGCONT. - Throws: EIO outside a group stop of a seized task.
    public func listen(_ tracee: Task) throws(Errno) {
        let isListening = tracee.threadGroup.signals.withLock { _ in
            tracee.signals.withLock { t in
                guard t.trace?.isSeized ?? false, let info = t.traceStop?.info, info.code >> 8 == TraceEvent.stop.rawValue else { return false }
                t.trace?.isListening = true
                if t.trace?.mustNotify ?? false { t.resumeTraceStop(0) }
                return true
            }
        }
        guard isListening else { throw .EIO }
        tracee.parker.wake()
    }

    /// PTRACE_SETOPTIONS. - Throws: EINVAL for unknown ones, EPERM.
    public func setTraceOptions(_ tracee: Task, _ options: TraceOptions) throws(Errno) {
        guard options.isSubset(of: .known) else { throw .EINVAL }
        if options.contains(.suspendSeccomp) { try checkSuspendSeccomp() }
        tracee.signals.withLock { $0.trace?.options = options }
    }

    /// PTRACE_O_SUSPEND_SECCOMP is for whom no filter holds.
    private func checkSuspendSeccomp() throws(Errno) {
        guard credentials.has(.sysAdmin), task.seccomp.withLock({ $0.mode }) == .disabled,
            !task.signals.withLock({ $0.trace?.options.contains(.suspendSeccomp) ?? false })
        else { throw .EPERM }
    }
}

extension ThreadGroup {
    /// The leader, for whoever holds the tree lock.
    func leader(in tree: ProcessTable.Tree) -> Task? { tree.tasks[id] }
}
