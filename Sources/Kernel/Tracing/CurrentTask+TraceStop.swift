import LinuxABI
import Platform

/// What the registers say about the present system call, which the run loop keeps outside of them.
enum CallState {
    /// They are as they are.
    case none
    /// A call runs: RAX is -ENOSYS, as at its entry.
    case running
    case result(UInt64)
    /// A call was interrupted.
    case restart(Errno)
}

/// Stops of the running thread for its tracer.
extension CurrentTask {
    /// What a stop left behind.
    struct TraceOutcome {
        /// The signal the tracer resumed with; 0 for none.
        var code: Int32
        var info: SignalInfo?
    }

    /// Linux's ptrace_stop: shows registers, tells the tracer, and waits until it resumes. Without a tracer, or when the task is killed,
    /// it returns at once, with `code` as it was. No lock is held.
    @discardableResult
    func traceStop(_ code: Int32, isGroupStop: Bool = false, message: UInt64 = 0, info: SignalInfo? = nil) -> TraceOutcome {
        guard task.isTraced else { return TraceOutcome(code: code, info: info) }
        showCallState()
        var stop = TraceStop(
            code: code, isGroupStop: isGroupStop, message: message, info: info, registers: context.registers, savedMask: savedMask)
        stop.debugRegisters = debugRegisters
        let shown = stop
        let completes = threadGroup.signals.withLock { g -> Bool? in
            let joins = task.signals.withLock { t -> Bool? in
                guard t.trace != nil, !t.isKilled else { return nil }
                t.traceStop = shown
                t.trace?.mustTrap = false
                defer { if isGroupStop { t.mustStop = false } }
                return isGroupStop && t.mustStop
            }
            return joins.map { $0 && g.completeStop() }
        }
        guard let completes else { return TraceOutcome(code: code, info: info) }
        task.setRunState(.traced)
        tellTracer(shown, completesGroupStop: completes)
        let end = stayInTraceStop() ?? shown
        task.setRunState(.running)
        if end.hasNewRegisters { context.registers = end.registers }
        savedMask = end.savedMask
        // Who detaches takes breakpoints away.
        debugRegisters = task.isTraced ? end.debugRegisters : DebugRegisters()
        traceWork = end.stepsOnce ? .step : []
        if debugRegisters.isArmed { traceWork.insert(.watch) }
        readCallState(isChanged: end.hasNewRegisters)
        return TraceOutcome(code: end.code, info: end.info)
    }

    /// Linux's ptrace_notify: a stop that is an event, not a signal.
    @discardableResult
    func traceNotify(_ code: Int32, message: UInt64 = 0, signal: Signal = .SIGTRAP, isGroupStop: Bool = false) -> Int32 {
        var info = SignalInfo(signal, code: code)
        info.pid = number(of: task)
        info.uid = credentials.shownUser(credentials.realUID)
        return traceStop(code, isGroupStop: isGroupStop, message: message, info: info).code
    }

    /// Whether the tracer asked for `event`.
    func wantsTrace(_ event: TraceEvent) -> Bool {
        guard let option = event.option else { return false }
        return task.signals.withLock { $0.trace?.options.contains(option) ?? false }
    }

    /// PTRACE_EVENT_*, if the tracer asked for it. - Returns: whether it did.
    @discardableResult
    func traceEvent(_ event: TraceEvent, message: UInt64) -> Bool {
        guard wantsTrace(event) else { return false }
        traceNotify(event.rawValue << 8 | Signal.SIGTRAP.rawValue, message: message)
        return true
    }

    /// An event in the middle of a system call.
    func traceCallEvent(_ event: TraceEvent, message: UInt64) {
        guard wantsTrace(event) else { return }
        callState = .running
        traceEvent(event, message: message)
        callState = .none
        if !task.interceptions.isDisjoint(with: .tracing) { traceWork.insert(.exitStop) }
    }

    /// The trap of PTRACE_INTERRUPT, and group stops: Linux's do_jobctl_trap.
    func stopForJobControl() {
        let (signal, isSeized) = threadGroup.signals.withLock { g in
            task.signals.withLock { t in
                guard t.trace?.isSeized ?? false else { return (t.stopSignal, false) }
                // What changes from here on is news for the tracer, even while the task is on its way to the stop.
                t.trace?.mustNotify = false
                if case .none = g.stop { return (Signal.SIGTRAP, true) }
                return (t.stopSignal, true)
            }
        }
        if isSeized {
            traceNotify(signal.rawValue | TraceEvent.stop.rawValue << 8, signal: signal, isGroupStop: true)
        } else {
            traceStop(signal.rawValue, isGroupStop: true)
        }
    }

