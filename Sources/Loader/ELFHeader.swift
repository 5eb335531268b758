import LinuxABI

/// The parts of an ELF64 file header that loading needs (elf(5)).
struct ELFHeader: Sendable {
    enum Kind: UInt16, Sendable { case executable = 2, sharedObject = 3 }
    var kind: Kind
    var entry: UInt64
    var programHeaderOffset: UInt64
    var programHeaderCount: Int

    static let size = 64
    static let programHeaderSize = 56
    static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    private static let machine: UInt16 = 62  // EM_X86_64

    static func hasMagic(_ bytes: [UInt8]) -> Bool { bytes.count >= 4 && Array(bytes[0..<4]) == magic }

    /// Nil for what this kernel does not run: another machine, a core file, a bad header size.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.size, Self.hasMagic(bytes) else { return nil }
        guard bytes[4] == 2, bytes[5] == 1 else { return nil }  // ELFCLASS64, little-endian
        guard let kind = Kind(rawValue: LittleEndian.u16(bytes, 16)), LittleEndian.u16(bytes, 18) == Self.machine else { return nil }
        self.kind = kind
        entry = LittleEndian.u64(bytes, 24)
        programHeaderOffset = LittleEndian.u64(bytes, 32)
        programHeaderCount = Int(LittleEndian.u16(bytes, 56))
        guard Int(LittleEndian.u16(bytes, 54)) == Self.programHeaderSize else { return nil }
        guard programHeaderCount >= 1, programHeaderCount * Self.programHeaderSize <= 65536 else { return nil }
    }
}

/// One program header.
struct ELFSegment: Sendable {
    static let load: UInt32 = 1
    static let interpreter: UInt32 = 3
    static let programHeaders: UInt32 = 6
    static let stack: UInt32 = 0x6474_e551

    var type: UInt32
    var flags: UInt32
    var offset: UInt64
    var address: UInt64
    var fileSize: UInt64
    var memorySize: UInt64
    var alignment: UInt64

    init(_ bytes: [UInt8], at start: Int) {
        type = LittleEndian.u32(bytes, start)
        flags = LittleEndian.u32(bytes, start + 4)
        offset = LittleEndian.u64(bytes, start + 8)
        address = LittleEndian.u64(bytes, start + 16)
        fileSize = LittleEndian.u64(bytes, start + 32)
        memorySize = LittleEndian.u64(bytes, start + 40)
        alignment = LittleEndian.u64(bytes, start + 48)
    }

    var isExecutable: Bool { flags & 1 != 0 }
    var protection: Protection {
        var p = Protection.none
        if flags & 4 != 0 { p.insert(.read) }
        if flags & 2 != 0 { p.insert(.write) }
        if flags & 1 != 0 { p.insert(.execute) }
        return p
    }
}

enum LittleEndian {
    static func u16(_ b: [UInt8], _ i: Int) -> UInt16 { UInt16(b[i]) | UInt16(b[i + 1]) << 8 }
    static func u32(_ b: [UInt8], _ i: Int) -> UInt32 { UInt32(u16(b, i)) | UInt32(u16(b, i + 2)) << 16 }
    static func u64(_ b: [UInt8], _ i: Int) -> UInt64 { UInt64(u32(b, i)) | UInt64(u32(b, i + 4)) << 32 }
}
