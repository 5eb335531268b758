import LinuxABI
import Synchronization

/// `struct kernel_sigaction` of x86-64: what rt_sigaction(2) sets.
public struct SignalAction: GuestData {
    public var handler: UInt64 = 0
    public var flags: UInt64 = 0
    public var restorer: UInt64 = 0
    public var mask = SignalSet()
    public init() {}

    public static let defaultHandler: UInt64 = 0
    public static let ignoreHandler: UInt64 = 1

    public var isDefault: Bool { handler == Self.defaultHandler }
    public var isIgnore: Bool { handler == Self.ignoreHandler }
    public func has(_ flag: Flags) -> Bool { flags & flag.rawValue != 0 }

    /// SA_* of sigaction(2).
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        public static let noChildStop = Flags(rawValue: 0x1)
        public static let noChildWait = Flags(rawValue: 0x2)
        public static let information = Flags(rawValue: 0x4)
        public static let unsupported = Flags(rawValue: 0x400)
        public static let exposeTagBits = Flags(rawValue: 0x800)
        public static let restorer = Flags(rawValue: 0x0400_0000)
        public static let onStack = Flags(rawValue: 0x0800_0000)
        public static let restart = Flags(rawValue: 0x1000_0000)
        public static let noDefer = Flags(rawValue: 0x4000_0000)
        public static let resetHandler = Flags(rawValue: 0x8000_0000)
        /// The flags that Linux on x86-64 knows (UAPI_SA_FLAGS with SA_RESTORER); others are dropped, so that programs can probe.
        public static let known: Flags = [
            .noChildStop, .noChildWait, .information, .exposeTagBits, .restorer, .onStack, .restart, .noDefer, .resetHandler,
        ]
    }
}

/// The table of signal actions: Linux's sighand_struct, shared with CLONE_SIGHAND.
public final class SignalActions: Sendable {
    private let table: Mutex<[SignalAction]>

    public init() { table = Mutex(Array(repeating: SignalAction(), count: 64)) }
    private init(_ actions: [SignalAction]) { table = Mutex(actions) }

    public subscript(_ signal: Signal) -> SignalAction {
        get { table.withLock { $0[Int(signal.rawValue) - 1] } }
        set { table.withLock { $0[Int(signal.rawValue) - 1] = newValue } }
    }
    /// For clone without CLONE_SIGHAND.
    public func copy() -> SignalActions { SignalActions(table.withLock { $0 }) }
    /// For execve(2): handlers become the default, ignored signals stay ignored, flags and masks are cleared.
    func resetForExec() {
        table.withLock {
            for index in $0.indices {
                var fresh = SignalAction()
                if $0[index].isIgnore { fresh.handler = SignalAction.ignoreHandler }
                $0[index] = fresh
            }
        }
    }
    /// CLONE_CLEAR_SIGHAND: handlers become the default, ignored signals stay ignored.
    func clearHandlers() { resetForExec() }

    /// For /proc/PID/status.
    public var ignored: SignalSet { select { $0.isIgnore } }
    public var caught: SignalSet { select { !$0.isIgnore && !$0.isDefault } }
    private func select(_ test: (SignalAction) -> Bool) -> SignalSet {
        table.withLock { actions in
            var set = SignalSet()
            for index in actions.indices where test(actions[index]) { set.rawValue |= 1 << UInt64(index) }
            return set
        }
    }
}

extension Signal {
    /// What SIG_DFL does (signal(7)).
    public enum DefaultAction: Sendable { case ignore, stop, dumpCore, terminate }
    public var defaultAction: DefaultAction {
        switch self {
        case .SIGCONT, .SIGCHLD, .SIGWINCH, .SIGURG: .ignore
        case .SIGSTOP, .SIGTSTP, .SIGTTIN, .SIGTTOU: .stop
        case .SIGQUIT, .SIGILL, .SIGTRAP, .SIGABRT, .SIGFPE, .SIGSEGV, .SIGBUS, .SIGSYS, .SIGXCPU, .SIGXFSZ: .dumpCore
        default: .terminate
        }
    }
}

extension SignalSet {
    /// SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU.
    static let stops = SignalSet(rawValue: Signal.SIGSTOP.bit | Signal.SIGTSTP.bit | Signal.SIGTTIN.bit | Signal.SIGTTOU.bit)
    /// Raised by the instruction itself: delivered before others.
    static let synchronous = SignalSet(
        rawValue: Signal.SIGSEGV.bit | Signal.SIGBUS.bit | Signal.SIGILL.bit | Signal.SIGTRAP.bit | Signal.SIGFPE.bit | Signal.SIGSYS.bit)
    /// The lowest signal of the set.
    var lowest: Signal? { rawValue == 0 ? nil : Signal(rawValue: Int32(rawValue.trailingZeroBitCount) + 1) }
}
