import HostOS
import LinuxABI

/// What a datagram carries beside its bytes and sender, for control messages: ip(7), ipv6(7), socket(7).
struct PacketHeader: Sendable {
    /// Nanoseconds of CLOCK_REALTIME at arrival; 0 when nobody asked for it then.
    var time: Int64 = 0
    var destination: InternetAddress?
    var timeToLive: Int32 = 64
    var typeOfService: UInt8 = 0
}

/// A control message for the receiver: a `cmsghdr` with its data.
public struct AncillaryData: Sendable {
    public var level: Int32
    public var type: Int32
    public var data: [UInt8]
}

extension SocketOptions {
    /// Whether arrivals need a time: SO_TIMESTAMP, SO_TIMESTAMPNS.
    var stampsArrivals: Bool { isSet(SocketOption.timestamp) || isSet(SocketOption.timestampNanoseconds) }

    /// SCM_TIMESTAMP or SCM_TIMESTAMPNS. A message that came before it was asked for gets the time now, as on Linux.
    func timestamp(_ header: PacketHeader) -> AncillaryData? {
        let inNanoseconds = isSet(SocketOption.timestampNanoseconds)
        guard inNanoseconds || isSet(SocketOption.timestamp) else { return nil }
        let time = header.time == 0 ? HostClock.realtime.nanoseconds : header.time
        let fraction = time % 1_000_000_000
        return AncillaryData(
            level: SocketOption.levelSocket, type: inNanoseconds ? SocketOption.timestampNanoseconds : SocketOption.timestamp,
            data: Bytes.of(time / 1_000_000_000) + Bytes.of(inNanoseconds ? fraction : fraction / 1000))
    }
}
