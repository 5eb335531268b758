import LinuxABI

/// The form of netlink(7) messages, whatever the protocol.
enum NetlinkMessage {
    static let headerSize = 16
    static let error: UInt16 = 2
    static let done: UInt16 = 3
    static let flagRequest: UInt16 = 1
    static let flagMulti: UInt16 = 2
    static let flagAcknowledge: UInt16 = 4
    static let flagDump: UInt16 = 0x300

    /// The requests in a datagram.
    static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        var requests: [[UInt8]] = []
        var offset = 0
        while offset + headerSize <= bytes.count {
            let length = Int(UInt32(bitPattern: Bytes.int32(bytes, offset) ?? 0))
            guard length >= headerSize, length <= bytes.count - offset else { break }
            requests.append(Array(bytes[offset..<offset + length]))
            offset += (length + 3) & ~3
        }
        return requests
    }

    static func make(_ type: UInt16, flags: UInt16, _ sequence: UInt32, _ port: UInt32, _ body: [UInt8]) -> [UInt8] {
        Bytes.of(UInt32(headerSize + body.count)) + Bytes.of(type) + Bytes.of(flags) + Bytes.of(sequence) + Bytes.of(port) + body
    }
    /// NLMSG_ERROR: the errno and the request; errno 0 is an acknowledgement.
    static func failure(_ errno: Int32, _ request: [UInt8], _ port: UInt32) -> [UInt8] {
        let sequence = UInt32(bitPattern: Bytes.int32(request, 8) ?? 0)
        return make(error, flags: 0, sequence, port, Bytes.of(-errno) + request)
    }
    static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: (4 - value.count & 3) & 3)
        return Bytes.of(UInt16(4 + value.count)) + Bytes.of(type) + value + padding
    }
}
