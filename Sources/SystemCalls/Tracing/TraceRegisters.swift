import HostOS
import Kernel
import LinuxABI
import Memory

/// Registers of a tracee, in the forms ptrace(2) has for them.
extension SystemCallFamilies {
    /// `struct user` of the kernel (asm/user_64.h): its size, and where the debug registers lie.
    private enum UserArea {
        static let size: UInt64 = 928
        static let registers: UInt64 = 216
        static let debugRegisters: UInt64 = 848
    }

    // MARK: PEEKUSER, POKEUSER

    static func peekUser(_ current: CurrentTask, _ tracee: Task, _ address: UInt64) throws(Errno) -> UInt64 {
        guard address & 7 == 0, address < UserArea.size else { throw .EIO }
        if address < UserArea.registers { return words(try current.registers(of: tracee))[Int(address / 8)] }
        guard address >= UserArea.debugRegisters, address <= UserArea.debugRegisters + 7 * 8 else { return 0 }
        return try current.debugRegister(of: tracee, Int((address - UserArea.debugRegisters) / 8))
    }

    static func pokeUser(_ current: CurrentTask, _ tracee: Task, _ address: UInt64, _ data: UInt64) throws(Errno) {
        guard address & 7 == 0, address < UserArea.size else { throw .EIO }
        if address < UserArea.registers {
            return try current.changeRegisters(of: tracee) { r throws(Errno) in try set(&r, Int(address / 8), data) }
        }
        guard address >= UserArea.debugRegisters, address <= UserArea.debugRegisters + 7 * 8 else { throw .EIO }
        try current.setDebugRegister(of: tracee, Int((address - UserArea.debugRegisters) / 8), data)
    }

    /// `struct user_regs_struct` word by word.
    private static func words(_ r: RegisterFile) -> [UInt64] {
        [
            r.r15, r.r14, r.r13, r.r12, r.rbp, r.rbx, r.r11, r.r10, r.r9, r.r8, r.rax, r.rcx, r.rdx, r.rsi, r.rdi, r.originalRAX, r.rip,
            r.cs, r.flags, r.rsp, r.ss, r.fsBase, r.gsBase, r.ds, r.es, r.fs, r.gs,
        ]
    }

    /// What a program may have in its flags: CF PF AF ZF SF TF DF OF NT RF AC (Linux's FLAG_MASK).
    private static let changeableFlags: UInt64 = 0x5_4dd5

    /// Linux's putreg. - Throws: EIO for selectors that are not user's, and for bases outside user space.
    private static func set(_ r: inout RegisterFile, _ index: Int, _ value: UInt64) throws(Errno) {
        switch index {
        case 0: r.r15 = value
        case 1: r.r14 = value
        case 2: r.r13 = value
        case 3: r.r12 = value
        case 4: r.rbp = value
        case 5: r.rbx = value
        case 6: r.r11 = value
        case 7: r.r10 = value
        case 8: r.r9 = value
        case 9: r.r8 = value
        case 10: r.rax = value
        case 11: r.rcx = value
        case 12: r.rdx = value
        case 13: r.rsi = value
        case 14: r.rdi = value
        case 15: r.originalRAX = value
        case 16: r.rip = value
        case 18: r.flags = (r.flags & ~changeableFlags) | (value & changeableFlags)
        case 19: r.rsp = value
        case 21, 22:
            guard value < AddressLimits.end.rawValue else { throw .EIO }
            if index == 21 { r.fsBase = value } else { r.gsBase = value }
        default:
            // Selectors: 64-bit code has the ones it has. Null ones are fine for data.
            let selector = value & 0xffff
            guard selector == 0 || selector & 3 == 3 else { throw .EIO }
            if index == 17 || index == 20 { guard selector != 0 else { throw .EIO } }
        }
    }

    // MARK: register sets

    /// NT_* of elf.h.
    private enum Note {
        static let general: UInt64 = 1
        static let floatingPoint: UInt64 = 2
        static let extended: UInt64 = 0x202
    }
    private static let legacySize = 512

