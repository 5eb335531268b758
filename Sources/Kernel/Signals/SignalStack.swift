import LinuxABI

/// `stack_t` of sigaltstack(2).
public struct SignalStack: GuestData {
    public var base = GuestAddress.null
    public var flags: Int32 = 0
    public var padding: Int32 = 0
    public var size: UInt64 = 0
    public init() {}

    /// As a new thread has it: Linux's sas_ss_reset.
    static let none: SignalStack = {
        var stack = SignalStack()
        stack.flags = disabled
        return stack
    }()

    public static let onStack: Int32 = 1
    public static let disabled: Int32 = 2
    public static let autoDisarm = Int32(bitPattern: 0x8000_0000)
    /// MINSIGSTKSZ of x86-64.
    public static let minimumSize: UInt64 = 2048

    /// Linux's on_sig_stack: whether `sp` lies on the stack. Never for SS_AUTODISARM, whose users switch away from it.
    public func contains(_ sp: UInt64) -> Bool {
        if flags & Self.autoDisarm != 0 { return false }
        return sp > base.rawValue && sp &- base.rawValue <= size
    }
    /// Linux's sas_ss_flags.
    public func state(_ sp: UInt64) -> Int32 {
        if size == 0 { return Self.disabled }
        return contains(sp) ? Self.onStack : 0
    }
}
