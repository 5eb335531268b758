import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A TCP socket on the sandbox's loopback: the semantics of tcp(7) that programs see, without segments. A connection is two sockets that
/// hold each other; each reads from its own queue.
final class TCPSocket: Socket, PortOwner {
    private enum Phase {
        case unconnected
        case listening(Ring<TCPSocket>)
        case connected(TCPSocket)
        case closed
    }
    private struct State {
        var phase = Phase.unconnected
        var local: Endpoint
        var remote: Endpoint?
        /// Holds a place in the port table.
        var isBound = false
        var isReadShut = false
        var isWriteShut = false
        /// A non-blocking connect has succeeded and not been asked about.
        var connectIsUnreported = false
        /// The peer's reset has come: the next write breaks.
        var isReset = false
        /// As listen(2) asked for, to be shown.
        var askedBacklog = 0
        var error: Errno?
    }

    let family: Int32
    let network: NetworkStack
    var networkNumber: UInt64 { network.number }
    let type = SocketType.stream
    let protocolNumber: Int32 = 6
    let waiters = WaitQueue()
    let options: SocketOptions
    private let inet: InetOptions
    private let incoming: ReceiveQueue
    private let state: Mutex<State>
    private let connectors = WaitQueue()

    /// net.core.somaxconn. A smaller backlog of the guest's is not enforced: Linux would drop the handshake and have the client
    /// try again, which only costs time.
    private static let backlog = 4096

    init(family: Int32, network: NetworkStack) {
        self.family = family
        self.network = network
        options = SocketOptions(waiters: waiters)
        inet = InetOptions(family: family, isStream: true)
        incoming = ReceiveQueue(isStream: true, waiters: waiters)
        state = Mutex(State(local: Endpoint(family == AddressFamily.inet ? .anyV4 : .anyV6, 0)))
    }

    var isListening: Bool {
        state.withLock { s in
            if case .listening = s.phase { return true }
            return false
        }
    }
    private var peer: TCPSocket? {
        state.withLock { s in
            if case .connected(let peer) = s.phase { return peer }
            return nil
        }
    }

    // MARK: names

    func bind(_ address: [UInt8], caller: any Caller) throws(Errno) {
        let endpoint = try Endpoint(address, family: family)
        try InetFamily.checkBind(endpoint, network, caller: caller)
        try bind(endpoint)
    }

    private func bind(_ endpoint: Endpoint) throws(Errno) {
        let claimed = state.withLock { s -> Bool in
            guard case .unconnected = s.phase, !s.isBound else { return false }
            s.isBound = true
            return true
        }
        if !claimed { throw .EINVAL }
        do throws(Errno) {
            let dual = family == AddressFamily.inet6 && !inet.isV6Only
            let port = try network.tcp.bind(self, endpoint.address, endpoint.port, isDual: dual)
            state.withLock { $0.local = Endpoint(endpoint.address, port) }
        } catch {
            state.withLock { $0.isBound = false }
            throw error
        }
    }

    func localAddress() -> [UInt8] { state.withLock { $0.local }.encoded(family: family) }
    func peerAddress() throws(Errno) -> [UInt8] {
        let remote = state.withLock { s -> Endpoint? in
            guard case .connected = s.phase, !s.isReset else { return nil }
            return s.remote
        }
        guard let remote else { throw .ENOTCONN }
        return remote.encoded(family: family)
    }

    // MARK: connections

    func listen(backlog: Int32, caller: any Caller) throws(Errno) {
        let (canListen, isBound) = state.withLock { s -> (Bool, Bool) in
            switch s.phase {
            case .unconnected, .listening: (true, s.isBound)
            default: (false, s.isBound)
            }
        }
        guard canListen else { throw .EINVAL }
        if !isBound { try bind(state.withLock { $0.local }) }
        state.withLock { s in
            s.askedBacklog = backlog < 0 ? Self.backlog : min(Int(backlog), Self.backlog)
            if case .unconnected = s.phase { s.phase = .listening(Ring()) }
        }
    }

    func accept(caller: any Caller) throws(Errno) -> any Socket {
        let socket = try state.withLock { s throws(Errno) -> TCPSocket in
            guard case .listening(var pending) = s.phase else { throw .EINVAL }
            guard let socket = pending.popFirst() else { throw .EAGAIN }
            s.phase = .listening(pending)
            return socket
        }
        connectors.notify(.everything)
        return socket
    }