    static func transferRegisters(_ current: CurrentTask, _ tracee: Task, _ request: Int64, _ address: UInt64, _ data: GuestAddress)
        throws(Errno)
    {
        typealias R = TraceRequestNumber
        switch request {
        case R.getRegisters: try current.memory.store(try current.registers(of: tracee), at: data)
        case R.setRegisters:
            try setRegisters(current, tracee, words(try current.memory.load(RegisterFile.self, at: data)))
        case R.getFloatingPoint:
            try current.memory.copyOut(Array(try current.extendedState(of: tracee).prefix(legacySize)), to: data)
        case R.setFloatingPoint: try setFloatingPoint(current, tracee, try current.memory.copyIn(data, count: legacySize))
        case R.archPrctl: try archPrctl(current, tracee, code: data.rawValue, address)
        default: try transferRegisterSet(current, tracee, request == R.setRegisterSet, note: address, data)
        }
    }

    private static func setRegisters(_ current: CurrentTask, _ tracee: Task, _ values: [UInt64]) throws(Errno) {
        try current.changeRegisters(of: tracee) { r throws(Errno) in
            for (index, value) in values.enumerated() { try set(&r, index, value) }
        }
    }

    /// PTRACE_GETREGSET and PTRACE_SETREGSET with a struct iovec: as much as fits; the length moved is stored back.
    private static func transferRegisterSet(
        _ current: CurrentTask, _ tracee: Task, _ sets: Bool, note: UInt64, _ vectorAddress: GuestAddress
    ) throws(Errno) {
        let vector = try current.memory.load(IOVector.self, at: vectorAddress)
        let size: Int
        switch note {
        case Note.general: size = Int(UserArea.registers)
        case Note.floatingPoint: size = legacySize
        case Note.extended: size = try current.extendedState(of: tracee).count
        default: throw .EINVAL
        }
        let unit: UInt64 = 8
        guard vector.length % unit == 0 else { throw .EINVAL }
        let count = Int(min(vector.length, UInt64(size)))
        if sets {
            let bytes = try current.memory.copyIn(vector.base, count: count)
            switch note {
            case Note.general: try setRegisters(current, tracee, wordList(bytes))
            case Note.floatingPoint:
                // Part of a set changes that part.
                var image = Array(try current.extendedState(of: tracee).prefix(legacySize))
                image.replaceSubrange(0..<min(bytes.count, image.count), with: bytes.prefix(image.count))
                try setFloatingPoint(current, tracee, image)
            default:
                // All of it, as the kernel wants.
                guard count == size else { throw .EFAULT }
                try current.setExtendedState(of: tracee, withoutSoftwareBytes(bytes))
            }
        } else {
            try current.memory.copyOut(Array(try registerSet(current, tracee, note).prefix(count)), to: vector.base)
        }
        try current.memory.store(UInt64(count), at: vectorAddress + UInt64(8))
    }

    private static func registerSet(_ current: CurrentTask, _ tracee: Task, _ note: UInt64) throws(Errno) -> [UInt8] {
        switch note {
        case Note.general: return bytes(words(try current.registers(of: tracee)))
        case Note.floatingPoint: return Array(try current.extendedState(of: tracee).prefix(legacySize))
        default:
            // The software-reserved bytes tell debuggers which components there are.
            var image = try current.extendedState(of: tracee)
            if image.count >= legacySize {
                image.replaceSubrange(464..<472, with: bytes([HostProcessor.extendedStateComponents]))
            }
            return image
        }
    }

