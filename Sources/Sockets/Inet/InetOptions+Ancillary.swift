import LinuxABI

/// What ip(7) and ipv6(7) say about each datagram in control messages.
extension InetOptions {
    // Names: what is asked for, and the message that answers.
    private static let packetInfo: Int32 = 8  // IP_PKTINFO, both
    private static let receiveTTL: Int32 = 12, ttl: Int32 = 2
    private static let receiveTOS: Int32 = 13, tos: Int32 = 1
    private static let receivePacketInfoV6: Int32 = 49, packetInfoV6: Int32 = 50
    private static let receiveHopLimit: Int32 = 51, hopLimit: Int32 = 52
    private static let unicastHops: Int32 = 16

    /// `lo` has index 1.
    private static let loopbackIndex: Int32 = 1

    /// The header of a datagram that this socket sends.
    func header(to destination: InternetAddress) -> PacketHeader {
        var header = PacketHeader()
        header.destination = destination
        let isV4 = destination.isV4
        header.timeToLive = number(level: isV4 ? SocketOption.levelIP : SocketOption.levelIPv6, name: isV4 ? Self.ttl : Self.unicastHops) ?? 64
        header.typeOfService = UInt8(truncatingIfNeeded: number(level: SocketOption.levelIP, name: Self.tos) ?? 0)
        return header
    }

    /// What this socket's options ask for, in Linux's order.
    func ancillary(_ header: PacketHeader) -> [AncillaryData] {
        guard let destination = header.destination, hasRequests else { return [] }
        var result: [AncillaryData] = []
        func add(_ level: Int32, _ wanted: Int32, _ type: Int32, _ data: @autoclosure () -> [UInt8]) {
            guard number(level: level, name: wanted) ?? 0 != 0 else { return }
            result.append(AncillaryData(level: level, type: type, data: data()))
        }
        if destination.isV4 {
            let address = Bytes.of(destination.v4.bigEndian)
            add(SocketOption.levelIP, Self.packetInfo, Self.packetInfo, Bytes.of(Self.loopbackIndex) + address + address)
            add(SocketOption.levelIP, Self.receiveTTL, Self.ttl, Bytes.of(header.timeToLive))
            add(SocketOption.levelIP, Self.receiveTOS, Self.tos, [header.typeOfService])
        }
        let words = Bytes.of(destination.high.bigEndian) + Bytes.of(destination.low.bigEndian)
        add(SocketOption.levelIPv6, Self.receivePacketInfoV6, Self.packetInfoV6, words + Bytes.of(Self.loopbackIndex))
        add(SocketOption.levelIPv6, Self.receiveHopLimit, Self.hopLimit, Bytes.of(header.timeToLive))
        return result
    }
}
