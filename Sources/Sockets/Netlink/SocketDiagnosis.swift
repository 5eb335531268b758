import LinuxABI
import VirtualFileSystem

/// Answers to sock_diag(7) requests, which ss(8) makes: the sockets of a family. Of single sockets only Unix ones are found; memory,
/// congestion and the like are not told.
enum SocketDiagnosis {
    /// SOCK_DIAG_BY_FAMILY.
    private static let byFamily: UInt16 = 20
    /// What one datagram of a dump holds at most.
    private static let chunk = 8192

    /// The datagrams that answer a datagram of requests; `port` is the asker's.
    static func answer(_ bytes: [UInt8], port: UInt32, _ network: NetworkNamespace) -> [[UInt8]] {
        NetlinkMessage.split(bytes).flatMap { answer($0, to: port, network) }
    }

    private static func answer(_ request: [UInt8], to port: UInt32, _ network: NetworkNamespace) -> [[UInt8]] {
        let type = Bytes.uint16(request, 4), flags = Bytes.uint16(request, 6)
        let sequence = UInt32(bitPattern: Bytes.int32(request, 8) ?? 0)
        func refuse(_ error: Errno) -> [[UInt8]] { [NetlinkMessage.failure(error.rawValue, request, port)] }
        guard flags & NetlinkMessage.flagRequest != 0, type >= 16 else {
            return flags & NetlinkMessage.flagAcknowledge != 0 ? [NetlinkMessage.failure(0, request, port)] : []
        }
        let body = Array(request.dropFirst(NetlinkMessage.headerSize))
        guard type == byFamily, body.count >= 8 else { return refuse(.EINVAL) }
        let isDump = flags & NetlinkMessage.flagDump == NetlinkMessage.flagDump
        let rows: [[UInt8]]
        switch Int32(body[0]) {
        case AddressFamily.unix: rows = unix(body, isDump: isDump, network)
        case AddressFamily.inet, AddressFamily.inet6:
            guard isDump, internetProtocol(body) == Int32(body[1]) else { return refuse(.ENOENT) }
            rows = internet(body, network)
        case AddressFamily.netlink, AddressFamily.packet: rows = []
        default: return refuse(.ENOENT)
        }
        if !isDump {
            guard let row = rows.first else { return refuse(.ENOENT) }
            return [NetlinkMessage.make(byFamily, flags: 0, sequence, port, row)]
        }
        var datagrams: [[UInt8]] = []
        for row in rows {
            let message = NetlinkMessage.make(byFamily, flags: NetlinkMessage.flagMulti, sequence, port, row)
            if let last = datagrams.last, last.count + message.count <= chunk {
                datagrams[datagrams.count - 1] += message
            } else {
                datagrams.append(message)
            }
        }
        datagrams.append(
            NetlinkMessage.make(NetlinkMessage.done, flags: NetlinkMessage.flagMulti, sequence, port, Bytes.of(Int32(0))))
        return datagrams
    }

    private static func wants(_ state: SocketReport.State, _ states: Int32?) -> Bool {
        UInt32(bitPattern: states ?? 0) & (1 << UInt32(state.rawValue)) != 0
    }

    // MARK: internet

    /// `inet_diag_req_v2` (family, protocol, wanted attributes, states, identity) gives `inet_diag_msg`s.
    private static func internet(_ body: [UInt8], _ network: NetworkNamespace) -> [[UInt8]] {
        let states = Bytes.int32(body, 4)
        return OpenSockets.shared.reports(in: network)
            .filter { $0.family == Int32(body[0]) && $0.protocolNumber == Int32(body[1]) && wants($0.state, states) }
            .map { report in
                var row: [UInt8] = [body[0], report.state.rawValue, 0, 0]
                let (localPort, local) = end(report.local), (remotePort, remote) = end(report.remote)
                row += localPort + remotePort + local + remote
                // Interface, and the cookie, which tells one socket from another.
                row += Bytes.of(UInt32(0)) + Bytes.of(report.inode)
                row += Bytes.of(UInt32(0)) + Bytes.of(UInt32(truncatingIfNeeded: report.receiveQueue))
                row += Bytes.of(UInt32(truncatingIfNeeded: report.sendQueue)) + Bytes.of(report.uid)
                row += Bytes.of(UInt32(truncatingIfNeeded: report.inode))
                let shutdown: UInt16 = 8
                return row + NetlinkMessage.attribute(shutdown, [0])
            }
    }

