import Kernel
import LinuxABI
import Memory

/// arch_prctl(2), personality(2), rseq(2).
extension SystemCallFamilies {
    public static let architecture: [SystemCallEntry] = [
        .init(135, "personality", sysPersonality),
        .init(154, "modify_ldt", sysModifyLDT),
        .init(158, "arch_prctl", sysArchPrctl),
        // glibc and others do without.
        // For code that probes put into programs, of which there are none (kernel/events/uprobes.c, arch/x86/kernel/uprobes.c).
        .init(335, "uretprobe") { current, _ in
            current.force(SignalInfo(.SIGILL, code: SignalInfo.SI_KERNEL))
            return -1
        },
        .init(336, "uprobe", { (_, _) throws(Errno) in throw .ENXIO }),
        .init(334, "rseq", { (_, _) throws(Errno) in throw .ENOSYS }),
    ]

    /// modify_ldt(2): the table is empty and stays so, for 64-bit code needs no segments. The kernel's int comes back as 32 bits.
    @Sendable static func sysModifyLDT(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        do throws(Errno) {
            return try modifyLDT(current, a)
        } catch {
            return Int(UInt32(bitPattern: -error.rawValue))
        }
    }

    private static func modifyLDT(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (read, write, readDefault, writeNew): (Int32, Int32, Int32, Int32) = (0, 1, 2, 0x11)
        switch a.int(0) {
        case read: return 0
        case readDefault:
            let count = min(a[2], 128)
            try current.memory.copyOut([UInt8](repeating: 0, count: Int(count)), to: a.address(1))
            return Int(count)
        case write, writeNew:
            guard a[2] == 16 else { throw .EINVAL }
            // `struct user_desc`: number, base, limit, bits.
            let words = try current.memory.loadArray(UInt32.self, at: a.address(1), count: 4)
            let bits = words[3], isNew = a.int(0) == writeNew
            let readOnlyNotPresent: UInt32 = 0x08 | 0x20
            guard words[0] < 8192 else { throw .EINVAL }
            if bits >> 1 & 3 == 3 && (!isNew || bits & 0x20 == 0) { throw .EINVAL }
            let isEmpty = words[1] == 0 && words[2] == 0 && (!isNew || bits & 0x7f == readOnlyNotPresent || bits & 0x7f == 0)
            guard isEmpty else { throw .ENOMEM }
            return 0
        default: throw .ENOSYS
        }
    }

    @Sendable static func sysArchPrctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let userEnd: UInt64 = 0x7fff_ffff_f000
        var registers = current.context.registers
        switch a.int(0) {
        case 0x1001:  // ARCH_SET_GS
            if a[1] >= userEnd { throw .EPERM }
            registers.gsBase = a[1]
        case 0x1002:  // ARCH_SET_FS
            if a[1] >= userEnd { throw .EPERM }
            registers.fsBase = a[1]
        case 0x1003:  // ARCH_GET_FS
            try current.memory.store(registers.fsBase, at: a.address(1))
            return 0
        case 0x1004:  // ARCH_GET_GS
            try current.memory.store(registers.gsBase, at: a.address(1))
            return 0
        case 0x1011: return 1  // ARCH_GET_CPUID: the instruction is allowed
        case 0x1012:  // ARCH_SET_CPUID: it cannot be made to fault
            throw .ENODEV
        default: throw .EINVAL
        }
        current.context.registers = registers
        return 0
    }

    @Sendable static func sysPersonality(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let old = current.task.personality
        if a.uint(0) != 0xffff_ffff { current.task.personality = a.uint(0) }
        return Int(old)
    }
}
