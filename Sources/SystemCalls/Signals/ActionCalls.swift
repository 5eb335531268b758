import HostOS
import Kernel
import LinuxABI
import Memory

/// Actions, masks, waiting for signals, and the return from handlers.
extension SystemCallFamilies {
    public static let signals: [SystemCallEntry] = [
        .init(13, "rt_sigaction", sysRtSigaction),
        .init(14, "rt_sigprocmask", sysRtSigprocmask),
        .init(15, "rt_sigreturn", sysRtSigreturn),
        .init(34, "pause", { (current, _) throws(Errno) in try current.pause() }),
        .init(127, "rt_sigpending", sysRtSigpending),
        .init(128, "rt_sigtimedwait", sysRtSigtimedwait),
        .init(130, "rt_sigsuspend", sysRtSigsuspend),
        .init(131, "sigaltstack", sysSigaltstack),
    ]

    /// sizeof(sigset_t) of the kernel.
    private static let setSize: UInt64 = 8

    @Sendable static func sysRtSigaction(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a[3] == setSize else { throw .EINVAL }
        let new = a.address(1).isNull ? nil : try current.memory.load(SignalAction.self, at: a.address(1))
        guard let signal = Signal(rawValue: a.int(0)) else { throw .EINVAL }
        let old: SignalAction
        if let new { old = try current.setAction(signal, new) } else { old = current.threadGroup.actions[signal] }
        if !a.address(2).isNull { try current.memory.store(old, at: a.address(2)) }
        return 0
    }

    @Sendable static func sysRtSigprocmask(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a[3] == setSize else { throw .EINVAL }
        let old = current.blockedSignals
        if !a.address(1).isNull {
            let set = try current.memory.load(SignalSet.self, at: a.address(1))
            switch a.int(0) {
            case 0: current.setBlockedSignals(old.union(set.subtracting(.unblockable)))  // SIG_BLOCK
            case 1: current.setBlockedSignals(old.subtracting(set))  // SIG_UNBLOCK
            case 2: current.setBlockedSignals(set)  // SIG_SETMASK
            default: throw .EINVAL
            }
        }
        if !a.address(2).isNull { try current.memory.store(old, at: a.address(2)) }
        return 0
    }

    @Sendable static func sysRtSigreturn(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        current.returnFromSignal()
        return 0
    }

    @Sendable static func sysRtSigpending(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a[1] <= setSize else { throw .EINVAL }
        let set = current.pendingSignals.intersection(current.blockedSignals).rawValue
        let bytes = (0..<a[1]).map { UInt8(truncatingIfNeeded: set >> ($0 * 8)) }
        try current.memory.copyOut(bytes, to: a.address(0))
        return 0
    }

    @Sendable static func sysRtSigsuspend(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a[1] == setSize else { throw .EINVAL }
        try current.suspend(with: try current.memory.load(SignalSet.self, at: a.address(0)))
    }

    @Sendable static func sysRtSigtimedwait(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a[3] == setSize else { throw .EINVAL }
        let set = try current.memory.load(SignalSet.self, at: a.address(0))
        var deadline: MonotonicInstant?
        if !a.address(2).isNull {
            let timeout = try current.memory.load(Timespec.self, at: a.address(2))
            guard timeout.isValid else { throw .EINVAL }
            deadline = .after(nanoseconds: timeout.totalNanoseconds)
        }
        let info = try current.waitForSignal(set, until: deadline)
        if !a.address(1).isNull { try current.memory.store(info, at: a.address(1)) }
        return Int(info.signo)
    }

    @Sendable static func sysSigaltstack(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let new = a.address(0).isNull ? nil : try current.memory.load(SignalStack.self, at: a.address(0))
        let stackPointer = current.context.registers.rsp
        let old = current.reportedAlternateStack(stackPointer: stackPointer)
        if let new { try current.setAlternateStack(new, stackPointer: stackPointer) }
        if !a.address(1).isNull { try current.memory.store(old, at: a.address(1)) }
        return 0
    }
}
