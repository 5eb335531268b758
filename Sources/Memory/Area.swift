import LinuxABI

/// A virtual memory area: what the guest asked for. Linux's vm_area_struct; its range is the key in the address space's map.
struct Area: RangeValue {
    struct Flags: OptionSet, Hashable, Sendable {
        let rawValue: UInt16
        init(rawValue: UInt16) { self.rawValue = rawValue }
        static let shared = Flags(rawValue: 1 << 0)
        static let growsDown = Flags(rawValue: 1 << 1)
        static let locked = Flags(rawValue: 1 << 2)
        static let dontFork = Flags(rawValue: 1 << 3)
        static let wipeOnFork = Flags(rawValue: 1 << 4)
        static let dontDump = Flags(rawValue: 1 << 5)
        static let noReserve = Flags(rawValue: 1 << 6)
        /// mprotect may add write or execute permission (Linux's VM_MAYWRITE, VM_MAYEXEC).
        static let mayWrite = Flags(rawValue: 1 << 7)
        static let mayExecute = Flags(rawValue: 1 << 8)
        /// May not be unmapped, moved or protected: mseal(2), and the vDSO.
        static let sealed = Flags(rawValue: 1 << 9)
        /// The vDSO and its data: the platform maps them.
        static let vdsoCode = Flags(rawValue: 1 << 10)
        static let vdsoData = Flags(rawValue: 1 << 11)
        /// Locked with MLOCK_ONFAULT: pages are not made present at once.
        static let lockedOnFault = Flags(rawValue: 1 << 12)
        static let special: Flags = [.vdsoCode, .vdsoData]
    }

    var protection: Protection
    var flags: Flags
    /// Nil for private anonymous memory.
    var mapping: FileMapping?
    /// Offset in `mapping` of the area's first byte.
    var offset: UInt64

    static let accessMask: Protection = [.read, .write, .execute]

    /// On x86 any of the three permissions lets a page be read.
    var isAccessible: Bool { !protection.isDisjoint(with: Self.accessMask) }
    var isWritable: Bool { protection.contains(.write) }
    var isShared: Bool { flags.contains(.shared) }
    var isPrivateAnonymous: Bool { mapping == nil && flags.isDisjoint(with: .special) }
    var isSpecial: Bool { !flags.isDisjoint(with: .special) }

    func advanced(by distance: UInt64) -> Area {
        guard mapping != nil else { return self }
        var copy = self
        copy.offset = offset &+ distance
        return copy
    }

    func joins(_ next: Area, after length: UInt64) -> Bool {
        guard protection == next.protection, flags == next.flags, !isSpecial else { return false }
        switch (mapping, next.mapping) {
        case (nil, nil): return true
        case (let a?, let b?): return a.isSameFile(as: b) && offset &+ length == next.offset
        default: return false
        }
    }
}
