import Kernel
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A NETLINK_ROUTE socket (rtnetlink(7)) that answers questions about links and addresses, and brings `lo` up and down; or a
/// NETLINK_SOCK_DIAG socket (sock_diag(7)) that lists sockets.
final class NetlinkSocket: Socket, NotificationSink {
    private struct State {
        /// `nl_pid`; 0 until bound.
        var port: UInt32 = 0
        var groups: UInt32 = 0
    }
    let type: SocketType
    let waiters = WaitQueue()
    let options: SocketOptions
    private let incoming: ReceiveQueue
    private let state = Mutex(State())

    let network: NetworkStack
    var networkNumber: UInt64 { network.number }

    enum NetlinkProtocol: Int32 {
        case route = 0
        case socketDiagnosis = 4
    }
    private let netlinkProtocol: NetlinkProtocol

    private init(type: SocketType, _ netlinkProtocol: NetlinkProtocol, network: NetworkStack) {
        self.type = type
        self.netlinkProtocol = netlinkProtocol
        self.network = network
        options = SocketOptions(waiters: waiters)
        incoming = ReceiveQueue(isStream: false, waiters: waiters)
    }

    static func make(type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno) -> NetlinkSocket {
        guard let type = SocketType(rawValue: type), type == .raw || type == .datagram else { throw .ESOCKTNOSUPPORT }
        guard protocolNumber >= 0 && protocolNumber < 32 else { throw .EPROTONOSUPPORT }
        guard let netlinkProtocol = NetlinkProtocol(rawValue: protocolNumber) else { throw .EPROTONOSUPPORT }
        return NetlinkSocket(type: type, netlinkProtocol, network: .of(caller))
    }

    var family: Int32 { AddressFamily.netlink }
    var protocolNumber: Int32 { netlinkProtocol.rawValue }

    // MARK: names

    private static func address(port: UInt32, groups: UInt32) -> [UInt8] {
        [UInt8(AddressFamily.netlink), 0, 0, 0] + Bytes.of(port) + Bytes.of(groups)
    }

    func bind(_ address: [UInt8], caller: any Caller) throws(Errno) {
        guard address.count >= SocketAddress.netlinkLength, SocketAddress.family(address) == family else { throw .EINVAL }
        let wanted = UInt32(bitPattern: Bytes.int32(address, 4) ?? 0), groups = UInt32(bitPattern: Bytes.int32(address, 8) ?? 0)
        let bound = state.withLock { $0.port }
        if bound != 0 {
            if wanted != 0 && wanted != bound { throw .EINVAL }
        } else {
            try take(wanted, caller: caller)
        }
        state.withLock { $0.groups = groups }
    }

    /// Takes port `wanted`, or with 0 the process id, else any number that is free, from the top. - Throws: EADDRINUSE.
    private func take(_ wanted: UInt32, caller: any Caller) throws(Errno) {
        let first = wanted == 0 ? UInt32(bitPattern: caller.processID) : wanted
        let port = network.netlinkPorts.withLock { all -> UInt32? in
            var ports = all[netlinkProtocol] ?? []
            defer { all[netlinkProtocol] = ports }
            if ports.insert(first).inserted { return first }
            if wanted != 0 { return nil }
            var candidate = UInt32.max - 4096
            while !ports.insert(candidate).inserted { candidate &-= 1 }
            return candidate
        }
        guard let port else { throw .EADDRINUSE }
        state.withLock { $0.port = port }
    }

    func localAddress() -> [UInt8] {
        let s = state.withLock { $0 }
        return Self.address(port: s.port, groups: s.groups)
    }
    func peerAddress() throws(Errno) -> [UInt8] { Self.address(port: 0, groups: 0) }
    func connect(_ address: [UInt8], isNonBlocking: Bool, caller: any Caller) throws(Errno) {
        guard address.count >= 2 else { throw .EINVAL }
        if SocketAddress.family(address) == AddressFamily.unspecified { return }
        guard address.count >= SocketAddress.netlinkLength, SocketAddress.family(address) == family else { throw .EINVAL }
        // Only the kernel can be talked to.
        guard Bytes.int32(address, 4) == 0 else { throw .EPERM }
        if state.withLock({ $0.port }) == 0 { try take(0, caller: caller) }
    }
    func shutdown(_ direction: ShutdownDirection) throws(Errno) { throw .EOPNOTSUPP }

    // MARK: messages

    func send(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        if request.flags.contains(.outOfBand) { throw .EOPNOTSUPP }
        if let address = request.address, !address.isEmpty {
            guard address.count >= SocketAddress.netlinkLength, SocketAddress.family(address) == family else { throw .EINVAL }
            guard Bytes.int32(address, 4) == 0 else { throw .ECONNREFUSED }
        }
        if state.withLock({ $0.port }) == 0 { try take(0, caller: caller) }
        let count = buffer.remaining
        guard count <= options.account.limitInBytes - 32 else { throw .EMSGSIZE }
        let bytes = try buffer.take(count)
        guard bytes.count == count else { throw .EFAULT }
        let port = state.withLock { $0.port }
        let replies =
            switch netlinkProtocol {
            case .route: RouteMessages.answer(bytes, port: port, network, caller.credentials)
            case .socketDiagnosis: SocketDiagnosis.answer(bytes, port: port, caller.networkNamespace)
            }
        for reply in replies { enqueue(reply) }
        return count
    }

    private func enqueue(_ bytes: [UInt8]) {
        var buffer = IOBuffer(kernelBytes: bytes)
        // Replies are the reader's own to hold; what overflows its buffer is lost, as in Linux.
        var origin = ReceiveQueue.Origin(account: options.account, credentials: UserCredentials(), sender: Self.address(port: 0, groups: 0))
        _ = try? incoming.send(message: &buffer, &origin)
    }

    func deliver(_ bytes: [UInt8]) { enqueue(bytes) }

    func receive(_ buffer: inout IOBuffer, flags: MessageFlags, caller: any Caller) throws(Errno) -> ReceivedMessage {
        if flags.contains(.outOfBand) { throw .EOPNOTSUPP }
        return try incoming.receive(
            message: &buffer, peek: flags.contains(.peek), fullLength: flags.contains(.truncated),
            wantsCredentials: options.passesCredentials.load(ordering: .relaxed))
    }

    func readiness() -> PollEvents {
        incoming.status.isEmpty ? .allWritable : [.readable, .readNormal, .writable, .writeNormal]
    }
    func readableBytes() throws(Errno) -> Int { incoming.readableBytes }
    func unsentBytes() throws(Errno) -> Int { 0 }
    func takeError() -> Errno? { nil }

    func reports() -> [SocketReport] {
        [SocketReport(family: family, type: type.rawValue, protocolNumber: protocolNumber, state: .closed, local: localAddress())]
    }

    func setOption(level: Int32, name: Int32, _ value: [UInt8], caller: any Caller) throws(Errno) {
        guard level == SocketOption.levelNetlink else { throw .ENOPROTOOPT }
        // NETLINK_ADD_MEMBERSHIP and others: no group here ever gets a message. NETLINK_EXT_ACK and NETLINK_GET_STRICT_CHK change
        // only what errors look like.
        guard [1, 2, 3, 4, 5, 11, 12].contains(name) else { throw .ENOPROTOOPT }
    }
    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        try LoopbackDevice.ioctl(request, argument: argument, network, caller: caller)
    }

    func close() {
        let port = state.withLock { $0.port }
        if port != 0 { network.netlinkPorts.withLock { _ = $0[netlinkProtocol]?.remove(port) } }
        _ = incoming.close()
        waiters.notify(.everything)
    }
}
