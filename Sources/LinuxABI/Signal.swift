/// A signal number, 1...64 (signal(7)).
public struct Signal: Hashable, Sendable, BitwiseCopyable, RawRepresentable {
    public let rawValue: Int32
    /// Nil outside 1...64.
    public init?(rawValue: Int32) {
        guard rawValue >= 1 && rawValue <= 64 else { return nil }
        self.rawValue = rawValue
    }
    private init(known: Int32) { rawValue = known }

    public static let SIGHUP = Signal(known: 1)
    public static let SIGINT = Signal(known: 2)
    public static let SIGQUIT = Signal(known: 3)
    public static let SIGILL = Signal(known: 4)
    public static let SIGTRAP = Signal(known: 5)
    public static let SIGABRT = Signal(known: 6)
    public static let SIGBUS = Signal(known: 7)
    public static let SIGFPE = Signal(known: 8)
    public static let SIGKILL = Signal(known: 9)
    public static let SIGUSR1 = Signal(known: 10)
    public static let SIGSEGV = Signal(known: 11)
    public static let SIGUSR2 = Signal(known: 12)
    public static let SIGPIPE = Signal(known: 13)
    public static let SIGALRM = Signal(known: 14)
    public static let SIGTERM = Signal(known: 15)
    public static let SIGSTKFLT = Signal(known: 16)
    public static let SIGCHLD = Signal(known: 17)
    public static let SIGCONT = Signal(known: 18)
    public static let SIGSTOP = Signal(known: 19)
    public static let SIGTSTP = Signal(known: 20)
    public static let SIGTTIN = Signal(known: 21)
    public static let SIGTTOU = Signal(known: 22)
    public static let SIGURG = Signal(known: 23)
    public static let SIGXCPU = Signal(known: 24)
    public static let SIGXFSZ = Signal(known: 25)
    public static let SIGVTALRM = Signal(known: 26)
    public static let SIGPROF = Signal(known: 27)
    public static let SIGWINCH = Signal(known: 28)
    public static let SIGIO = Signal(known: 29)
    public static let SIGPWR = Signal(known: 30)
    public static let SIGSYS = Signal(known: 31)

    public var isRealTime: Bool { rawValue >= 32 }
    public var bit: UInt64 { 1 << UInt64(rawValue - 1) }
}

/// `sigset_t` of the kernel: 64 bits.
public struct SignalSet: OptionSet, Hashable, Sendable, GuestData {
    public var rawValue: UInt64
    public init() { rawValue = 0 }
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public init(_ signal: Signal) { rawValue = signal.bit }

    public func has(_ signal: Signal) -> Bool { rawValue & signal.bit != 0 }
    public mutating func add(_ signal: Signal) { rawValue |= signal.bit }
    public mutating func drop(_ signal: Signal) { rawValue &= ~signal.bit }

    /// SIGKILL and SIGSTOP, which no mask blocks.
    public static let unblockable = SignalSet(rawValue: Signal.SIGKILL.bit | Signal.SIGSTOP.bit)
}

/// `siginfo_t`, 128 bytes: signo, errno, code, padding, then a union that the code decides (sigaction(2)).
public struct SignalInfo: GuestData {
    public var signo: Int32 = 0
    public var errno: Int32 = 0
    public var code: Int32 = 0
    public var padding: Int32 = 0
    /// The union `_sifields`, offset 16, 112 bytes.
    public var fields: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)
    public var fields2: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0)

    public init() {}
    public init(_ signal: Signal, code: Int32) {
        signo = signal.rawValue
        self.code = code
    }

    /// si_pid and si_uid: `_kill`, `_rt`, `_sigchld`.
    public var pid: Int32 {
        get { Int32(truncatingIfNeeded: fields.0) }
        set { fields.0 = (fields.0 & 0xffff_ffff_0000_0000) | UInt64(UInt32(bitPattern: newValue)) }
    }
    public var uid: UInt32 {
        get { UInt32(truncatingIfNeeded: fields.0 >> 32) }
        set { fields.0 = (fields.0 & 0xffff_ffff) | (UInt64(newValue) << 32) }
    }
    /// si_status of `_sigchld`.
    public var status: Int32 {
        get { Int32(truncatingIfNeeded: fields.1) }
        set { fields.1 = (fields.1 & 0xffff_ffff_0000_0000) | UInt64(UInt32(bitPattern: newValue)) }
    }
    /// si_utime and si_stime of `_sigchld`, in clock ticks.
    public var userTime: UInt64 {
        get { fields.2 }
        set { fields.2 = newValue }
    }
    public var systemTime: UInt64 {
        get { fields.3 }
        set { fields.3 = newValue }
    }
    /// si_value of `_rt` and `_timer`.
    public var value: UInt64 {
        get { fields.1 }
        set { fields.1 = newValue }
    }
    /// si_band and si_fd of `_sigpoll`.
    public mutating func setFile(_ descriptor: Int32, band: UInt32) {
        fields.0 = UInt64(band)
        fields.1 = UInt64(UInt32(bitPattern: descriptor))
    }
    /// si_addr of `_sigfault`.
    public var address: GuestAddress {
        get { GuestAddress(fields.0) }
        set { fields.0 = newValue.rawValue }
    }
    /// si_timerid and si_overrun of `_timer`.
    public var timerID: Int32 {
        get { pid }
        set { pid = newValue }
    }
    public var overrun: Int32 {
        get { Int32(bitPattern: uid) }
        set { uid = UInt32(bitPattern: newValue) }
    }

    // si_code values (include/uapi/asm-generic/siginfo.h)
    public static let SI_USER: Int32 = 0
    public static let SI_KERNEL: Int32 = 0x80
    public static let SI_QUEUE: Int32 = -1
    public static let SI_TIMER: Int32 = -2
    public static let SI_MESGQ: Int32 = -3
    public static let SI_ASYNCIO: Int32 = -4
    public static let SI_SIGIO: Int32 = -5
    public static let SI_TKILL: Int32 = -6
    public static let SEGV_MAPERR: Int32 = 1
    public static let SEGV_ACCERR: Int32 = 2
    public static let BUS_ADRALN: Int32 = 1
    public static let BUS_ADRERR: Int32 = 2
    public static let CLD_EXITED: Int32 = 1
    public static let CLD_KILLED: Int32 = 2
    public static let CLD_DUMPED: Int32 = 3
    public static let CLD_TRAPPED: Int32 = 4
    public static let CLD_STOPPED: Int32 = 5
    public static let CLD_CONTINUED: Int32 = 6
}