    // MARK: registers

    /// Puts the number, result or restart code of a system call where a tracer looks for it.
    private func showCallState() {
        if case .none = callState { return }
        var registers = context.registers
        registers.originalRAX = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: systemCallNumber)))
        switch callState {
        case .none: break
        case .running: registers.rax = UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue))
        case .result(let value): registers.rax = value
        case .restart(let code): registers.rax = UInt64(bitPattern: -Int64(code.rawValue))
        }
        context.registers = registers
    }

    /// What the registers say after the stop: a tracer may have changed result, number, or forbidden the restart (ORIG_RAX -1). Also where
    /// no call ends: a debugger that has called a function of the program puts the interrupted call back.
    private func readCallState(isChanged: Bool) {
        switch callState {
        case .none: if !isChanged { return }
        case .running:
            callState = .none
            return
        case .result, .restart: callState = .none
        }
        let registers = context.registers
        guard Int32(truncatingIfNeeded: registers.originalRAX) != -1 else { return }
        let code = Errno(rawValue: Int32(truncatingIfNeeded: 0 &- Int64(bitPattern: registers.rax)))
        guard Int64(bitPattern: registers.rax) < 0, code.isRestart else { return }
        systemCallNumber = registers.originalRAX
        callState = .restart(code)
    }

    // MARK: waiting

    /// Until the tracer resumes or detaches, or the task is killed. Nil when the stop is gone already.
    private func stayInTraceStop() -> TraceStop? {
        enum Turn {
            case leave(TraceStop?)
            case serve(TraceRequest)
            case sleep
        }
        while true {
            let turn = threadGroup.signals.withLock { g -> Turn in
                let turn = task.signals.withLock { t -> Turn in
                    guard let stop = t.traceStop else { return .leave(nil) }
                    if stop.isResumed || t.isKilled {
                        if stop.request != nil { t.trace?.tracer.parker.wake() }
                        t.traceStop = nil
                        t.trace?.isListening = false
                        return .leave(stop)
                    }
                    if let request = stop.request {
                        t.traceStop?.request = nil
                        return .serve(request)
                    }
                    return .sleep
                }
                if case .leave = turn { g.recalculate(task) }
                return turn
            }
            switch turn {
            case .leave(let stop): return stop
            case .serve(let request): serve(request)
            case .sleep: sleep()
            }
        }
    }

    private func serve(_ request: TraceRequest) {
        var reply: TraceReply
        switch request {
        case .extendedState: reply = .extendedState(context.extendedState())
        case .setExtendedState(let image):
            do throws(Errno) {
                try context.setExtendedState(image)
                reply = .done
            } catch { reply = .failed(error) }
        }
        let tracer = task.signals.withLock { t in
            t.traceStop?.reply = reply
            return t.trace?.tracer
        }
        tracer?.parker.wake()
    }

    /// SIGCHLD to the tracer, and to the parent when this stop completed a group stop: Linux's do_notify_parent_cldstop.
    private func tellTracer(_ stop: TraceStop, completesGroupStop: Bool) {
        let groupSignal = threadGroup.signals.withLock { g in
            switch g.stop {
            case .none: Int32(0)
            case .stopping(let signal), .stopped(let signal): signal.rawValue
            }
        }
        let tellsParent = kernel.processes.withTree { _ in
            guard let tracer = task.tracer else { return completesGroupStop }
            var info = threadGroup.childInfo(
                of: task, for: tracer.threadGroup, code: stop.isGroupStop ? SignalInfo.CLD_STOPPED : SignalInfo.CLD_TRAPPED,
                status: stop.isGroupStop ? groupSignal : stop.code & 0x7f)
            info.signo = Signal.SIGCHLD.rawValue
            tracer.threadGroup.tellOfChildStop(info)
            tracer.parker.wake()
            return completesGroupStop && tracer.threadGroup !== threadGroup.parent
        }
        if tellsParent { threadGroup.tellParentOfJobControl(.stopped) }
    }
}