    func connect(_ address: [UInt8], isNonBlocking: Bool, caller: any Caller) throws(Errno) {
        if address.count < 2 { throw .EINVAL }
        if SocketAddress.family(address) == AddressFamily.unspecified {
            disconnect()
            return
        }
        let wanted = try Endpoint(address, family: family)
        try state.withLock { s throws(Errno) in
            if let error = s.error {
                s.error = nil
                throw error
            }
            switch s.phase {
            case .unconnected: break
            case .connected where s.connectIsUnreported: break
            default: throw .EISCONN
            }
        }
        let isDone = state.withLock { s -> Bool in
            defer { s.connectIsUnreported = false }
            return s.connectIsUnreported
        }
        if isDone { return }
        let target = try InetFamily.route(wanted, network)
        let deadline = isNonBlocking ? nil : options.deadline(forReading: false)
        while true {
            let found = network.tcp.find(target) { $0.isListening }
            do throws(Errno) {
                guard let found else { throw .ECONNREFUSED }
                try join(found, target)
                if isNonBlocking {
                    // The handshake is over, but Linux reports it at the next call.
                    state.withLock { $0.connectIsUnreported = true }
                    throw .EINPROGRESS
                }
                return
            } catch {
                if error == .ECONNREFUSED && isNonBlocking {
                    state.withLock { $0.error = .ECONNREFUSED }
                    waiters.notify(.everything)
                    throw .EINPROGRESS
                }
                guard error == .EAGAIN else { throw error }
                // A full backlog this long means that nobody accepts.
                if isNonBlocking { throw .ECONNREFUSED }
            }
            guard let found else { throw .ECONNREFUSED }
            do throws(Errno) {
                try caller.wait(on: found.connectors, until: deadline) { found.hasRoom ? () : nil }
            } catch {
                throw error == .ETIMEDOUT ? .EINPROGRESS : error
            }
        }
    }

    private var hasRoom: Bool {
        state.withLock { s in
            guard case .listening(let pending) = s.phase else { return true }
            return pending.count < Self.backlog
        }
    }

    /// Connects to a listener at `target`. - Throws: EAGAIN when its backlog is full, ECONNREFUSED, EADDRINUSE.
    private func join(_ listener: TCPSocket, _ target: Endpoint) throws(Errno) {
        if !state.withLock({ $0.isBound }) { try bind(state.withLock { $0.local }) }
        let accepted = TCPSocket(family: listener.family, network: listener.network)
        accepted.options.copy(from: listener.options)
        let source = state.withLock { s -> Endpoint in
            if s.local.address.isAny { s.local.address = InetFamily.source(for: target.address) }
            s.remote = target
            return s.local
        }
        accepted.state.withLock {
            $0.local = target
            $0.remote = source
            $0.phase = .connected(self)
        }
        try state.withLock { s throws(Errno) in
            guard case .unconnected = s.phase else { throw .EALREADY }
            s.phase = .connected(accepted)
        }
        let refusal = listener.state.withLock { s -> Errno? in
            guard case .listening(var pending) = s.phase else { return .ECONNREFUSED }
            if pending.count >= Self.backlog { return .EAGAIN }
            s.phase = .closed
            pending.append(accepted)
            s.phase = .listening(pending)
            return nil
        }
        if let refusal {
            state.withLock { $0.phase = .unconnected }
            throw refusal
        }
        listener.waiters.notify(.allReadable)
        waiters.notify(.everything)
    }

    /// connect(2) with AF_UNSPEC: back to an unconnected socket.
    private func disconnect() {
        let old = state.withLock { s -> Phase in
            defer {
                s.phase = .unconnected
                s.remote = nil
            }
            return s.phase
        }
        tearDown(old, sendsReset: true)
    }

    // MARK: data

    func send(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        if request.flags.contains(.outOfBand) { throw .EOPNOTSUPP }
        let (peer, isShut, isReset) = state.withLock { s -> (TCPSocket?, Bool, Bool) in
            if case .connected(let peer) = s.phase { return (peer, s.isWriteShut, s.isReset) }
            return (nil, s.isWriteShut, s.isReset)
        }
        if let error = takeError() { throw error }
        guard let peer, !isShut, !isReset else { throw .EPIPE }
        var origin = ReceiveQueue.Origin(account: options.account, credentials: .none)
        do throws(Errno) {
            return try peer.incoming.send(stream: &buffer, &origin)
        } catch {
            guard error == .EPIPE else { throw error }
            // The peer has closed: these bytes still leave, and are answered with a reset.
            state.withLock { $0.isReset = true }
            waiters.notify(.everything)
            let count = buffer.remaining
            buffer.truncate(to: 0)
            return count
        }
    }

    func receive(_ buffer: inout IOBuffer, flags: MessageFlags, caller: any Caller) throws(Errno) -> ReceivedMessage {
        if flags.contains(.outOfBand) { throw .EINVAL }
        let (isConnected, isReadShut) = state.withLock { s -> (Bool, Bool) in
            if case .connected = s.phase { return (true, s.isReadShut) }
            return (false, s.isReadShut)
        }
        guard isConnected else { throw .ENOTCONN }
        if flags.contains(.truncated) {
            // MSG_TRUNC on a stream discards (tcp(7)).
            var sink = IOBuffer(kernelCapacity: min(buffer.remaining, 1 << 20))
            return try receiveBytes(&sink, flags, isReadShut)
        }
        return try receiveBytes(&buffer, flags, isReadShut)
    }

