import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A Unix-domain socket: stream, sequenced packets, datagrams (unix(7)).
///
/// Each socket owns the queue that it reads from. Connected sockets hold each other until they close. Data passes under the lock of the
/// receiving queue alone. Lock order: `state`, of one socket at a time → queue → wait queue.
public final class UnixSocket: Socket {
    enum Phase {
        case unconnected
        case listening(Listener)
        case connected(UnixSocket)
        case closed
    }
    struct Listener {
        var pending = Ring<UnixSocket>()
        /// One more than this may wait.
        var backlog: Int
    }
    struct State {
        var phase = Phase.unconnected
        var address = UnixAddress.unnamed
        /// Of the peer at the time of connect, listen or socketpair: SO_PEERCRED.
        var peer: UserCredentials?
        var peerGroups: [UInt32] = []
        /// The listener's own, for those who connect.
        var own: UserCredentials?
        var ownGroups: [UInt32] = []
        /// The node it is bound to.
        var node: (any Inode)?
        /// shutdown(2) of writing while there is no peer to tell.
        var isWriteShut = false
        /// A datagram socket's pending ECONNREFUSED or ECONNRESET.
        var error: Errno?
    }

    public let type: SocketType
    let network: NetworkStack
    public var networkNumber: UInt64 { network.number }
    public let waiters = WaitQueue()
    public let options: SocketOptions
    let incoming: ReceiveQueue
    let state = Mutex(State())
    /// Those who wait for room in the backlog.
    let connectors = WaitQueue()

    /// net.unix.max_dgram_qlen; one message more may wait.
    static let datagramQueueLimit = 10
    /// net.core.somaxconn.
    static let maximumBacklog = 4096

    /// Of its file; 0 while a connection has not been accepted.
    let inodeNumber = Atomic<UInt64>(0)
    /// The Landlock domain of the task that made it.
    let domain: LandlockDomain?

    init(type: SocketType, network: NetworkStack, domain: LandlockDomain? = nil) {
        self.type = type
        self.network = network
        self.domain = domain
        options = SocketOptions(waiters: waiters)
        incoming = ReceiveQueue(isStream: type == .stream, waiters: waiters)
    }

    static func make(type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno) -> UnixSocket {
        guard protocolNumber == 0 || protocolNumber == AddressFamily.unix else { throw .EPROTONOSUPPORT }
        switch SocketType(rawValue: type) {
        case .stream: return UnixSocket(type: .stream, network: .of(caller), domain: caller.credentials.landlock)
        // Raw sockets are datagram sockets here, as in Linux.
        case .datagram, .raw: return UnixSocket(type: .datagram, network: .of(caller), domain: caller.credentials.landlock)
        case .sequentialPacket: return UnixSocket(type: .sequentialPacket, network: .of(caller), domain: caller.credentials.landlock)
        default: throw .ESOCKTNOSUPPORT
        }
    }

    /// socketpair(2).
    static func join(_ a: UnixSocket, _ b: UnixSocket, caller: any Caller) {
        let credentials = peerCredentials(caller), groups = caller.credentials.groups
        for (socket, peer) in [(a, b), (b, a)] {
            socket.state.withLock {
                $0.phase = .connected(peer)
                $0.peer = credentials
                $0.peerGroups = groups
            }
        }
    }

    /// What SO_PEERCRED reports of a process: effective ids.
    static func peerCredentials(_ caller: any Caller) -> UserCredentials {
        let c = caller.credentials
        return UserCredentials(pid: caller.globalProcessID, uid: c.effectiveUID, gid: c.effectiveGID)
    }

    public var family: Int32 { AddressFamily.unix }
    public var protocolNumber: Int32 { 0 }
    var isConnectionless: Bool { type == .datagram }

    public var isListening: Bool {
        state.withLock { s in
            if case .listening = s.phase { return true }
            return false
        }
    }

    // MARK: names

    public func localAddress() -> [UInt8] { state.withLock { $0.address.encoded } }

    public func peerAddress() throws(Errno) -> [UInt8] {
        guard let peer else { throw .ENOTCONN }
        return peer.localAddress()
    }

    var peer: UnixSocket? {
        state.withLock { s in
            if case .connected(let peer) = s.phase { return peer }
            return nil
        }
    }

    // MARK: readiness

