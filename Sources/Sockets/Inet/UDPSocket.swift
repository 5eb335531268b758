import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A UDP socket on the sandbox's loopback: udp(7). Datagrams go straight to the receiver's queue; a full one loses them.
final class UDPSocket: Socket, PortOwner {
    private struct State {
        var local: Endpoint
        var remote: Endpoint?
        var isBound = false
        var isReadShut = false
        var isWriteShut = false
        /// ECONNREFUSED after a datagram to a port without a socket.
        var error: Errno?
    }

    let family: Int32
    let network: NetworkStack
    var networkNumber: UInt64 { network.number }
    let type = SocketType.datagram
    let protocolNumber: Int32 = 17
    let waiters = WaitQueue()
    let options: SocketOptions
    private let inet: InetOptions
    private let incoming: ReceiveQueue
    /// What waits here, against SO_RCVBUF.
    private let received: SendAccount
    private let state: Mutex<State>

    private static let maximumPayload = 65507

    init(family: Int32, network: NetworkStack) {
        self.family = family
        self.network = network
        options = SocketOptions(waiters: waiters)
        inet = InetOptions(family: family, isStream: false)
        incoming = ReceiveQueue(isStream: false, waiters: waiters)
        received = SendAccount(limit: SocketOptions.defaultBuffer, waiters: WaitQueue())
        state = Mutex(State(local: Endpoint(family == AddressFamily.inet ? .anyV4 : .anyV6, 0)))
    }

    var isListening: Bool { false }

    func bind(_ address: [UInt8], caller: any Caller) throws(Errno) {
        let endpoint = try Endpoint(address, family: family)
        try InetFamily.checkBind(endpoint, network, caller: caller)
        try bind(endpoint)
    }

    private func bind(_ endpoint: Endpoint) throws(Errno) {
        let claimed = state.withLock { s -> Bool in
            if s.isBound { return false }
            s.isBound = true
            return true
        }
        if !claimed { throw .EINVAL }
        do throws(Errno) {
            let dual = family == AddressFamily.inet6 && !inet.isV6Only
            let port = try network.udp.bind(self, endpoint.address, endpoint.port, isDual: dual)
            state.withLock { $0.local = Endpoint(endpoint.address, port) }
        } catch {
            state.withLock { $0.isBound = false }
            throw error
        }
    }

    func localAddress() -> [UInt8] { state.withLock { $0.local }.encoded(family: family) }
    func peerAddress() throws(Errno) -> [UInt8] {
        guard let remote = state.withLock({ $0.remote }) else { throw .ENOTCONN }
        return remote.encoded(family: family)
    }

    func connect(_ address: [UInt8], isNonBlocking: Bool, caller: any Caller) throws(Errno) {
        if address.count < 2 { throw .EINVAL }
        if SocketAddress.family(address) == AddressFamily.unspecified {
            state.withLock { $0.remote = nil }
            return
        }
        let target = try InetFamily.route(Endpoint(address, family: family), network)
        if !state.withLock({ $0.isBound }) { try bind(state.withLock { $0.local }) }
        state.withLock {
            if $0.local.address.isAny { $0.local.address = InetFamily.source(for: target.address) }
            $0.remote = target
        }
        waiters.notify(.everything)
    }

    /// Whether a datagram from `source` is for this socket: a connected one takes only its peer's.
    private func accepts(from source: Endpoint) -> Bool {
        state.withLock { $0.remote == nil || $0.remote == source }
    }

