import HostOS
import LinuxABI

/// How a resumed tracee goes on.
public enum TraceResumption: Sendable {
    case `continue`, systemCall, singleStep, emulate, emulateSingleStep

    var interception: Interception {
        switch self {
        case .continue: []
        case .systemCall: .trace
        case .singleStep: .step
        case .emulate: .emulate
        case .emulateSingleStep: [.emulate, .step]
        }
    }
}

/// The tracer's side of ptrace(2): what it reads and changes of a stopped tracee.
extension CurrentTask {
    /// Linux's ptrace_resume. - Throws: EIO for no signal.
    public func resume(_ tracee: Task, _ how: TraceResumption, signal: Int32) throws(Errno) {
        guard (0...64).contains(signal) else { throw .EIO }
        try change(tracee) { t, stop throws(Errno) in
            tracee.setInterception(how.interception, clearing: .tracing)
            stop.stepsOnce = how.interception.contains(.step)
            stop.code = signal
            stop.isResumed = true
        }
        tracee.parker.wake()
    }

    /// Runs `body` on a tracee's stop. - Throws: ESRCH when it is over, and what `body` throws.
    private func change<R: Sendable>(_ tracee: Task, _ body: (inout TaskSignals, inout TraceStop) throws(Errno) -> R) throws(Errno) -> R {
        try tracee.threadGroup.signals.withLock { _ throws(Errno) in
            try tracee.signals.withLock { t throws(Errno) in
                guard t.trace?.tracer === task, var stop = t.traceStop, !stop.isResumed else { throw .ESRCH }
                defer { t.traceStop = stop }
                return try body(&t, &stop)
            }
        }
    }

    public func registers(of tracee: Task) throws(Errno) -> RegisterFile { try change(tracee) { _, stop throws(Errno) in stop.registers } }

    /// Changes the registers. The change holds where `body` throws half-way, as on Linux.
    public func changeRegisters(of tracee: Task, _ body: (inout RegisterFile) throws(Errno) -> Void) throws(Errno) {
        try change(tracee) { _, stop throws(Errno) in
            stop.hasNewRegisters = true
            try body(&stop.registers)
        }
    }

    public func debugRegister(of tracee: Task, _ number: Int) throws(Errno) -> UInt64 {
        try change(tracee) { _, stop throws(Errno) in stop.debugRegisters.value(number) }
    }
    /// - Throws: as `DebugRegisters.set`.
    public func setDebugRegister(of tracee: Task, _ number: Int, _ value: UInt64) throws(Errno) {
        try change(tracee) { _, stop throws(Errno) in try stop.debugRegisters.set(number, value) }
    }

    /// PTRACE_GETEVENTMSG.
    public func traceMessage(of tracee: Task) throws(Errno) -> UInt64 { try change(tracee) { _, stop throws(Errno) in stop.message } }

    /// PTRACE_GETSIGINFO. - Throws: EINVAL in a group stop of an attached task.
    public func signalInfo(of tracee: Task) throws(Errno) -> SignalInfo {
        try change(tracee) { _, stop throws(Errno) in
            guard let info = stop.info else { throw .EINVAL }
            return info
        }
    }
    public func setSignalInfo(of tracee: Task, _ info: SignalInfo) throws(Errno) {
        try change(tracee) { _, stop throws(Errno) in
            guard stop.info != nil else { throw .EINVAL }
            stop.info = info
        }
    }

    /// PTRACE_GETSIGMASK.
    public func signalMask(of tracee: Task) throws(Errno) -> SignalSet {
        try change(tracee) { t, stop throws(Errno) in stop.savedMask ?? t.blocked }
    }
    /// PTRACE_SETSIGMASK.
    public func setSignalMask(of tracee: Task, _ mask: SignalSet) throws(Errno) {
        try change(tracee) { t, stop throws(Errno) in
            t.blocked = mask.subtracting(.unblockable)
            stop.savedMask = nil
        }
    }

    /// PTRACE_PEEKSIGINFO: pending signals, `limit` at most, from number `offset` of the queue on.
    public func pendingSignals(of tracee: Task, shared: Bool, offset: UInt64, limit: Int) -> [SignalInfo] {
        tracee.threadGroup.signals.withLock { g in
            let queue = shared ? g.pending.infos : tracee.signals.withLock { $0.pending.infos }
            guard offset < UInt64(queue.count) else { return [] }
            return Array(queue[Int(offset)...].prefix(limit))
        }
    }

    /// The kind of system-call stop that PTRACE_GET_SYSCALL_INFO tells of.
    public enum SystemCallStop: Sendable { case none, entry, exit, seccomp }
    public func systemCallStop(of tracee: Task) throws(Errno) -> (stop: SystemCallStop, registers: RegisterFile, message: UInt64) {
        try change(tracee) { _, stop throws(Errno) in
            var kind = SystemCallStop.none
            switch stop.info?.code {
            case Signal.SIGTRAP.rawValue | 0x80:
                if stop.message == TraceMessage.systemCallEntry { kind = .entry }
                if stop.message == TraceMessage.systemCallExit { kind = .exit }
            case Signal.SIGTRAP.rawValue | TraceEvent.seccomp.rawValue << 8: kind = .seccomp
            default: break
            }
            return (kind, stop.registers, stop.message)
        }
    }

    // MARK: vector state

    /// The tracee's XSAVE image. - Throws: ESRCH when it goes on meanwhile.
    public func extendedState(of tracee: Task) throws(Errno) -> [UInt8] {
        guard case .extendedState(let image) = try ask(tracee, .extendedState) else { throw .ESRCH }
        return image
    }
    /// - Throws: EINVAL for an image that cannot be loaded, ESRCH.
    public func setExtendedState(of tracee: Task, _ image: [UInt8]) throws(Errno) {
        if case .failed(let error) = try ask(tracee, .setExtendedState(image)) { throw error }
    }

    /// Lets the tracee's own thread do something. It wakes this one when it has, and when it leaves the stop without.
    private func ask(_ tracee: Task, _ request: TraceRequest) throws(Errno) -> TraceReply {
        try change(tracee) { _, stop throws(Errno) in
            stop.reply = nil
            stop.request = request
        }
        tracee.parker.wake()
        while true {
            let reply = try change(tracee) { _, stop throws(Errno) in
                defer { stop.reply = nil }
                return stop.reply
            }
            if let reply { return reply }
            sleep()
        }
    }
}

extension Task {
    /// The system call that a task stopped for its tracer is in, for /proc/PID/syscall: its registers, ORIG_RAX -1 for none. Nil for a task
    /// that is not.
    public var stoppedRegisters: RegisterFile? { signals.withLock { $0.traceStop?.registers } }
}