    private func receiveBytes(_ buffer: inout IOBuffer, _ flags: MessageFlags, _ isReadShut: Bool) throws(Errno) -> ReceivedMessage {
        do throws(Errno) {
            return try incoming.receive(stream: &buffer, peek: flags.contains(.peek), wantsCredentials: false)
        } catch {
            if error == .EAGAIN && isReadShut { return ReceivedMessage(count: 0) }
            throw error
        }
    }

    func readiness() -> PollEvents {
        let (s, pending, isConnected) = state.withLock { s -> (State, Int?, Bool) in
            switch s.phase {
            case .listening(let ring): (s, ring.count, false)
            case .connected: (s, nil, true)
            default: (s, nil, false)
            }
        }
        if let pending { return pending > 0 ? .allReadable : [] }
        let mine = incoming.status
        var events: PollEvents = []
        let isReset = s.isReset || mine.hasError
        let receiveShut = s.isReadShut || mine.writerClosed || isReset || s.error != nil
        let sendShut = s.isWriteShut || isReset
        if s.error != nil || mine.hasError { events.insert(.error) }
        if !isConnected || (receiveShut && sendShut) { events.insert(.hangUp) }
        if receiveShut { events.formUnion([.readable, .readNormal, .readHangUp]) }
        if !mine.isEmpty { events.formUnion(.allReadable) }
        if sendShut || options.account.isWritable { events.formUnion(.allWritable) }
        return events
    }

    func readableBytes() throws(Errno) -> Int {
        if isListening { throw .EINVAL }
        return incoming.readableBytes
    }
    func unsentBytes() throws(Errno) -> Int {
        if isListening { throw .EINVAL }
        // What lies in the peer's queue has been acknowledged.
        return 0
    }
    func takeError() -> Errno? {
        let own = state.withLock { s in
            defer { s.error = nil }
            return s.error
        }
        if let own { return own }
        guard let error = incoming.takeError() else { return nil }
        state.withLock { $0.isReset = true }
        return error
    }

    // MARK: what /proc/net shows

    /// Linux has only listeners and connections in its tables; one that both ends have shut down leaves them.
    func reports() -> [SocketReport] {
        let s = state.withLock { $0 }
        func report(_ kind: SocketReport.State) -> SocketReport {
            SocketReport(
                family: family, type: type.rawValue, protocolNumber: protocolNumber, state: kind, local: s.local.encoded(family: family))
        }
        switch s.phase {
        case .listening(let pending):
            var own = report(.listening)
            own.receiveQueue = pending.count
            own.sendQueue = s.askedBacklog
            return [own] + (0..<pending.count).flatMap { pending[$0].reports() }
        case .connected:
            let isPeerDone = incoming.status.writerClosed
            if s.isReset || (s.isWriteShut && isPeerDone) { return [] }
            var own = report(s.isWriteShut ? .finishWait2 : isPeerDone ? .closeWait : .established)
            own.remote = s.remote?.encoded(family: family) ?? []
            own.receiveQueue = incoming.readableBytes
            return [own]
        default: return []
        }
    }

    // MARK: options, end

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
        let (peer, stopped) = try state.withLock { s throws(Errno) -> (TCPSocket?, Phase?) in
            switch s.phase {
            case .connected(let peer):
                if direction.closesRead { s.isReadShut = true }
                if direction.closesWrite { s.isWriteShut = true }
                return (peer, nil)
            case .listening where direction.closesRead:
                let old = s.phase
                s.phase = .unconnected
                return (nil, old)
            case .listening: return (nil, nil)
            default:
                // inet_shutdown: it takes effect without a peer too.
                if direction.closesRead { s.isReadShut = true }
                if direction.closesWrite { s.isWriteShut = true }
                throw .ENOTCONN
            }
        }
        if let peer, direction.closesWrite { peer.incoming.closeWriter() }
        if let stopped { tearDown(stopped, sendsReset: true) }
        waiters.notify(.everything)
    }

    func close() {
        let (old, port) = state.withLock { s -> (Phase, UInt16?) in
            defer { s.phase = .closed }
            return (s.phase, s.isBound ? s.local.port : nil)
        }
        if let port { network.tcp.release(self, port) }
        let linger = options.state.withLock { $0.linger }
        tearDown(old, sendsReset: linger.isOn != 0 && linger.seconds == 0)
    }

    /// Tells the other side of a phase that has ended.
    private func tearDown(_ old: Phase, sendsReset: Bool) {
        switch old {
        case .connected(let peer):
            let hadData = incoming.close()
            peer.incoming.closeWriter(error: hadData || sendsReset ? .ECONNRESET : nil)
            peer.waiters.notify(.everything)
        case .listening(var pending):
            for socket in pending.removeAll() {
                let phase = socket.state.withLock { s -> Phase in
                    defer { s.phase = .closed }
                    return s.phase
                }
                socket.tearDown(phase, sendsReset: true)
            }
            connectors.notify(.everything)
        default: break
        }
        waiters.notify(.everything)
    }
}
