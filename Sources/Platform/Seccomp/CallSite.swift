import LinuxABI

/// A place in guest text that makes one system call, and how it is patched (README, "The fast path").
struct CallSite: Sendable, Equatable {
    enum Form: CaseIterable, Sendable {
        /// mov $number, %eax; syscall
        case move
        /// xor %eax, %eax; syscall; cmp $-4096, %rax; ja error; ret; padding: read(2) in the GNU C library
        case clear

        /// Distance of the `syscall` instruction from the first byte.
        var callOffset: UInt64 {
            switch self {
            case .move: 5
            case .clear: 2
            }
        }
    }

    var form: Form
    /// Of the first byte.
    var address: UInt64
    var number: UInt32

    /// Nil where the patched bytes would not lie in one page.
    init?(_ form: Form, returnAddress: UInt64, number: UInt32) {
        let (address, overflow) = returnAddress.subtractingReportingOverflow(form.callOffset + 2)
        guard !overflow, address > 0 else { return nil }
        self.form = form
        self.address = address
        self.number = number
        guard address & (Page.size - 1) <= Page.size - UInt64(length) else { return nil }
    }

    var callAddress: UInt64 { address &+ form.callOffset }
    var returnAddress: UInt64 { callAddress &+ 2 }
    /// Bytes that are looked at and replaced.
    var length: Int {
        switch form {
        case .move: 7
        case .clear: Self.islandOffset + 7
        }
    }

    func matches(_ bytes: [UInt8]) -> Bool {
        switch form {
        case .move:
            return bytes == [0xb8, UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8), 0, 0, 0x0f, 0x05]
        case .clear:
            guard number == 0, bytes.count == length, bytes.starts(with: [0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x77]),
                bytes[12] == 0xc3
            else { return false }
            // What follows a `ret` is no target of a jump before its alignment: one instruction that does nothing, 7 bytes or more.
            return Self.padding.contains { $0.starts(with: bytes[Self.islandOffset...]) }
        }
    }
    /// Behind the `ret`.
    private static let islandOffset = 13
    /// nop with a displacement of 32 bits, in the lengths that the assembler uses.
    private static let padding: [[UInt8]] = [
        [0x0f, 0x1f, 0x80, 0, 0, 0, 0], [0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0], [0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
        [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0],
    ]

    /// With a REX prefix before it the first instruction is about other registers.
    func mayFollow(_ byte: UInt8?) -> Bool {
        guard let byte else { return true }
        switch form {
        case .move: return byte & 0xf1 != 0x41
        case .clear: return byte & 0xf0 != 0x40
        }
    }

    /// What the matched bytes become: a jump through `slot`, or to such a jump in the padding.
    func replacement(for bytes: [UInt8], slot: UInt32) -> [UInt8] {
        let jump = [0xff, 0x24, 0x25] + (0..<4).map { UInt8(truncatingIfNeeded: slot >> (8 * $0)) }
        switch form {
        case .move: return jump
        case .clear: return [0xeb, UInt8(Self.islandOffset - 2)] + bytes[2..<Self.islandOffset] + jump
        }
    }
}
