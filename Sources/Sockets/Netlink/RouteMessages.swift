import LinuxABI
import VirtualFileSystem

/// Answers to rtnetlink(7) requests: one link and its addresses.
enum RouteMessages {
    private enum MessageType {
        static let newLink: UInt16 = 16
        static let getLink: UInt16 = 18
        static let setLink: UInt16 = 19
        static let newAddress: UInt16 = 20
        static let getAddress: UInt16 = 22
        static let getRoute: UInt16 = 26
        /// Requests begin here (RTM_BASE).
        static let first: UInt16 = 16
        static let last: UInt16 = 120
    }
    private static let headerSize = NetlinkMessage.headerSize

    /// The datagrams that answer a datagram of requests; `port` is the asker's.
    static func answer(_ bytes: [UInt8], port: UInt32, _ network: NetworkStack, _ c: Credentials) -> [[UInt8]] {
        NetlinkMessage.split(bytes).flatMap { answer($0, to: port, network, c) }
    }

    private static func answer(_ request: [UInt8], to port: UInt32, _ network: NetworkStack, _ c: Credentials) -> [[UInt8]] {
        let type = Bytes.uint16(request, 4), flags = Bytes.uint16(request, 6)
        let sequence = UInt32(bitPattern: Bytes.int32(request, 8) ?? 0)
        guard flags & NetlinkMessage.flagRequest != 0, type >= MessageType.first else {
            return flags & NetlinkMessage.flagAcknowledge != 0 ? [failure(0, request, port)] : []
        }
        guard type <= MessageType.last else { return [failure(Errno.EOPNOTSUPP.rawValue, request, port)] }
        // The low two bits: new, delete, get, set.
        guard type & 3 == 2 else {
            guard c.has(.netAdmin, in: network.owner) else { return [failure(Errno.EPERM.rawValue, request, port)] }
            let error = change(type, request, network)
            if let error { return [failure(error.rawValue, request, port)] }
            return flags & NetlinkMessage.flagAcknowledge != 0 ? [failure(0, request, port)] : []
        }
        let family = request.count > headerSize ? Int32(request[headerSize]) : 0
        let isDump = flags & NetlinkMessage.flagDump == NetlinkMessage.flagDump
        func message(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
            NetlinkMessage.make(type, flags: isDump ? NetlinkMessage.flagMulti : 0, sequence, port, body)
        }
        let found: [UInt8]
        switch type {
        case MessageType.getLink:
            if !isDump && !names(request) { return [failure(Errno.ENODEV.rawValue, request, port)] }
            found = message(MessageType.newLink, link(network))
        case MessageType.getAddress where isDump:
            var all: [UInt8] = []
            if network.hasAddress && (family == AddressFamily.unspecified || family == AddressFamily.inet) { all += message(MessageType.newAddress, address4) }
            if network.isUp && (family == AddressFamily.unspecified || family == AddressFamily.inet6) { all += message(MessageType.newAddress, address6) }
            found = all
        case MessageType.getRoute where isDump:
            // The main table is empty: there is no way out.
            found = []
        default:
            return [failure(type == MessageType.getRoute ? Errno.ENETUNREACH.rawValue : Errno.EOPNOTSUPP.rawValue, request, port)]
        }
        if !isDump { return [found] }
        let done = NetlinkMessage.make(NetlinkMessage.done, flags: NetlinkMessage.flagMulti, sequence, port, Bytes.of(Int32(0)))
        return found.isEmpty ? [done] : [found, done]
    }

