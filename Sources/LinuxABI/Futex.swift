/// Operations and bits of futex(2).
public enum FutexOperation {
    public static let wait: Int32 = 0
    public static let wake: Int32 = 1
    public static let requeue: Int32 = 3
    public static let compareRequeue: Int32 = 4
    public static let wakeOp: Int32 = 5
    public static let lockPI: Int32 = 6
    public static let unlockPI: Int32 = 7
    public static let tryLockPI: Int32 = 8
    public static let waitBitset: Int32 = 9
    public static let wakeBitset: Int32 = 10
    public static let waitRequeuePI: Int32 = 11
    public static let compareRequeuePI: Int32 = 12
    public static let lockPI2: Int32 = 13

    public static let privateFlag: Int32 = 128
    public static let clockRealtime: Int32 = 256
    public static let commandMask: Int32 = ~(128 | 256)
}

/// The word of a priority-inheritance or robust futex: owner's thread ID and two bits.
public enum FutexWord {
    public static let waiters: UInt32 = 0x8000_0000
    public static let ownerDied: UInt32 = 0x4000_0000
    public static let ownerMask: UInt32 = 0x3fff_ffff
    public static let matchAny: UInt32 = 0xffff_ffff
}

/// `struct robust_list_head` of set_robust_list(2), 24 bytes.
public struct RobustListHead: GuestData {
    public var next = GuestAddress.null
    public var futexOffset: Int64 = 0
    public var pending = GuestAddress.null
    public init() {}
    /// ROBUST_LIST_LIMIT: entries walked at exit.
    public static let limit = 2048
}

/// `struct futex_waitv` of futex_waitv(2), 24 bytes.
public struct FutexWaitVector: GuestData {
    public var value: UInt64 = 0
    public var address = GuestAddress.null
    public var flags: UInt32 = 0
    public var reserved: UInt32 = 0
    public init() {}
    /// FUTEX_WAITV_MAX.
    public static let limit = 128
}

/// FUTEX2_* flags.
public enum Futex2Flags {
    public static let sizeMask: UInt32 = 0x03
    public static let size32: UInt32 = 0x02
    public static let numa: UInt32 = 0x04
    public static let memoryPolicy: UInt32 = 0x08
    public static let `private`: UInt32 = 128
    public static let valid: UInt32 = sizeMask | numa | memoryPolicy | `private`
}

/// The operation word of FUTEX_WAKE_OP: what to do with the second futex word, and which of its old values wake its waiters.
public struct FutexWakeOperation: Sendable, Equatable {
    public enum Operation: UInt32, Sendable { case set, add, or, andNot, exclusiveOr }
    public enum Comparison: UInt32, Sendable { case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual }
    /// Nil for a number that Linux does not know: ENOSYS.
    public var operation: Operation?
    public var comparison: Comparison?
    public var operand: Int32
    public var compared: Int32

    public init(encoded: UInt32) {
        operation = Operation(rawValue: (encoded >> 28) & 7)
        comparison = Comparison(rawValue: (encoded >> 24) & 15)
        var operand = Self.signExtended((encoded >> 12) & 0xfff)
        compared = Self.signExtended(encoded & 0xfff)
        if encoded & (8 << 28) != 0 {
            // FUTEX_OP_ARG_SHIFT. Linux takes the low five bits of a shift that is out of range.
            operand = Int32(bitPattern: UInt32(1) << (UInt32(bitPattern: operand) & 31))
        }
        self.operand = operand
    }
    private static func signExtended(_ bits: UInt32) -> Int32 { Int32(bitPattern: bits << 20) >> 20 }

    /// The word after the operation.
    public func applied(to old: UInt32) -> UInt32 {
        let argument = UInt32(bitPattern: operand)
        return switch operation {
        case .set: argument
        case .add: old &+ argument
        case .or: old | argument
        case .andNot: old & ~argument
        case .exclusiveOr: old ^ argument
        case nil: old
        }
    }
    /// Whether the old value satisfies the comparison.
    public func matches(_ old: UInt32) -> Bool {
        let value = Int32(bitPattern: old)
        return switch comparison {
        case .equal: value == compared
        case .notEqual: value != compared
        case .less: value < compared
        case .lessOrEqual: value <= compared
        case .greater: value > compared
        case .greaterOrEqual: value >= compared
        case nil: false
        }
    }
}
