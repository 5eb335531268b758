import LinuxABI
import VirtualFileSystem

/// The tables of open sockets in /proc/net.
enum SocketTable: SyntheticContent {
    case tcp, tcp6, udp, udp6, unix, netlink, sockstat, sockstat6

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        let all = OpenSockets.shared.reports(in: caller.networkNamespace)
        var text = TextBuilder(reserving: 1024)
        switch self {
        case .tcp, .tcp6, .udp, .udp6:
            let isV6 = self == .tcp6 || self == .udp6, isStream = self == .tcp || self == .tcp6
            let family = isV6 ? AddressFamily.inet6 : AddressFamily.inet
            let rows = all.filter { $0.family == family && ($0.protocolNumber == 6) == isStream }
            let format = InternetSocketLine(isV6: isV6, isStream: isStream)
            format.header(&text)
            for (index, row) in rows.enumerated() { format.line(row, index, &text) }
        case .unix:
            text.line("Num       RefCount Protocol Flags    Type St Inode Path")
            for row in all where row.family == AddressFamily.unix { Self.unixLine(row, &text) }
        case .netlink:
            text.line("sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode")
            for row in all where row.family == AddressFamily.netlink { Self.netlinkLine(row, &text) }
        case .sockstat: Self.statistics(all, AddressFamily.inet, &text)
        case .sockstat6: Self.statistics(all, AddressFamily.inet6, &text)
        }
        return text.bytes
    }

    /// unix_seq_show. A socket counts one reference for its file and one for its peer or name.
    private static func unixLine(_ row: SocketReport, _ text: inout TextBuilder) {
        let isConnected = row.state == .established, isNamed = row.local.count > 2
        text.text("0000000000000000: ")
        text.hex(isConnected ? 3 : 2, width: 8)
        text.text(" 00000000 ")
        text.hex(row.state == .listening ? 0x10000 : 0, width: 8)
        text.space()
        text.hex(UInt64(truncatingIfNeeded: row.type), width: 4)
        // SS_CONNECTED, SS_UNCONNECTED.
        text.text(isConnected ? " 03 " : " 01 ")
        text.decimal(row.inode, width: 5)
        if isNamed {
            text.space()
            if row.local[2] == 0 {
                // NULs of an abstract name show as @.
                for byte in row.local[2...] { text.byte(byte == 0 ? 0x40 : byte) }
            } else {
                text.text(Array(row.local[2...].prefix { $0 != 0 }))
            }
        }
        text.newline()
    }

    /// netlink_native_seq_show.
    private static func netlinkLine(_ row: SocketReport, _ text: inout TextBuilder) {
        func column(_ value: String, _ width: Int) {
            text.text(value + String(repeating: " ", count: max(0, width - value.utf8.count)) + " ")
        }
        text.text("0000000000000000 ")
        column(String(row.protocolNumber), 3)
        column(String(Self.word(row.local, 4)), 10)
        text.hex(UInt64(Self.word(row.local, 8)), width: 8)
        text.space()
        for (value, width) in [(row.receiveQueue, 8), (row.sendQueue, 8), (0, 5), (2, 8), (0, 8)] { column(String(value), width) }
        column(String(row.inode), 8)
        text.newline()
    }

    private static func statistics(_ all: [SocketReport], _ family: Int32, _ text: inout TextBuilder) {
        func count(_ protocolNumber: Int32) -> Int { all.count { $0.family == family && $0.protocolNumber == protocolNumber } }
        let tcp = count(6), udp = count(17)
        if family == AddressFamily.inet {
            text.line("sockets: used \(OpenSockets.shared.count)")
            text.line("TCP: inuse \(tcp) orphan 0 tw 0 alloc \(tcp) mem 0")
            text.line("UDP: inuse \(udp) mem 0")
            text.line("UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0")
        } else {
            text.line("TCP6: inuse \(tcp)\nUDP6: inuse \(udp)\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0")
        }
    }

    /// Four bytes as the little-endian number they make.
    static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        guard bytes.count >= offset + 4 else { return 0 }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
}