    private static func bytes(_ words: [UInt64]) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) } }
    }
    private static func wordList(_ bytes: [UInt8]) -> [UInt64] {
        (0..<bytes.count / 8).map { index in (0..<8).reduce(0) { $0 | UInt64(bytes[index * 8 + $1]) << UInt64($1 * 8) } }
    }

    private static func withoutSoftwareBytes(_ bytes: [UInt8]) -> [UInt8] {
        var image = bytes
        for index in 464..<min(legacySize, image.count) { image[index] = 0 }
        return image
    }

    /// An FXSAVE image into the XSAVE image: x87 and SSE are present then.
    private static func setFloatingPoint(_ current: CurrentTask, _ tracee: Task, _ legacy: [UInt8]) throws(Errno) {
        var image = try current.extendedState(of: tracee)
        guard image.count > legacySize, legacy.count == legacySize else { throw .EIO }
        image.replaceSubrange(0..<legacySize, with: withoutSoftwareBytes(legacy))
        image[legacySize] |= 3
        try current.setExtendedState(of: tracee, image)
    }

    /// arch_prctl(2) on the tracee: `code` is ARCH_*, `address` the value or where it goes.
    private static func archPrctl(_ current: CurrentTask, _ tracee: Task, code: UInt64, _ address: UInt64) throws(Errno) {
        switch code {
        case 0x1001, 0x1002:  // ARCH_SET_GS, ARCH_SET_FS
            guard address < AddressLimits.end.rawValue else { throw .EPERM }
            try current.changeRegisters(of: tracee) { r throws(Errno) in
                if code == 0x1002 { r.fsBase = address } else { r.gsBase = address }
            }
        case 0x1003: try current.memory.store(try current.registers(of: tracee).fsBase, at: GuestAddress(address))
        case 0x1004: try current.memory.store(try current.registers(of: tracee).gsBase, at: GuestAddress(address))
        default: throw .EINVAL
        }
    }

    // MARK: GET_SYSCALL_INFO, SET_SYSCALL_INFO

    /// `struct ptrace_syscall_info` up to the part that the stop has.
    static func systemCallInfo(_ current: CurrentTask, _ tracee: Task, size: UInt64, _ address: GuestAddress) throws(Errno) -> Int {
        let (stop, r, message) = try current.systemCallStop(of: tracee)
        let number = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: r.originalRAX)))
        let call = [number, r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9]
        var info = bytes([UInt64(AuditArchitecture.x86_64) << 32, r.rip, r.rsp])
        switch stop {
        case .none: break
        case .entry:
            info[0] = 1
            info += bytes(call)
        case .exit:
            info[0] = 2
            let isError = Int64(bitPattern: r.rax) < 0 && Int64(bitPattern: r.rax) >= -4095
            info += bytes([r.rax]) + [isError ? 1 : 0]
        case .seccomp:
            info[0] = 3
            info += bytes(call) + Array(bytes([message]).prefix(4))
        }
        try current.memory.copyOut(Array(info.prefix(Int(min(size, UInt64(info.count))))), to: address)
        return info.count
    }

    static func setSystemCallInfo(_ current: CurrentTask, _ tracee: Task, size: UInt64, _ address: GuestAddress) throws(Errno) {
        // All of the structure, the union of the three kinds included.
        let whole: UInt64 = 88
        guard size >= whole else { throw .EINVAL }
        let info = try current.memory.copyIn(address, count: Int(whole))
        let w = wordList(info)
        guard info[1] == 0, info[2] == 0, info[3] == 0 else { throw .EINVAL }
        let stop = try current.systemCallStop(of: tracee).stop
        let operation: UInt8 =
            switch stop {
            case .none: 0
            case .entry: 1
            case .exit: 2
            case .seccomp: 3
            }
        guard info[0] == operation, operation != 0 else { throw .EINVAL }
        if stop == .exit {
            // An error is an int, whatever its upper half says (syscall_set_return_value).
            let isError = UInt8(truncatingIfNeeded: w[4]) != 0
            let value = isError ? UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: w[3]))) : w[3]
            return try current.changeRegisters(of: tracee) { r throws(Errno) in r.rax = value }
        }
        let number = Int32(truncatingIfNeeded: w[3])
        guard UInt64(bitPattern: Int64(number)) == w[3] else { throw .ERANGE }
        if stop == .seccomp, w[10] >> 32 != 0 { throw .EINVAL }
        try current.changeRegisters(of: tracee) { r throws(Errno) in
            r.originalRAX = w[3]
            guard number != -1 else { return }
            (r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9) = (w[4], w[5], w[6], w[7], w[8], w[9])
        }
    }
}
