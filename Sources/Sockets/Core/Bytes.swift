/// Integers in socket addresses, options and netlink messages.
enum Bytes {
    /// Little-endian: the host order of x86-64 and aarch64.
    static func of<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(T.bitWidth / 8)
        for shift in stride(from: 0, to: T.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> T(truncatingIfNeeded: shift))) }
        return bytes
    }
    /// Nil when there are fewer than four bytes.
    static func int32(_ bytes: [UInt8], _ offset: Int = 0) -> Int32? {
        guard bytes.count >= offset + 4 else { return nil }
        var value: UInt32 = 0
        for i in 0..<4 { value |= UInt32(bytes[offset + i]) << UInt32(8 * i) }
        return Int32(bitPattern: value)
    }
    /// Preconditions: eight bytes are there.
    static func uint64(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<8 { value |= UInt64(bytes[offset + i]) << UInt64(8 * i) }
        return value
    }
    static func uint16(_ bytes: [UInt8], _ offset: Int) -> UInt16 { UInt16(bytes[offset]) | UInt16(bytes[offset + 1]) << 8 }
    /// Network order.
    static func big16(_ bytes: [UInt8], _ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
}
