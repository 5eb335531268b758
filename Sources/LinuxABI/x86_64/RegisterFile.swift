/// `struct user_regs_struct` of x86-64 (sys/user.h): the general registers of one guest thread, 27 words.
public struct RegisterFile: GuestData, Equatable {
    public var r15: UInt64 = 0
    public var r14: UInt64 = 0
    public var r13: UInt64 = 0
    public var r12: UInt64 = 0
    public var rbp: UInt64 = 0
    public var rbx: UInt64 = 0
    public var r11: UInt64 = 0
    public var r10: UInt64 = 0
    public var r9: UInt64 = 0
    public var r8: UInt64 = 0
    public var rax: UInt64 = 0
    public var rcx: UInt64 = 0
    public var rdx: UInt64 = 0
    public var rsi: UInt64 = 0
    public var rdi: UInt64 = 0
    public var originalRAX: UInt64 = 0
    public var rip: UInt64 = 0
    public var cs: UInt64 = 0x33
    public var flags: UInt64 = 0x202
    public var rsp: UInt64 = 0
    public var ss: UInt64 = 0x2b
    public var fsBase: UInt64 = 0
    public var gsBase: UInt64 = 0
    public var ds: UInt64 = 0
    public var es: UInt64 = 0
    public var fs: UInt64 = 0
    public var gs: UInt64 = 0

    public init() {}
}

/// The six argument registers of a system call, rdi rsi rdx r10 r8 r9 (syscall(2)), with the conversions handlers need.
public struct SystemCallArguments: Sendable, BitwiseCopyable {
    public var a0: UInt64
    public var a1: UInt64
    public var a2: UInt64
    public var a3: UInt64
    public var a4: UInt64
    public var a5: UInt64

    public init(_ a0: UInt64 = 0, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0, _ a4: UInt64 = 0, _ a5: UInt64 = 0) {
        self.a0 = a0
        self.a1 = a1
        self.a2 = a2
        self.a3 = a3
        self.a4 = a4
        self.a5 = a5
    }

    public init(_ r: RegisterFile) { self.init(r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9) }

    @inlinable public subscript(_ index: Int) -> UInt64 {
        switch index {
        case 0: a0
        case 1: a1
        case 2: a2
        case 3: a3
        case 4: a4
        default: a5
        }
    }
    /// The low 32 bits as C `int`: the kernel ignores the upper half of int arguments.
    @inlinable public func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: self[index]) }
    @inlinable public func uint(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: self[index]) }
    @inlinable public func long(_ index: Int) -> Int64 { Int64(bitPattern: self[index]) }
    @inlinable public func address(_ index: Int) -> GuestAddress { GuestAddress(self[index]) }
}