    public func readiness() -> PollEvents {
        var events: PollEvents = []
        let (peer, isUnconnected, pending, isListening, isWriteShut, hasError) = state.withLock {
            s -> (UnixSocket?, Bool, Int, Bool, Bool, Bool) in
            switch s.phase {
            case .connected(let peer): (peer, false, 0, false, s.isWriteShut, s.error != nil)
            case .listening(let listener): (nil, false, listener.pending.count, true, s.isWriteShut, s.error != nil)
            case .unconnected, .closed: (nil, true, 0, false, s.isWriteShut, s.error != nil)
            }
        }
        if isListening { return pending > 0 ? .allReadable : [] }
        let mine = incoming.status
        var receiveShut = mine.readerClosed, sendShut = isWriteShut
        if !isConnectionless {
            receiveShut = receiveShut || mine.writerClosed
            if let peer {
                let theirs = peer.incoming.status
                sendShut = sendShut || theirs.writerClosed || theirs.readerClosed
            }
            if isUnconnected { events.insert(.hangUp) }
        }
        if hasError || mine.hasError { events.insert(.error) }
        if receiveShut { events.formUnion([.readHangUp, .readable, .readNormal]) }
        if receiveShut && sendShut { events.insert(.hangUp) }
        if !mine.isEmpty { events.formUnion(.allReadable) }
        if options.account.isWritable {
            var writable = true
            if isConnectionless, let peer, peer.peer !== self {
                writable = !peer.incoming.isFull(queueLimit: Self.datagramQueueLimit, sender: waiters)
            }
            if writable { events.formUnion([.writable, .writeNormal, .writeBand]) }
        }
        return events
    }

    public func readableBytes() throws(Errno) -> Int {
        if isListening { throw .EINVAL }
        return incoming.readableBytes
    }
    public func unsentBytes() throws(Errno) -> Int {
        if isListening { throw .EINVAL }
        return options.account.outstanding
    }
    public func takeError() -> Errno? {
        let own = state.withLock { s in
            defer { s.error = nil }
            return s.error
        }
        return own ?? incoming.takeError()
    }

    // MARK: options

    public func option(level: Int32, name: Int32, caller: any Caller) throws(Errno) -> [UInt8] {
        guard level == SocketOption.levelSocket else { throw .EOPNOTSUPP }
        switch name {
        case SocketOption.peerCredentials:
            let peer = state.withLock { $0.peer } ?? .none
            return Bytes.of(peer.pid) + Bytes.of(peer.uid) + Bytes.of(peer.gid)
        case SocketOption.peerGroups:
            let (peer, groups) = state.withLock { ($0.peer, $0.peerGroups) }
            if peer == nil { throw .ENODATA }
            return groups.flatMap { Bytes.of($0) }
        default:
            throw .ENOPROTOOPT
        }
    }

    /// Sockets of every family answer for the interfaces (sock_do_ioctl): if_nametoindex(3) asks one of these.
    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        try LoopbackDevice.ioctl(request, argument: argument, network, caller: caller)
    }

    // MARK: end

    public func shutdown(_ direction: ShutdownDirection) throws(Errno) {
        let (peer, isListening) = state.withLock { s -> (UnixSocket?, Bool) in
            if direction.closesWrite { s.isWriteShut = true }
            switch s.phase {
            case .connected(let peer): return (isConnectionless ? nil : peer, false)
            case .listening: return (nil, true)
            default: return (nil, false)
            }
        }
        if direction.closesRead { incoming.closeReader() }
        if let peer {
            if direction.closesWrite { peer.incoming.closeWriter() }
            peer.waiters.notify(.everything)
        }
        if isListening { connectors.notify(.everything) }
        waiters.notify(.everything)
    }

    public func close() {
        close(wasAccepted: true)
        InFlight.socketClosed()
    }

    /// `wasAccepted` is false for a connection that nobody accepted: its peer sees a reset.
    private func close(wasAccepted: Bool) {
        let old = state.withLock { s -> State in
            defer {
                s.phase = .closed
                s.node = nil
            }
            return s
        }
        if case .abstract(let name) = old.address { network.names.remove(name, self) }
        if let node = old.node, (node.shared.boundSocket as? UnixSocket) === self { node.shared.boundSocket = nil }
        let hadData = incoming.close()
        switch old.phase {
        case .listening(var listener):
            for socket in listener.pending.removeAll() { socket.close(wasAccepted: false) }
            connectors.notify(.everything)
        case .connected(let peer) where !isConnectionless:
            peer.incoming.closeWriter(error: hadData || !wasAccepted ? .ECONNRESET : nil)
            peer.waiters.notify(.everything)
        default: break
        }
        waiters.notify(.everything)
    }
}
