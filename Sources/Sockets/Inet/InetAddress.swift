import LinuxABI

/// An IPv4 or IPv6 address; IPv4 ones are held in their mapped form, `::ffff:a.b.c.d`.
struct InternetAddress: Hashable, Sendable {
    var high: UInt64
    var low: UInt64

    private static let mappedPrefix: UInt64 = 0x0000_ffff_0000_0000

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
    init(v4 value: UInt32) { self.init(high: 0, low: Self.mappedPrefix | UInt64(value)) }

    static let anyV4 = InternetAddress(v4: 0)
    static let anyV6 = InternetAddress(high: 0, low: 0)
    static let loopbackV4 = InternetAddress(v4: 0x7f00_0001)
    static let loopbackV6 = InternetAddress(high: 0, low: 1)

    var isV4: Bool { high == 0 && low & 0xffff_ffff_0000_0000 == Self.mappedPrefix }
    var v4: UInt32 { UInt32(truncatingIfNeeded: low) }
    var isAny: Bool { self == .anyV4 || self == .anyV6 }
    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : self == .loopbackV6 }
    var isBroadcast: Bool { isV4 && v4 == .max }
}

/// Address and port.
struct Endpoint: Hashable, Sendable {
    var address: InternetAddress
    var port: UInt16

    /// Parses a `sockaddr_in` or `sockaddr_in6`.
    /// - Throws: EINVAL for a short one, EAFNOSUPPORT for a family other than the socket's.
    init(_ bytes: [UInt8], family: Int32) throws(Errno) {
        guard let given = SocketAddress.family(bytes) else { throw .EINVAL }
        if family == AddressFamily.inet {
            guard bytes.count >= SocketAddress.inetLength else { throw .EINVAL }
            guard given == AddressFamily.inet else { throw .EAFNOSUPPORT }
            var value: UInt32 = 0
            for byte in bytes[4..<8] { value = value << 8 | UInt32(byte) }
            address = InternetAddress(v4: value)
        } else {
            // SIN6_LEN_RFC2133: the scope may be missing.
            guard bytes.count >= 24 else { throw given == AddressFamily.inet6 ? .EINVAL : .EAFNOSUPPORT }
            guard given == AddressFamily.inet6 else { throw .EAFNOSUPPORT }
            var high: UInt64 = 0, low: UInt64 = 0
            for byte in bytes[8..<16] { high = high << 8 | UInt64(byte) }
            for byte in bytes[16..<24] { low = low << 8 | UInt64(byte) }
            address = InternetAddress(high: high, low: low)
        }
        port = Bytes.big16(bytes, 2)
    }
    init(_ address: InternetAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// As a socket of `family` sees it.
    func encoded(family: Int32) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(family), 0, UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        if family == AddressFamily.inet {
            for shift in stride(from: 24, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: address.v4 >> UInt32(shift))) }
            bytes += [UInt8](repeating: 0, count: 8)
        } else {
            bytes += [0, 0, 0, 0]
            for word in [address.high, address.low] {
                for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
            }
            bytes += [0, 0, 0, 0]
        }
        return bytes
    }
}
