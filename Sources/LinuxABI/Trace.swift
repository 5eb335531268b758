/// Options of PTRACE_SETOPTIONS (ptrace(2)).
public struct TraceOptions: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let systemCallGood = TraceOptions(rawValue: 0x1)
    public static let fork = TraceOptions(rawValue: 0x2)
    public static let vfork = TraceOptions(rawValue: 0x4)
    public static let clone = TraceOptions(rawValue: 0x8)
    public static let exec = TraceOptions(rawValue: 0x10)
    public static let vforkDone = TraceOptions(rawValue: 0x20)
    public static let exit = TraceOptions(rawValue: 0x40)
    public static let seccomp = TraceOptions(rawValue: 0x80)
    public static let exitKill = TraceOptions(rawValue: 0x10_0000)
    public static let suspendSeccomp = TraceOptions(rawValue: 0x20_0000)
    /// PTRACE_O_MASK.
    public static let known = TraceOptions(rawValue: 0x30_00ff)
}

/// PTRACE_EVENT_*: the upper part of a stop's status.
public enum TraceEvent: Int32, Sendable {
    case fork = 1
    case vfork = 2
    case clone = 3
    case exec = 4
    case vforkDone = 5
    case exit = 6
    case seccomp = 7
    /// Group stop or PTRACE_INTERRUPT of a seized task.
    case stop = 128

    /// The option that asks for the event; nil for `stop`, which needs none.
    public var option: TraceOptions? { self == .stop ? nil : TraceOptions(rawValue: 1 << UInt64(rawValue)) }
}

/// PTRACE_EVENTMSG_SYSCALL_*: what GETEVENTMSG tells at a system-call stop.
public enum TraceMessage {
    public static let systemCallEntry: UInt64 = 1
    public static let systemCallExit: UInt64 = 2
}

/// AUDIT_ARCH_* (linux/audit.h): the architecture of a system call.
public enum AuditArchitecture {
    public static let x86_64: UInt32 = 0xc000_003e
    public static let i386: UInt32 = 0x4000_0003
}

extension SignalInfo {
    /// si_code of SIGTRAP.
    public static let TRAP_BRKPT: Int32 = 1
    public static let TRAP_TRACE: Int32 = 2
    public static let TRAP_HWBKPT: Int32 = 4
    /// si_code of SIGSYS from seccomp(2).
    public static let SYS_SECCOMP: Int32 = 1

    /// si_call_addr, si_syscall and si_arch of `_sigsys`.
    public mutating func setCall(_ address: UInt64, number: Int32, architecture: UInt32) {
        fields.0 = address
        fields.1 = UInt64(UInt32(bitPattern: number)) | UInt64(architecture) << 32
    }
}
