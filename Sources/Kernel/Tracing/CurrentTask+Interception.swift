import HostOS
import LinuxABI
import Platform

/// A system call on its way through tracer and filters, which may change it.
struct InterceptedCall {
    /// As the guest gave it in RAX.
    var number: UInt64
    var arguments: SystemCallArguments
    let architecture: UInt32

    init(_ number: UInt64, _ arguments: SystemCallArguments) {
        self.number = number
        self.arguments = arguments
        architecture = AuditArchitecture.x86_64
    }
    /// int 0x80: the arguments are in other registers, and 32 bits wide.
    init(foreign number: UInt64, _ r: RegisterFile) {
        self.number = number
        func low(_ value: UInt64) -> UInt64 { value & 0xffff_ffff }
        arguments = SystemCallArguments(low(r.rbx), low(r.rcx), low(r.rdx), low(r.rsi), low(r.rdi), low(r.rbp))
        architecture = AuditArchitecture.i386
    }

    /// What tracers and filters call -1: no system call.
    var isNone: Bool { Int32(truncatingIfNeeded: number) == -1 }
    var isForeign: Bool { architecture != AuditArchitecture.x86_64 }
}

/// System calls of tasks that are traced or filtered: Linux's syscall_trace_enter and syscall_exit_work. All others go past this.
extension CurrentTask {
    /// What the run loop knows of the present call, for stops on the way.
    func setCallState(_ result: UInt64?, _ restart: Errno?) {
        callState = if let restart { .restart(restart) } else if let result { .result(result) } else { .none }
    }
    func takeCallState() -> (result: UInt64?, restart: Errno?) {
        defer { callState = .none }
        switch callState {
        case .none, .running: return (nil, nil)
        case .result(let value): return (value, nil)
        case .restart(let code): return (nil, code)
        }
    }

    /// Runs a call; its outcome is in `callState`.
    func runIntercepted(_ dispatcher: any SystemCallDispatcher, _ call: InterceptedCall) {
        var call = call
        if enter(&call) { perform(dispatcher, call) }
        traceWork.remove(.exitStop)
        if ending == nil { leave() }
    }

    /// The end of a call that nobody looked at when it began.
    func stopAfterCall(_ result: inout UInt64?, _ restart: inout Errno?) {
        traceWork.remove(.exitStop)
        if ending != nil { return }
        setCallState(result, restart)
        leave()
        (result, restart) = takeCallState()
    }

    private func perform(_ dispatcher: any SystemCallDispatcher, _ call: InterceptedCall) {
        if call.isForeign {
            callState = .result(Self.failure(.ENOSYS))
            return
        }
        do throws(Errno) {
            let value = try dispatcher.dispatch(self, number: call.number, arguments: call.arguments)
            if replacedRegisters {
                replacedRegisters = false
                callState = .none
            } else {
                callState = .result(UInt64(bitPattern: Int64(value)))
            }
        } catch {
            callState = error.isRestart ? .restart(error) : .result(Self.failure(error))
        }
    }

    /// - Returns: false when the call is not made; `callState` is its outcome then.
    private func enter(_ call: inout InterceptedCall) -> Bool {
        let work = task.interceptions
        if !work.isDisjoint(with: [.trace, .emulate]) {
            if stopAtCall(TraceMessage.systemCallEntry, &call), work.contains(.emulate) { return false }
            if isDying { return false }
        }
        if work.contains(.seccomp), !filter(&call, isSecondLook: false) { return false }
        return !call.isNone
    }

    private func leave() {
        let work = task.interceptions
        if work.isSuperset(of: .step) && !work.contains(.emulate) {
            // A step over a call ends behind it.
            var info = SignalInfo(.SIGTRAP, code: SignalInfo.TRAP_BRKPT)
            info.address = GuestAddress(context.registers.rip)
            trap.number = 1
            trap.error = 0
            force(info)
        } else if work.contains(.trace) {
            passOn(traceNotify(systemCallStopCode, message: TraceMessage.systemCallExit))
        }
    }

    /// The stop at a call's entry. - Returns: whether there was one; the call is then what the tracer made of it.
    private func stopAtCall(_ message: UInt64, _ call: inout InterceptedCall) -> Bool {
        callState = .running
        passOn(traceNotify(systemCallStopCode, message: message))
        return reload(&call)
    }

