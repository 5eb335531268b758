import LinuxABI
import Platform
import Synchronization

extension CurrentTask {
    /// Runs the guest thread until it ends: resume, get the event, do the kernel's work for it, deliver signals, resume.
    func run(_ dispatcher: any SystemCallDispatcher) {
        var result: UInt64?
        var restart: Errno?
        if kernel.freezer.holds(threadGroup.id) { task.work.store(true, ordering: .sequentiallyConsistent) }
        while true {
            if task.work.load(ordering: .relaxed) || restart != nil || savedMask != nil || ending != nil || !traceWork.isEmpty {
                guard prepareReturn(&result, restart) else { return }
                restart = nil
            }
            // Whoever sends a signal sets `work` before it looks at `isInGuest`: one of both sees the other.
            task.isInGuest.store(true, ordering: .sequentiallyConsistent)
            if task.work.load(ordering: .sequentiallyConsistent) {
                task.isInGuest.store(false, ordering: .sequentiallyConsistent)
                continue
            }
            task.processorTime.enterGuest()
            let event = context.resume(returning: result)
            task.processorTime.leaveGuest()
            task.isInGuest.store(false, ordering: .sequentiallyConsistent)
            result = nil
            if !traceWork.isEmpty { clearTrapFlag() }

            switch event {
            case .systemCall(let number, let arguments):
                systemCallNumber = number
                if !task.interceptions.isEmpty {
                    runIntercepted(dispatcher, InterceptedCall(number, arguments))
                    (result, restart) = takeCallState()
                    continue
                }
                do throws(Errno) {
                    let value = try dispatcher.dispatch(self, number: number, arguments: arguments)
                    if replacedRegisters {
                        replacedRegisters = false
                    } else {
                        result = UInt64(bitPattern: Int64(value))
                    }
                } catch {
                    if error.isRestart { restart = error } else { result = Self.failure(error) }
                }
            case .foreignSystemCall(let number):
                result = Self.failure(.ENOSYS)
                if !task.interceptions.isEmpty {
                    systemCallNumber = number
                    runIntercepted(dispatcher, InterceptedCall(foreign: number, context.registers))
                    (result, restart) = takeCallState()
                }
            case .fault(let fault):
                if case .signal(let info) = memory.handleFault(fault) {
                    recordTrap(fault, info)
                    force(info)
                }
            case .exception(let info):
                if !traceWork.isEmpty, absorbsStep(info) { continue }
                recordTrap(info)
                force(info)
            case .interrupted:
                break
            case .exited:
                kernel.report("the host process of task \(task.id) is gone: killing process \(threadGroup.id)")
                endGroup(.killed(.SIGKILL))
            }
        }
    }

    static func failure(_ error: Errno) -> UInt64 { UInt64(bitPattern: -Int64(error.rawValue)) }

    /// Does what must be done before guest code goes on: signals, stops, restarts of interrupted calls, the saved mask.
    /// - Returns: false when the thread ends.
    private func prepareReturn(_ result: inout UInt64?, _ interrupted: Errno?) -> Bool {
        var restart = interrupted
        if traceWork.contains(.exitStop) { stopAfterCall(&result, &restart) }
        while true {
            if ending != nil { return false }
            stayFrozen()
            if isSignalPending {
                setCallState(result, restart)
                let delivery = nextDelivery()
                (result, restart) = takeCallState()
                switch delivery {
                case .none: break
                case .end(let status):
                    ending = status
                    return false
                case .handler(let signal, let info, let action):
                    var registers = context.registers
                    if let value = result { registers.rax = value }
                    if let code = restart { settle(code, action, &registers) }
                    result = nil
                    restart = nil
                    // A handler ends what restart_syscall(2) could have gone on with.
                    if restartBlock != nil { restartBlock = nil }
                    startHandler(signal, info, action, &registers)
                    context.registers = registers
                    // A step into a handler ends at its first instruction.
                    if traceWork.contains(.step) { traceNotify(Signal.SIGTRAP.rawValue) }
                    continue
                }
            }
            if let code = restart {
                // No handler ran: the call starts again as if nothing had happened.
                var registers = context.registers
                registers.rax = code == .ERESTART_RESTARTBLOCK ? Self.restartSystemCall : systemCallNumber
                registers.rip &-= Self.systemCallLength
                registers.originalRAX = .max
                context.registers = registers
                result = nil
                restart = nil
            }
            if savedMask != nil {
                restoreSignalMask()
                continue
            }
            if !traceWork.isDisjoint(with: [.step, .watch]) { setTrapFlag(&result) }
            return true
        }
    }

    /// An interrupted call whose signal has a handler: EINTR, or the call again after the handler.
    private func settle(_ code: Errno, _ action: SignalAction, _ registers: inout RegisterFile) {
        let startsAgain = code == .ERESTARTNOINTR || (code == .ERESTARTSYS && action.has(.restart))
        if startsAgain {
            registers.rax = systemCallNumber
            registers.rip &-= Self.systemCallLength
        } else {
            registers.rax = Self.failure(.EINTR)
        }
    }

    /// The `syscall` instruction: two bytes.
    private static var systemCallLength: UInt64 { 2 }
    /// restart_syscall(2) on x86-64.
    private static var restartSystemCall: UInt64 { 219 }

    // MARK: trapno, err, cr2

    private func recordTrap(_ fault: Fault, _ info: SignalInfo) {
        var error: UInt64 = 4  // from user mode
        if info.code == SignalInfo.SEGV_ACCERR && info.signo == Signal.SIGSEGV.rawValue { error |= 1 }
        switch fault.access {
        case .write: error |= 2
        case .execute: error |= 16
        case .read: break
        case .unknown: error |= inferredAccess(fault, isProtection: error & 1 != 0)
        }
        trap = TrapState(number: 14, error: error, address: fault.address.rawValue)
    }

    /// The access bits of the error code where the platform does not see them: an instruction fetch faults at RIP, and a readable page
    /// that refused an access refused a store. What touched an unmapped page counts as a load.
    private func inferredAccess(_ fault: Fault, isProtection: Bool) -> UInt64 {
        if context.registers.rip == fault.address.rawValue { return 16 }
        guard isProtection, let region = memory.regions().first(where: { $0.range.contains(fault.address) }) else { return 0 }
        return region.protection.contains(.read) ? 2 : 0
    }

    private func recordTrap(_ info: SignalInfo) {
        guard let signal = Signal(rawValue: info.signo) else { return }
        switch signal {
        case .SIGFPE: trap.number = info.code == 1 ? 0 : 16  // divide error; x87
        case .SIGTRAP: trap.number = info.code == SignalInfo.SI_KERNEL ? 3 : 1  // breakpoint; debug
        case .SIGILL: trap.number = 6
        case .SIGBUS: trap.number = 17
        default: trap.number = 13
        }
        trap.error = 0
    }
}
