import HostOS
import LinuxABI

/// The signal frame of x86-64, word for word as Linux builds it (struct rt_sigframe: return address, ucontext, siginfo), and the
/// extended state above it. Programs, unwinders and debuggers read and change it.
enum SignalFrame {
    /// Offsets in 8-byte words.
    enum Word {
        static let returnAddress = 0
        static let contextFlags = 1
        static let link = 2
        static let stackBase = 3
        static let stackFlags = 4
        static let stackSize = 5
        static let r8 = 6
        static let di = 14
        static let sp = 21
        static let ip = 22
        static let flags = 23
        static let segments = 24
        static let error = 25
        static let trap = 26
        static let oldMask = 27
        static let faultAddress = 28
        static let extendedState = 29
        static let mask = 38
        static let info = 39
    }
    /// Words with and without siginfo_t.
    static let count = 55
    static let countWithoutInfo = 39

    // uc_flags
    static let hasExtendedState: UInt64 = 1
    static let savesStackSegment: UInt64 = 2
    static let strictStackSegment: UInt64 = 4

    /// User code and data segments of a 64-bit program.
    static let codeSegment: UInt64 = 0x33
    static let dataSegment: UInt64 = 0x2b

    /// Flags that a program may restore: AC OF DF TF SF ZF AF PF CF RF (Linux's FIX_EFLAGS).
    static let restorableFlags: UInt64 = 0x5_0dd5
    /// DF, RF and TF are clear when a handler starts.
    static let clearedFlags: UInt64 = 0x400 | 0x1_0000 | 0x100

    static func words(of info: SignalInfo) -> [UInt64] {
        let f = info.fields, g = info.fields2
        return [
            UInt64(UInt32(bitPattern: info.signo)) | UInt64(UInt32(bitPattern: info.errno)) << 32, UInt64(UInt32(bitPattern: info.code)),
            f.0, f.1, f.2, f.3, f.4, f.5, f.6, g.0, g.1, g.2, g.3, g.4, g.5, g.6,
        ]
    }

    /// Copies general registers to and from the sigcontext.
    static func store(_ r: RegisterFile, into w: inout [UInt64]) {
        w[Word.r8] = r.r8
        w[Word.r8 + 1] = r.r9
        w[Word.r8 + 2] = r.r10
        w[Word.r8 + 3] = r.r11
        w[Word.r8 + 4] = r.r12
        w[Word.r8 + 5] = r.r13
        w[Word.r8 + 6] = r.r14
        w[Word.r8 + 7] = r.r15
        w[Word.di] = r.rdi
        w[Word.di + 1] = r.rsi
        w[Word.di + 2] = r.rbp
        w[Word.di + 3] = r.rbx
        w[Word.di + 4] = r.rdx
        w[Word.di + 5] = r.rax
        w[Word.di + 6] = r.rcx
        w[Word.sp] = r.rsp
        w[Word.ip] = r.rip
        w[Word.flags] = r.flags
        w[Word.segments] = (r.cs & 0xffff) | (r.ss & 0xffff) << 48
    }
    static func load(_ w: [UInt64], into r: inout RegisterFile) {
        r.r8 = w[Word.r8]
        r.r9 = w[Word.r8 + 1]
        r.r10 = w[Word.r8 + 2]
        r.r11 = w[Word.r8 + 3]
        r.r12 = w[Word.r8 + 4]
        r.r13 = w[Word.r8 + 5]
        r.r14 = w[Word.r8 + 6]
        r.r15 = w[Word.r8 + 7]
        r.rdi = w[Word.di]
        r.rsi = w[Word.di + 1]
        r.rbp = w[Word.di + 2]
        r.rbx = w[Word.di + 3]
        r.rdx = w[Word.di + 4]
        r.rax = w[Word.di + 5]
        r.rcx = w[Word.di + 6]
        r.rsp = w[Word.sp]
        r.rip = w[Word.ip]
        r.flags = (r.flags & ~restorableFlags) | (w[Word.flags] & restorableFlags)
    }

    // MARK: extended state (struct _fpx_sw_bytes at offset 464 of the legacy area, and a magic number after the area)

    static let magic1: UInt32 = 0x4650_5853
    static let magic2: UInt32 = 0x4650_5845
    static let softwareBytes = 464
    static let legacySize = 512
    /// Legacy area and XSAVE header.
    static let minimumSize = 576

    /// The memory image of `state` with its description filled in.
    static func describe(_ state: [UInt8]) -> [UInt8] {
        guard state.count >= minimumSize else { return state }
        var image = state
        let size = UInt32(image.count)
        put(magic1, &image, softwareBytes)
        put(size + 4, &image, softwareBytes + 4)
        let features = HostProcessor.extendedStateComponents & ~dynamicComponents
        put(UInt32(truncatingIfNeeded: features), &image, softwareBytes + 8)
        put(UInt32(truncatingIfNeeded: features >> 32), &image, softwareBytes + 12)
        put(size, &image, softwareBytes + 16)
        for index in softwareBytes + 20..<legacySize { image[index] = 0 }
        for shift in 0..<4 { image.append(UInt8(truncatingIfNeeded: magic2 >> UInt32(shift * 8))) }
        return image
    }
    /// AMX tile data: not part of a frame until a program asked for it.
    static let dynamicComponents: UInt64 = 1 << 18

    static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        UInt32(bytes[offset]) | UInt32(bytes[offset + 1]) << 8 | UInt32(bytes[offset + 2]) << 16 | UInt32(bytes[offset + 3]) << 24
    }
    private static func put(_ value: UInt32, _ bytes: inout [UInt8], _ offset: Int) {
        for shift in 0..<4 { bytes[offset + shift] = UInt8(truncatingIfNeeded: value >> UInt32(shift * 8)) }
    }
}
