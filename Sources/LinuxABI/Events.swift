/// `struct pollfd` (poll(2)), 8 bytes.
public struct PollDescriptor: GuestData {
    public var descriptor: Int32 = -1
    public var events: UInt16 = 0
    public var returnedEvents: UInt16 = 0
    public init() {}
}

/// `struct epoll_event` (epoll_ctl(2)): packed on x86-64, 12 bytes. The data word is kept as two halves, so that nothing needs 8-byte alignment.
public struct EpollEvent: GuestData {
    public var events: UInt32 = 0
    public var dataLow: UInt32 = 0
    public var dataHigh: UInt32 = 0
    public init() {}
    public init(events: UInt32, data: UInt64) {
        self.events = events
        dataLow = UInt32(truncatingIfNeeded: data)
        dataHigh = UInt32(truncatingIfNeeded: data >> 32)
    }
    public var data: UInt64 { UInt64(dataLow) | UInt64(dataHigh) << 32 }
}

/// Behaviour bits of an epoll registration, above the poll events (epoll_ctl(2)).
public struct EpollFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let exclusive = EpollFlags(rawValue: 1 << 28)
    public static let wakeUp = EpollFlags(rawValue: 1 << 29)
    public static let oneShot = EpollFlags(rawValue: 1 << 30)
    public static let edgeTriggered = EpollFlags(rawValue: 1 << 31)
    public static let all: EpollFlags = [.exclusive, .wakeUp, .oneShot, .edgeTriggered]
}

public enum EpollOperation: Int32, Sendable {
    case add = 1
    case delete = 2
    case modify = 3
}

/// `struct signalfd_siginfo` (signalfd(2)), 128 bytes.
public struct SignalFDInfo: GuestData {
    public var signo: UInt32 = 0
    public var errno: Int32 = 0
    public var code: Int32 = 0
    public var pid: UInt32 = 0
    public var uid: UInt32 = 0
    public var fd: Int32 = 0
    public var timerID: UInt32 = 0
    public var band: UInt32 = 0
    public var overrun: UInt32 = 0
    public var trapNumber: UInt32 = 0
    public var status: Int32 = 0
    public var integer: Int32 = 0
    public var pointer: UInt64 = 0
    public var userTime: UInt64 = 0
    public var systemTime: UInt64 = 0
    public var address: UInt64 = 0
    public var addressLSB: UInt16 = 0
    public var padding2: UInt16 = 0
    public var systemCall: Int32 = 0
    public var callAddress: UInt64 = 0
    public var architecture: UInt32 = 0
    public var tail: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0)
    public init() {}

    /// As signalfd_copyinfo: which fields count depends on the code.
    public init(_ info: SignalInfo) {
        signo = UInt32(bitPattern: info.signo)
        errno = info.errno
        code = info.code
        switch info.code {
        case SignalInfo.SI_TIMER:
            timerID = UInt32(bitPattern: info.timerID)
            overrun = UInt32(bitPattern: info.overrun)
            pointer = info.value
            integer = Int32(truncatingIfNeeded: info.value)
        case ...0:
            pid = UInt32(bitPattern: info.pid)
            uid = info.uid
            if info.code != SignalInfo.SI_USER && info.code != SignalInfo.SI_TKILL {
                pointer = info.value
                integer = Int32(truncatingIfNeeded: info.value)
            }
        case SignalInfo.SI_KERNEL:
            pid = UInt32(bitPattern: info.pid)
            uid = info.uid
        default:
            switch info.signo {
            case Signal.SIGCHLD.rawValue:
                pid = UInt32(bitPattern: info.pid)
                uid = info.uid
                status = info.status
                userTime = info.userTime
                systemTime = info.systemTime
            case Signal.SIGSEGV.rawValue, Signal.SIGBUS.rawValue, Signal.SIGFPE.rawValue, Signal.SIGILL.rawValue, Signal.SIGTRAP.rawValue:
                address = info.address.rawValue
            default:
                pid = UInt32(bitPattern: info.pid)
                uid = info.uid
            }
        }
    }
}