    /// Brings `lo` up or down, or gives it 127.0.0.1. Nil: done.
    private static func change(_ type: UInt16, _ request: [UInt8], _ network: NetworkStack) -> Errno? {
        let up: UInt32 = 1
        switch type {
        case MessageType.newLink, MessageType.setLink:
            guard names(request) else { return .ENODEV }
            let flags = UInt32(bitPattern: Bytes.int32(request, headerSize + 8) ?? 0)
            let mask = UInt32(bitPattern: Bytes.int32(request, headerSize + 12) ?? 0)
            // Without a mask, all flags count.
            if mask & up != 0 || (mask == 0 && flags != 0) { network.isUp = flags & up != 0 }
            return nil
        case MessageType.newAddress:
            // ifaddrmsg: family, prefix, flags, scope, index; IFA_LOCAL or IFA_ADDRESS.
            guard request.count >= headerSize + 8, Bytes.int32(request, headerSize + 4) == LoopbackDevice.index else { return .ENODEV }
            guard Int32(request[headerSize]) == AddressFamily.inet else { return .EOPNOTSUPP }
            var offset = headerSize + 8
            while offset + 8 <= request.count {
                let length = Int(Bytes.uint16(request, offset))
                guard length >= 4, offset + length <= request.count else { return .EINVAL }
                if Bytes.uint16(request, offset + 2) <= 2 {
                    guard length == 8, Array(request[offset + 4..<offset + 8]) == [127, 0, 0, 1] else { return .EOPNOTSUPP }
                }
                offset += (length + 3) & ~3
            }
            if network.hasAddress { return .EEXIST }
            network.hasAddress = true
            return nil
        default: return .EOPNOTSUPP
        }
    }

    /// Whether a single RTM_GETLINK means `lo`, by index or IFLA_IFNAME.
    private static func names(_ request: [UInt8]) -> Bool {
        guard request.count >= headerSize + 16 else { return false }
        let index = Bytes.int32(request, headerSize + 4) ?? 0
        if index != 0 { return index == LoopbackDevice.index }
        var offset = headerSize + 16
        while offset + 4 <= request.count {
            let length = Int(Bytes.uint16(request, offset)), type = Bytes.uint16(request, offset + 2)
            guard length >= 4, offset + length <= request.count else { return false }
            if type == 3 { return Array(request[offset + 4..<offset + length].prefix { $0 != 0 }) == LoopbackDevice.name }
            offset += (length + 3) & ~3
        }
        return false
    }

    private static func failure(_ errno: Int32, _ request: [UInt8], _ port: UInt32) -> [UInt8] {
        NetlinkMessage.failure(errno, request, port)
    }
    private static func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] { NetlinkMessage.attribute(type, value) }

    /// ifinfomsg with IFLA_ADDRESS 1, BROADCAST 2, IFNAME 3, MTU 4, QDISC 6, TXQLEN 13, OPERSTATE 16, LINKMODE 17.
    private static func link(_ network: NetworkStack) -> [UInt8] {
        [0, 0] + Bytes.of(LoopbackDevice.hardwareType) + Bytes.of(LoopbackDevice.index) + Bytes.of(network.isUp ? LoopbackDevice.allFlags : LoopbackDevice.downFlags)
            + Bytes.of(UInt32(0)) + attribute(3, LoopbackDevice.name + [0]) + attribute(13, Bytes.of(UInt32(1000)))
            + attribute(16, [0]) + attribute(17, [0]) + attribute(4, Bytes.of(LoopbackDevice.mtu))
            + attribute(6, Array("noqueue".utf8) + [0]) + attribute(1, [0, 0, 0, 0, 0, 0]) + attribute(2, [0, 0, 0, 0, 0, 0])
    }
    /// ifaddrmsg (family, prefix, IFA_F_PERMANENT, scope host, index) with IFA_ADDRESS 1, LOCAL 2, LABEL 3, CACHEINFO 6, FLAGS 8.
    private static var address4: [UInt8] {
        [UInt8(AddressFamily.inet), 8, 0x80, 254] + Bytes.of(LoopbackDevice.index) + attribute(1, [127, 0, 0, 1])
            + attribute(2, [127, 0, 0, 1]) + attribute(3, LoopbackDevice.name + [0]) + attribute(8, Bytes.of(UInt32(0x80)))
            + attribute(6, lifetime)
    }
    private static var address6: [UInt8] {
        [UInt8(AddressFamily.inet6), 128, 0x80, 254] + Bytes.of(LoopbackDevice.index)
            + attribute(1, [UInt8](repeating: 0, count: 15) + [1]) + attribute(6, lifetime) + attribute(8, Bytes.of(UInt32(0x80)))
    }
    /// ifa_cacheinfo: preferred and valid for ever, made and changed at no known time.
    private static var lifetime: [UInt8] { Bytes.of(UInt32.max) + Bytes.of(UInt32.max) + Bytes.of(UInt64(0)) }
}
