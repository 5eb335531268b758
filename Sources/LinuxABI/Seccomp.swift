/// `struct sock_filter` (linux/filter.h): one instruction of a classic BPF program.
public struct FilterInstruction: GuestData, Equatable {
    public var code: UInt16 = 0
    public var ifTrue: UInt8 = 0
    public var ifFalse: UInt8 = 0
    public var k: UInt32 = 0
    public init() {}
    public init(_ code: UInt16, _ k: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0) {
        self.code = code
        self.k = k
        self.ifTrue = ifTrue
        self.ifFalse = ifFalse
    }
}

/// `struct seccomp_data`: what a filter sees of a system call.
public struct SeccompData: GuestData {
    public var number: Int32 = 0
    public var architecture: UInt32 = 0
    public var instructionPointer: UInt64 = 0
    public var a0: UInt64 = 0
    public var a1: UInt64 = 0
    public var a2: UInt64 = 0
    public var a3: UInt64 = 0
    public var a4: UInt64 = 0
    public var a5: UInt64 = 0
    public init() {}

    /// In bytes.
    public static let size: UInt32 = 64

    /// The 32-bit word at a byte offset that is a multiple of 4 below `size`.
    @inlinable public func word(_ offset: UInt32) -> UInt32 {
        switch offset {
        case 0: return UInt32(bitPattern: number)
        case 4: return architecture
        default:
            let wide = offset & ~7
            let value =
                wide == 8 ? instructionPointer : wide == 16 ? a0 : wide == 24 ? a1 : wide == 32 ? a2 : wide == 40 ? a3 : wide == 48 ? a4 : a5
            return UInt32(truncatingIfNeeded: offset & 4 == 0 ? value : value >> 32)
        }
    }
}

/// SECCOMP_RET_*: the upper half of what a filter returns; lower values win, as signed numbers.
public enum SeccompAction {
    public static let killProcess: UInt32 = 0x8000_0000
    public static let killThread: UInt32 = 0
    public static let trap: UInt32 = 0x0003_0000
    public static let error: UInt32 = 0x0005_0000
    public static let notify: UInt32 = 0x7fc0_0000
    public static let trace: UInt32 = 0x7ff0_0000
    public static let log: UInt32 = 0x7ffc_0000
    public static let allow: UInt32 = 0x7fff_0000
    public static let mask: UInt32 = 0xffff_0000
    public static let dataMask: UInt32 = 0xffff

    public static let all = [killProcess, killThread, trap, error, notify, trace, log, allow]
}

/// SECCOMP_FILTER_FLAG_*.
public struct SeccompFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let synchronize = SeccompFlags(rawValue: 1)
    public static let log = SeccompFlags(rawValue: 2)
    public static let speculationAllowed = SeccompFlags(rawValue: 4)
    public static let newListener = SeccompFlags(rawValue: 8)
    public static let synchronizeOrFail = SeccompFlags(rawValue: 16)
    public static let waitKillable = SeccompFlags(rawValue: 32)
    public static let known = SeccompFlags(rawValue: 63)
}

/// `struct seccomp_notif`.
public struct SeccompNotification: GuestData {
    public var id: UInt64 = 0
    public var pid: UInt32 = 0
    public var flags: UInt32 = 0
    public var data = SeccompData()
    public init() {}
}

/// `struct seccomp_notif_resp`.
public struct SeccompResponse: GuestData {
    public var id: UInt64 = 0
    public var value: Int64 = 0
    public var error: Int32 = 0
    public var flags: UInt32 = 0
    public init() {}
    /// SECCOMP_USER_NOTIF_FLAG_CONTINUE.
    public static let goOn: UInt32 = 1
}

/// `struct seccomp_notif_addfd`.
public struct SeccompDescriptor: GuestData {
    public var id: UInt64 = 0
    public var flags: UInt32 = 0
    public var source: UInt32 = 0
    public var target: UInt32 = 0
    public var targetFlags: UInt32 = 0
    public init() {}
    /// SECCOMP_ADDFD_FLAG_SETFD and _SEND.
    public static let setsNumber: UInt32 = 1
    public static let answers: UInt32 = 2
}
