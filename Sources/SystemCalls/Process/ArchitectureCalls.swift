import Kernel
import LinuxABI
import Memory

/// arch_prctl(2), personality(2), rseq(2).
extension SystemCallFamilies {
    public static let architecture: [SystemCallEntry] = [
        .init(135, "personality", sysPersonality),
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