    func send(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        if request.flags.contains(.outOfBand) { throw .EOPNOTSUPP }
        let (remote, isShut, error) = state.withLock { s -> (Endpoint?, Bool, Errno?) in
            defer { s.error = nil }
            return (s.remote, s.isWriteShut, s.error)
        }
        if let error { throw error }
        if isShut { throw .EPIPE }
        let count = buffer.remaining
        if count > Self.maximumPayload { throw .EMSGSIZE }
        let target: Endpoint
        if let address = request.address, !address.isEmpty {
            let wanted = try Endpoint(address, family: family)
            if wanted.port == 0 { throw .EINVAL }
            if wanted.address.isBroadcast && !options.isSet(SocketOption.broadcast) { throw .EACCES }
            target = try InetFamily.route(wanted, network)
        } else {
            guard let remote else { throw .EDESTADDRREQ }
            target = remote
        }
        if !state.withLock({ $0.isBound }) { try bind(state.withLock { $0.local }) }
        var source = state.withLock { $0.local }
        if source.address.isAny { source.address = InetFamily.source(for: target.address) }
        guard let receiver = network.udp.find(target, where: { $0.accepts(from: source) }) else {
            // The ICMP answer comes back to a connected socket only.
            if remote != nil && remote == target {
                state.withLock { $0.error = .ECONNREFUSED }
                waiters.notify(.everything)
            }
            return count
        }
        receiver.received.setLimit(receiver.options.receiveBuffer)
        var header = inet.header(to: target.address)
        if receiver.options.stampsArrivals { header.time = HostClock.realtime.nanoseconds }
        var origin = ReceiveQueue.Origin(
            account: receiver.received, credentials: .none, sender: source.encoded(family: receiver.family), header: header)
        do throws(Errno) {
            _ = try receiver.incoming.send(message: &buffer, &origin)
        } catch {
            // No room, or reading was shut: the datagram is lost.
            if error == .EFAULT { throw error }
        }
        return count
    }

    func receive(_ buffer: inout IOBuffer, flags: MessageFlags, caller: any Caller) throws(Errno) -> ReceivedMessage {
        if flags.contains(.outOfBand) { throw .EOPNOTSUPP }
        if let error = takeError() { throw error }
        do throws(Errno) {
            var message = try incoming.receive(
                message: &buffer, peek: flags.contains(.peek), fullLength: flags.contains(.truncated), wantsCredentials: false)
            if let stamp = options.timestamp(message.header) { message.ancillary.append(stamp) }
            message.ancillary += inet.ancillary(message.header)
            return message
        } catch {
            if error == .EAGAIN && state.withLock({ $0.isReadShut }) { return ReceivedMessage(count: 0) }
            throw error
        }
    }

    func readiness() -> PollEvents {
        let s = state.withLock { $0 }
        var events: PollEvents = [.writable, .writeNormal, .writeBand]
        if s.error != nil { events.insert(.error) }
        if s.isReadShut { events.formUnion([.readable, .readNormal, .readHangUp]) }
        if s.isReadShut && s.isWriteShut { events.insert(.hangUp) }
        if !incoming.status.isEmpty { events.formUnion(.allReadable) }
        return events
    }

    func readableBytes() throws(Errno) -> Int { incoming.readableBytes }
    func unsentBytes() throws(Errno) -> Int { 0 }
    func takeError() -> Errno? {
        state.withLock { s in
            defer { s.error = nil }
            return s.error
        }
    }

    func reports() -> [SocketReport] {
        let s = state.withLock { $0 }
        guard s.isBound else { return [] }
        var report = SocketReport(
            family: family, type: type.rawValue, protocolNumber: protocolNumber, state: s.remote == nil ? .closed : .established,
            local: s.local.encoded(family: family))
        report.remote = s.remote?.encoded(family: family) ?? []
        // Charged with overhead, as Linux shows it.
        report.receiveQueue = received.outstanding
        return [report]
    }

    func setOption(level: Int32, name: Int32, _ value: [UInt8], caller: any Caller) throws(Errno) {
        if level == SocketOption.levelSocket { throw .ENOPROTOOPT }
        try inet.set(level: level, name: name, value, isBound: state.withLock { $0.isBound })
    }
    func option(level: Int32, name: Int32, caller: any Caller) throws(Errno) -> [UInt8] {
        if level == SocketOption.levelSocket { throw .ENOPROTOOPT }
        return try inet.get(level: level, name: name)
    }
    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        try LoopbackDevice.ioctl(request, argument: argument, network, caller: caller)
    }

    func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        try state.withLock { s throws(Errno) in
            // inet_shutdown: it takes effect without a peer too.
            defer { waiters.notify(.everything) }
            if direction.closesRead { s.isReadShut = true }
            if direction.closesWrite { s.isWriteShut = true }
            guard s.remote != nil else { throw .ENOTCONN }
        }
    }

    func close() {
        let port = state.withLock { s -> UInt16? in s.isBound ? s.local.port : nil }
        if let port { network.udp.release(self, port) }
        _ = incoming.close()
        waiters.notify(.everything)
    }
}
