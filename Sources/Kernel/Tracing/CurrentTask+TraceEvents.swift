import LinuxABI

/// What a traced task tells of its life: clone, execve, exit.
extension CurrentTask {
    /// The event that a new task is for the tracer (kernel_clone); nil for none.
    func cloneEvent(_ request: CloneRequest) -> TraceEvent? {
        if request.flags.contains(.untraced) { return nil }
        let event: TraceEvent = request.flags.contains(.vfork) ? .vfork : request.exitSignal == .SIGCHLD ? .fork : .clone
        return wantsTrace(event) ? event : nil
    }

    /// What PTRACE_GETEVENTMSG says of a new task: its number as the tracer sees it.
    func traceNumber(of other: Task) -> UInt64 {
        guard let tracer = task.tracer else { return 0 }
        return UInt64(UInt32(bitPattern: other.numbers.number(in: tracer.pidNamespace)))
    }

    /// Linux's ptrace_init_task, and the filters. Tree lock held, `child` not started.
    func inheritTracing(_ child: Task, isTraced: Bool, _ tree: ProcessTable.Tree) {
        // SECCOMP_FILTER_FLAG_TSYNC holds the same lock: it finds the child with its parent's filters.
        threadGroup.signals.withLock { _ in child.inheritSeccomp(from: task) }
        guard isTraced, let own = task.signals.withLock({ $0.trace }) else { return }
        var trace = TraceState(
            tracer: own.tracer, tracerCredentials: own.tracerCredentials, isSeized: own.isSeized, options: own.options)
        trace.mustTrap = own.isSeized
        tree.link(child, trace)
        child.threadGroup.signals.withLock { g in
            if !own.isSeized { child.signals.withLock { $0.pending.mark(.SIGSTOP) } }
            g.recalculate(child)
        }
    }

    /// Whether the tracer had no CAP_SYS_PTRACE when it attached: a program must not gain privileges under its eyes.
    public var hasTracerWithoutPrivilege: Bool {
        guard let tracer = task.signals.withLock({ $0.trace?.tracerCredentials }) else { return false }
        return !tracer.has(.sysPtrace, in: credentials.userNamespace)
    }

    /// PTRACE_EVENT_EXEC, or the SIGTRAP that attached tasks get without the option.
    func tellTracerOfExec(_ former: ProcessNumbers) {
        guard let trace = task.signals.withLock({ $0.trace }) else { return }
        if wantsTrace(.exec) {
            traceCallEvent(.exec, message: UInt64(UInt32(bitPattern: former.number(in: trace.tracer.pidNamespace))))
            // execve(2) has succeeded by then.
            var registers = context.registers
            registers.rax = 0
            context.registers = registers
        }
        if trace.isSeized || trace.options.contains(.exec) { return }
        var info = SignalInfo(.SIGTRAP, code: SignalInfo.SI_USER)
        info.pid = number(of: threadGroup)
        info.uid = credentials.shownUser(credentials.realUID)
        task.send(info)
    }

    /// PTRACE_EVENT_EXIT: the last stop, while memory and registers are still there.
    func stopBeforeExit(_ status: ExitStatus) {
        guard wantsTrace(.exit) else { return }
        // What ends the task does not end this stop; another SIGKILL does.
        task.signals.withLock { t in _ = t.pending.flush(SignalSet(.SIGKILL)) }
        traceEvent(.exit, message: UInt64(UInt32(bitPattern: status.waitStatus)))
        callState = .none
    }

    /// Tracees go on without the ending thread.
    func leaveTracees() {
        // With the lock, for a child may ask to be traced just now.
        kernel.processes.withTree { $0.detachAll(of: task) }
    }

    // MARK: single steps

    /// TF of the flags register.
    private static let trapFlag: UInt64 = 0x100

    /// Last thing before guest code: the processor traps behind one instruction.
    func setTrapFlag(_ result: inout UInt64?) {
        var registers = context.registers
        if let value = result { registers.rax = value }
        result = nil
        registers.flags |= Self.trapFlag
        context.registers = registers
        if traceWork.contains(.watch) { watched = debugRegisters.samples(memory) }
    }

    /// First thing after guest code. The flag is the tracer's business, not the program's.
    func clearTrapFlag() {
        var registers = context.registers
        registers.flags &= ~Self.trapFlag
        context.registers = registers
    }
}
