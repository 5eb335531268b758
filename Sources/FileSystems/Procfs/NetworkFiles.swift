/// /proc/PID/net: the loopback interface without counters, and the tables of sockets.
enum NetworkFiles {
    static var entries: [SyntheticTreeEntry] {
        [
            .text("arp", "IP address       HW type     Flags       HW address            Mask     Device"),
            .file("dev", ConstantContent(devices)),
            .file("dev_mcast", ConstantContent("")),
            .text(
                "icmp",
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
            ),
            .text("if_inet6", "00000000000000000000000000000001 01 80 10 80       lo"),
            .text(
                "igmp",
                "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0"
            ),
            .text(
                "ipv6_route",
                "00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo"
            ),
            .file("netlink", SocketTable.netlink),
            .file("netstat", ConstantContent(counters("TcpExt", tcpExtended) + counters("IpExt", ipExtended))),
            .text("packet", "sk               RefCnt Type Proto  Iface R Rmem   User   Inode"),
            .text(
                "protocols",
                "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in de sh ss gs se re bi br ha uh gp em"
            ),
            .text("psched", "000003e8 00000040 000f4240 3b9aca00"),
            .text("ptype", "Type Device      Function"),
            .text("raw", socketHeader), .text("raw6", socketHeader6),
            .text(
                "route",
                "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       "
            ),
            .file("snmp", ConstantContent(snmp)),
            .file("sockstat", SocketTable.sockstat), .file("sockstat6", SocketTable.sockstat6),
            .directory("stat"),
            .file("tcp", SocketTable.tcp), .file("tcp6", SocketTable.tcp6),
            .file("udp", SocketTable.udp), .file("udp6", SocketTable.udp6),
            .text("udplite", padded(" " + socketHeader, to: 127)),
            .text("udplite6", socketHeader6),
            .file("unix", SocketTable.unix),
        ]
    }

    private static let socketHeader =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"
    private static let address6 =
        "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
    private static let socketHeader6 = address6 + " ref pointer drops"

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    private static let devices = """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0

        """

    // MARK: counters

    private static func counters(_ name: String, _ columns: String) -> String {
        let zeroes = columns.split(separator: " ").map { _ in "0" }.joined(separator: " ")
        return "\(name): \(columns)\n\(name): \(zeroes)\n"
    }

    private static let snmp =
        """
        Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests \
        OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates OutTransmits
        Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0

        """
        + counters(
            "Icmp",
            "InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps "
                + "InTimestampReps InAddrMasks InAddrMaskReps OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs "
                + "OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks "
                + "OutAddrMaskReps")
            + """
            Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs \
            InErrs OutRsts InCsumErrors
            Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0

            """
        + counters(
            "Udp", "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors")
        + counters(
            "UdpLite", "InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors")

    private static let tcpExtended =
        "SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned ListenOverflows ListenDrops "
        + "TCPTimeouts TCPLossProbes TCPSynRetrans TCPOrigDataSent"
    private static let ipExtended =
        "InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts InOctets OutOctets InMcastOctets OutMcastOctets "
        + "InBcastOctets OutBcastOctets"
}