    /// Protocols whose numbers need more than a byte (MPTCP) come as an attribute: INET_DIAG_REQ_PROTOCOL.
    private static func internetProtocol(_ body: [UInt8]) -> Int32 {
        let attribute: UInt16 = 3
        var offset = 56
        while offset + 8 <= body.count {
            let length = Int(Bytes.uint16(body, offset))
            guard length >= 4, offset + length <= body.count else { break }
            if Bytes.uint16(body, offset + 2) == attribute, length >= 8 { return Bytes.int32(body, offset + 4) ?? 0 }
            offset += (length + 3) & ~3
        }
        return Int32(body[1])
    }

    /// Port and address of a `sockaddr`, in the widths of `inet_diag_sockid`; an absent one is all zeroes.
    private static func end(_ address: [UInt8]) -> (port: [UInt8], address: [UInt8]) {
        guard address.count >= 8 else { return ([0, 0], [UInt8](repeating: 0, count: 16)) }
        let isV6 = Int32(address[0]) == AddressFamily.inet6
        let bytes = Array(address.dropFirst(isV6 ? 8 : 4).prefix(isV6 ? 16 : 4))
        return (Array(address[2..<4]), bytes + [UInt8](repeating: 0, count: 16 - bytes.count))
    }

    // MARK: Unix

    /// `unix_diag_req` (family, states, inode, what to show) gives `unix_diag_msg`s with attributes.
    private static func unix(_ body: [UInt8], isDump: Bool, _ network: NetworkNamespace) -> [[UInt8]] {
        guard body.count >= 16 else { return [] }
        let (states, inode, show) = (Bytes.int32(body, 4), Bytes.int32(body, 8), UInt32(bitPattern: Bytes.int32(body, 12) ?? 0))
        return OpenSockets.shared.reports(in: network)
            .filter { report in
                guard report.family == AddressFamily.unix else { return false }
                return isDump ? wants(report.state, states) : UInt32(truncatingIfNeeded: report.inode) == UInt32(bitPattern: inode ?? 0)
            }
            .map { unixRow($0, show) }
    }

    private enum Show {
        static let name: UInt32 = 1
        static let peer: UInt32 = 4
        static let queues: UInt32 = 0x10
        static let owner: UInt32 = 0x40
    }
    private enum Attribute {
        static let name: UInt16 = 0
        static let peer: UInt16 = 2
        static let queues: UInt16 = 4
        static let shutdown: UInt16 = 6
        static let owner: UInt16 = 7
    }

    private static func unixRow(_ report: SocketReport, _ show: UInt32) -> [UInt8] {
        var row: [UInt8] = [UInt8(AddressFamily.unix), UInt8(truncatingIfNeeded: report.type), report.state.rawValue, 0]
        row += Bytes.of(UInt32(truncatingIfNeeded: report.inode)) + Bytes.of(report.inode)
        // A path's NUL is not part of the name.
        var name = Array(report.local.dropFirst(2))
        if name.first != 0 { name = Array(name.prefix { $0 != 0 }) }
        if show & Show.name != 0 && !name.isEmpty { row += NetlinkMessage.attribute(Attribute.name, name) }
        if show & Show.peer != 0 && report.peerInode != 0 {
            row += NetlinkMessage.attribute(Attribute.peer, Bytes.of(UInt32(truncatingIfNeeded: report.peerInode)))
        }
        if show & Show.queues != 0 {
            let queues = Bytes.of(UInt32(truncatingIfNeeded: report.receiveQueue)) + Bytes.of(UInt32(truncatingIfNeeded: report.sendQueue))
            row += NetlinkMessage.attribute(Attribute.queues, queues)
        }
        if show & Show.owner != 0 { row += NetlinkMessage.attribute(Attribute.owner, Bytes.of(report.uid)) }
        return row + NetlinkMessage.attribute(Attribute.shutdown, [0])
    }
}
