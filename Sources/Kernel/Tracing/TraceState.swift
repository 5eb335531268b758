import LinuxABI
import VirtualFileSystem

/// That a task is traced, and how: ptrace(2). Part of the task's signal state, for its traps and those of job control decide together
/// where the task stops. The relation (that it is there, and the tracer's list) changes with the tree lock held too.
struct TraceState: Sendable {
    let tracer: Task
    /// Of the moment of attaching: they decide whether execve(2) may raise privileges.
    let tracerCredentials: Credentials
    /// PTRACE_SEIZE.
    let isSeized: Bool
    var options: TraceOptions
    /// The task has to stop for its tracer at its next return to guest code: Linux's JOBCTL_TRAP_STOP.
    var mustTrap = false
    /// A seized task has to tell of a change of job control: JOBCTL_TRAP_NOTIFY.
    var mustNotify = false
    /// PTRACE_LISTEN.
    var isListening = false
}

/// The stop a traced task is in: Linux's TASK_TRACED with exit_code, last_siginfo and ptrace_message. It outlives the trace by a moment
/// when the tracer detaches.
struct TraceStop: Sendable {
    /// What wait4(2) tells, above the 0x7f; 0 once it has. After the resumption the signal to go on with.
    var code: Int32
    /// CLD_STOPPED instead of CLD_TRAPPED.
    var isGroupStop = false
    /// PTRACE_GETEVENTMSG.
    var message: UInt64 = 0
    /// Nil in a group stop of a task that was attached, not seized.
    var info: SignalInfo?
    var registers: RegisterFile
    var hasNewRegisters = false
    var debugRegisters = DebugRegisters()
    /// The mask behind a temporary one (ppoll(2) and the like).
    var savedMask: SignalSet?
    /// The task goes on as soon as its thread sees it.
    var isResumed = false
    /// It goes on for one instruction.
    var stepsOnce = false
    var request: TraceRequest?
    var reply: TraceReply?
}

/// What only the stopped thread itself can do for its tracer.
enum TraceRequest: Sendable {
    case extendedState
    case setExtendedState([UInt8])
}
enum TraceReply: Sendable {
    case extendedState([UInt8])
    case done
    case failed(Errno)
}

/// Why a task's system calls need a closer look: Linux's syscall_work.
struct Interception: OptionSet, Sendable {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    /// PTRACE_SYSCALL.
    static let trace = Interception(rawValue: 1)
    /// PTRACE_SYSEMU.
    static let emulate = Interception(rawValue: 2)
    /// PTRACE_SINGLESTEP: a trap behind the call.
    static let step = Interception(rawValue: 4)
    /// seccomp(2).
    static let seccomp = Interception(rawValue: 8)

    static let tracing: Interception = [.trace, .emulate, .step]
}

/// What a tracer wants of a task's return to guest code.
struct TraceWork: OptionSet, Sendable {
    let rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    /// PTRACE_SINGLESTEP: one instruction.
    static let step = TraceWork(rawValue: 1)
    /// The tracer asked for system-call stops in the middle of a call.
    static let exitStop = TraceWork(rawValue: 2)
    /// Debug registers are in force.
    static let watch = TraceWork(rawValue: 4)
}

extension Task {
    /// Any thread may change it; the task looks at it at every system call.
    var interceptions: Interception { Interception(rawValue: interception.load(ordering: .relaxed)) }
    func setInterception(_ new: Interception, clearing: Interception) {
        interception.bitwiseAnd(~clearing.rawValue, ordering: .relaxed)
        interception.bitwiseOr(new.rawValue, ordering: .relaxed)
    }

    /// The tracer; nil for none.
    public var tracer: Task? { signals.withLock { $0.trace?.tracer } }
    var isTraced: Bool { signals.withLock { $0.trace != nil } }
}

extension TaskSignals {
    /// In a stop for the tracer, and not resumed yet.
    var isTraceStopped: Bool { traceStop.map { !$0.isResumed } ?? false }

    /// The task has to stop for its tracer.
    var isTrapPending: Bool { trace.map { $0.mustTrap || $0.mustNotify } ?? false }

    /// Ends a trace stop; `signal` is what the task goes on with.
    mutating func resumeTraceStop(_ signal: Int32?) {
        if let signal { traceStop?.code = signal }
        traceStop?.isResumed = true
    }
}
