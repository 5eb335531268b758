import LinuxABI

/// The resource limits that an address space enforces, in bytes (getrlimit(2)), as its process has them now. The kernel sets them at
/// execve and prlimit; memory system calls refresh them.
public struct MemoryLimits: Sendable, Equatable {
    /// RLIMIT_AS.
    public var addressSpace: UInt64
    /// RLIMIT_DATA.
    public var data: UInt64
    /// RLIMIT_STACK.
    public var stack: UInt64
    /// RLIMIT_MEMLOCK.
    public var lockedMemory: UInt64
    /// CAP_IPC_LOCK: `lockedMemory` does not bind.
    public var mayLockAny: Bool

    public init(
        addressSpace: UInt64 = .max, data: UInt64 = .max, stack: UInt64 = 8 << 20, lockedMemory: UInt64 = 8 << 20,
        mayLockAny: Bool = false
    ) {
        self.addressSpace = addressSpace
        self.data = data
        self.stack = stack
        self.lockedMemory = lockedMemory
        self.mayLockAny = mayLockAny
    }
}

/// Where an address space places things, randomised per execve.
public struct AddressLayout: Sendable {
    /// mmap(2) looks for room from here down.
    public var mmapBase: GuestAddress
    /// One past the initial stack: the loader maps the stack so that it ends here.
    public var stackTop: GuestAddress

    static func random(vdso: GuestRange?, stackLimit: UInt64) -> AddressLayout {
        // As on Linux: up to 16 GiB of noise for the stack, 28 bits of pages for mmap.
        var top = AddressLimits.maximum.rawValue
        let stackNoise: UInt64 = 16 << 30
        if let vdso, vdso.start.rawValue < top, vdso.end.rawValue > top - 2 * stackNoise { top = vdso.start.rawValue }
        top = Page.down(top - (1 << 20))
        let stackTop = top - UInt64.random(in: 0..<(stackNoise >> Page.shift)) << Page.shift
        let room = min(max(stackLimit, 128 << 20), 16 << 40)
        let noise = UInt64.random(in: 0..<(1 << 28)) << Page.shift
        let base = top - stackNoise - Page.down(room) - AddressSpaceState.stackGuardGap - noise
        return AddressLayout(mmapBase: GuestAddress(base), stackTop: GuestAddress(stackTop))
    }
}
