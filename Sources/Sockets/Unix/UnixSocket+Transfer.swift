import LinuxABI
import Memory
import VirtualFileSystem

extension UnixSocket {
    private func origin(_ request: SendRequest, caller: any Caller, sender: [UInt8]) throws(Errno)
        -> ReceiveQueue.Origin
    {
        if !request.descriptions.isEmpty, InFlight.count(of: caller.credentials.realUID) > request.inFlightLimit { throw .ETOOMANYREFS }
        let credentials: UserCredentials
        if let given = request.credentials {
            credentials = given
        } else {
            let c = caller.credentials
            credentials = UserCredentials(pid: caller.globalProcessID, uid: c.realUID, gid: c.realGID)
        }
        return ReceiveQueue.Origin(
            account: options.account, credentials: credentials, sender: sender,
            inFlight: InFlight.send(request.descriptions, uid: caller.credentials.realUID))
    }

    public func send(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        if request.flags.contains(.outOfBand) { throw .EOPNOTSUPP }
        switch type {
        case .stream: return try sendStream(&buffer, request, caller: caller)
        case .datagram: return try sendDatagram(&buffer, request, caller: caller)
        default: return try sendPacket(&buffer, request, caller: caller)
        }
    }

    private func sendStream(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        let (peer, isWriteShut) = state.withLock { s -> (UnixSocket?, Bool) in
            if case .connected(let peer) = s.phase { return (peer, s.isWriteShut) }
            return (nil, s.isWriteShut)
        }
        if request.address?.isEmpty == false { throw peer != nil ? .EISCONN : .EOPNOTSUPP }
        guard let peer else { throw .ENOTCONN }
        if isWriteShut { throw .EPIPE }
        var origin = try origin(request, caller: caller, sender: [])
        // What did not get into a message.
        defer { InFlight.drop(&origin.inFlight) }
        return try peer.incoming.send(stream: &buffer, &origin)
    }

    private func sendPacket(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        if let error = takeError() { throw error }
        guard let peer else { throw .ENOTCONN }
        if state.withLock({ $0.isWriteShut }) { throw .EPIPE }
        var origin = try origin(request, caller: caller, sender: localName())
        defer { InFlight.drop(&origin.inFlight) }
        do throws(Errno) {
            return try peer.incoming.send(message: &buffer, &origin)
        } catch {
            // The peer closed: for a connection that is a broken pipe.
            throw error == .ECONNREFUSED ? .EPIPE : error
        }
    }

    private func sendDatagram(_ buffer: inout IOBuffer, _ request: SendRequest, caller: any Caller) throws(Errno) -> Int {
        let target: UnixSocket
        if let address = request.address, !address.isEmpty {
            let parsed = try UnixAddress(address)
            if case .unnamed = parsed { throw .EINVAL }
            try bindIfItPassesCredentials()
            target = try find(parsed, caller: caller)
        } else {
            guard let peer else { throw .ENOTCONN }
            try bindIfItPassesCredentials()
            target = peer
        }
        if state.withLock({ $0.isWriteShut }) { throw .EPIPE }
        let theirs = target.peer
        if let theirs, theirs !== self { throw .EPERM }
        var origin = try origin(request, caller: caller, sender: localName())
        defer { InFlight.drop(&origin.inFlight) }
        do throws(Errno) {
            return try target.incoming.send(
                message: &buffer, &origin, queueLimit: theirs === self ? .max : Self.datagramQueueLimit, blocked: waiters)
        } catch {
            if error == .ECONNREFUSED {
                // The default peer is gone: the socket is unconnected again.
                state.withLock { s in
                    if case .connected(let peer) = s.phase, peer === target { s.phase = .unconnected }
                }
            }
            throw error
        }
    }

    /// The name messages carry: empty for an unnamed socket.
    private func localName() -> [UInt8] {
        state.withLock { s in
            if case .unnamed = s.address { return [] }
            return s.address.encoded
        }
    }

    public func receive(_ buffer: inout IOBuffer, flags: MessageFlags, caller: any Caller) throws(Errno) -> ReceivedMessage {
        if flags.contains(.outOfBand) { throw type == .stream ? .EINVAL : .EOPNOTSUPP }
        let peek = flags.contains(.peek)
        let wantsCredentials = options.passesCredentials.load(ordering: .relaxed) || options.isSet(SocketOption.passPIDFD)
        if !isConnectionless {
            guard peer != nil else { throw type == .stream ? .EINVAL : .ENOTCONN }
        }
        let skip = peek ? max(0, options.peekOffset.load(ordering: .relaxed)) : 0
        if type == .stream {
            let message = try incoming.receive(stream: &buffer, peek: peek, wantsCredentials: wantsCredentials, skip: skip)
            options.movePeekOffset(by: message.count, peek: peek)
            return message
        }
        var message = try incoming.receive(
            message: &buffer, peek: peek, fullLength: flags.contains(.truncated), wantsCredentials: wantsCredentials, skip: skip)
        options.movePeekOffset(by: message.count, peek: peek)
        if let stamp = options.timestamp(message.header) { message.ancillary.append(stamp) }
        if type == .sequentialPacket {
            // A connection: the peer's name is not repeated with each message, but recvfrom reports it as Linux does.
            if message.address?.isEmpty == true { message.address = nil }
        }
        return message
    }
}