    /// The call as the registers have it after a stop. - Returns: whether there was a stop.
    private func reload(_ call: inout InterceptedCall) -> Bool {
        guard case .none = callState else {
            callState = .none
            return false
        }
        let registers = context.registers
        call.number = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: registers.originalRAX)))
        if call.isForeign {
            call.arguments = InterceptedCall(foreign: call.number, registers).arguments
        } else {
            call.arguments = SystemCallArguments(registers)
        }
        systemCallNumber = call.number
        return true
    }

    private var systemCallStopCode: Int32 {
        let isGood = task.signals.withLock { $0.trace?.options.contains(.systemCallGood) ?? false }
        return Signal.SIGTRAP.rawValue | (isGood ? 0x80 : 0)
    }

    /// The signal with which the tracer resumed from a system-call stop.
    private func passOn(_ code: Int32) {
        guard code != systemCallStopCode, let signal = Signal(rawValue: code) else { return }
        raise(signal)
    }

    // MARK: filters

    /// Linux's __secure_computing. - Returns: false when the call is not made.
    private func filter(_ call: inout InterceptedCall, isSecondLook: Bool) -> Bool {
        if task.signals.withLock({ $0.trace?.options.contains(.suspendSeccomp) ?? false }) { return true }
        let state = task.seccomp.withLock { $0 }
        let number = Int32(truncatingIfNeeded: call.number)
        switch state.mode {
        case .disabled: return true
        case .strict:
            // read, write, exit, rt_sigreturn.
            if !call.isForeign, [0, 1, 60, 15].contains(number) { return true }
            ending = .killed(.SIGKILL)
            return false
        case .filter: break
        }
        var data = SeccompData()
        data.number = number
        data.architecture = call.architecture
        if state.filters.contains(where: { $0.program.usesInstructionPointer }) { data.instructionPointer = context.registers.rip }
        let a = call.arguments
        (data.a0, data.a1, data.a2, data.a3, data.a4, data.a5) = (a.a0, a.a1, a.a2, a.a3, a.a4, a.a5)
        let (value, match) = state.run(data)
        let extra = value & SeccompAction.dataMask
        switch value & SeccompAction.mask {
        case SeccompAction.allow: return true
        case SeccompAction.log:
            match?.reportOnce(kernel, "seccomp: task \(task.id) makes system call \(number): logged by its filter")
            return true
        case SeccompAction.error:
            callState = .result(UInt64(bitPattern: -Int64(min(extra, 4095))))
            return false
        case SeccompAction.trap:
            trapCall(number, call.architecture, extra)
            return false
        case SeccompAction.trace: return isSecondLook || traceFilteredCall(&call, extra)
        case SeccompAction.notify:
            data.instructionPointer = context.registers.rip
            return askSupervisor(match?.listener, data)
        case SeccompAction.killThread:
            if threadGroup.signals.withLock({ g in g.tasks.contains { $0 !== task && !$0.isExiting } }) {
                ending = .killed(.SIGSYS)
                return false
            }
        default: break
        }
        rollBack(number)
        endGroup(.killed(.SIGSYS))
        return false
    }

    /// Shows the registers as at the call: Linux's syscall_rollback.
    private func rollBack(_ number: Int32) {
        var registers = context.registers
        registers.rax = UInt64(bitPattern: Int64(number))
        registers.originalRAX = registers.rax
        context.registers = registers
        callState = .none
    }

    /// SECCOMP_RET_TRAP: SIGSYS.
    private func trapCall(_ number: Int32, _ architecture: UInt32, _ extra: UInt32) {
        rollBack(number)
        var info = SignalInfo(.SIGSYS, code: SignalInfo.SYS_SECCOMP)
        info.errno = Int32(bitPattern: extra)
        info.setCall(context.registers.rip, number: number, architecture: architecture)
        force(info)
    }

    /// SECCOMP_RET_TRACE: the tracer decides; without one the call does not exist.
    private func traceFilteredCall(_ call: inout InterceptedCall, _ extra: UInt32) -> Bool {
        guard wantsTrace(.seccomp) else {
            callState = .result(Self.failure(.ENOSYS))
            return false
        }
        callState = .running
        traceEvent(.seccomp, message: UInt64(extra))
        guard reload(&call), !isDying, Int32(truncatingIfNeeded: call.number) >= 0 else { return false }
        return filter(&call, isSecondLook: true)
    }

    /// SECCOMP_RET_USER_NOTIF: waits for the supervisor's answer.
    private func askSupervisor(_ listener: SeccompListener?, _ data: SeccompData) -> Bool {
        guard let listener, let id = listener.post(data, task) else {
            callState = .result(Self.failure(.ENOSYS))
            return false
        }
        while true {
            switch listener.look(id) {
            case .answered(.goOn): return true
            case .answered(.result(let value)):
                setResult(value)
                return false
            case .closed:
                callState = .result(Self.failure(.ENOSYS))
                return false
            case .waiting(let isReceived):
                let isDeaf = isReceived && listener.waitsKillable
                if isDeaf ? isDying : isSignalPending {
                    listener.withdraw(id)
                    callState = .restart(.ERESTARTSYS)
                    return false
                }
                task.setRunState(.sleeping)
                sleep()
                task.setRunState(.running)
            }
        }
    }

    /// A supervisor may answer with a restart code, which then acts as one.
    private func setResult(_ value: UInt64) {
        let code = Errno(rawValue: Int32(truncatingIfNeeded: 0 &- Int64(bitPattern: value)))
        callState = Int64(bitPattern: value) < 0 && code.isRestart ? .restart(code) : .result(value)
    }
}
