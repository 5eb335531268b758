import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

extension UnixSocket {
    // MARK: bind

    public func bind(_ address: [UInt8], caller: any Caller) throws(Errno) {
        let parsed = try UnixAddress(address)
        let isBound = state.withLock { s in
            if case .unnamed = s.address { return false }
            return true
        }
        switch parsed {
        case .unnamed:
            if !isBound { try bindAutomatically() }
        case .abstract(let name):
            if isBound { throw .EINVAL }
            try network.names.bind(name, self)
            try finishBind(parsed, node: nil) { network.names.remove(name, self) }
        case .path(let path):
            // The path is looked at first, whatever the socket's state: unix_bind_bsd.
            let place: Path
            do throws(Errno) {
                place = try VFS.createNode(path, .socket, permissions: 0o777, caller: caller)
            } catch {
                throw error == .EEXIST ? .EADDRINUSE : error
            }
            let node = place.node
            node.shared.boundSocket = self
            try finishBind(parsed, node: node) {
                node.shared.boundSocket = nil
                try? VFS.unlink(path, caller: caller)
            }
        }
    }

    /// Records the name unless another thread was faster: then `undo`. - Throws: EINVAL.
    private func finishBind(_ address: UnixAddress, node: (any Inode)?, _ undo: () -> Void) throws(Errno) {
        let done = state.withLock { s in
            guard case .unnamed = s.address else { return false }
            s.address = address
            s.node = node
            return true
        }
        if !done {
            undo()
            throw .EINVAL
        }
    }

    func bindAutomatically() throws(Errno) {
        let name = try network.names.bindAutomatically(self)
        let done = state.withLock { s in
            guard case .unnamed = s.address else { return false }
            s.address = .abstract(name)
            return true
        }
        if !done { network.names.remove(name, self) }
    }

    /// With SO_PASSCRED a sender gets a name, so that it can be answered (unix(7), "Autobind feature").
    func bindIfItPassesCredentials() throws(Errno) {
        guard options.passesCredentials.load(ordering: .relaxed) else { return }
        if state.withLock({ if case .unnamed = $0.address { true } else { false } }) { try bindAutomatically() }
    }

    // MARK: listen, accept

    public func listen(backlog: Int32, caller: any Caller) throws(Errno) {
        if isConnectionless { throw .EOPNOTSUPP }
        let bound = min(max(0, Int(backlog)), Self.maximumBacklog)
        let limit = backlog < 0 ? Self.maximumBacklog : bound
        try state.withLock { s throws(Errno) in
            if case .unnamed = s.address { throw .EINVAL }
            switch s.phase {
            case .unconnected: s.phase = .listening(Listener(backlog: limit))
            case .listening(var listener):
                listener.backlog = limit
                s.phase = .listening(listener)
            default: throw .EINVAL
            }
            s.own = Self.peerCredentials(caller)
            s.ownGroups = caller.credentials.groups
        }
        connectors.notify(.everything)
    }

    public func accept(caller: any Caller) throws(Errno) -> any Socket {
        if isConnectionless { throw .EOPNOTSUPP }
        let readShut = incoming.status.readerClosed
        let socket = try state.withLock { s throws(Errno) -> UnixSocket in
            guard case .listening(var listener) = s.phase else { throw .EINVAL }
            guard let socket = listener.pending.popFirst() else { throw readShut ? .EINVAL : .EAGAIN }
            // Leave no second reference to the ring while it changes.
            s.phase = .listening(listener)
            return socket
        }
        connectors.notify(.everything)
        return socket
    }

    // MARK: connect

    /// The socket that `address` names. - Throws: ECONNREFUSED, EPROTOTYPE, and what the path walk throws.
    func find(_ address: UnixAddress, caller: any Caller) throws(Errno) -> UnixSocket {
        switch address {
        case .unnamed: throw .EINVAL
        case .abstract(let name):
            guard let found = network.names.find(name, type: type) else { throw .ECONNREFUSED }
            if let domain = caller.credentials.landlock, !domain.reaches(found.domain, .abstractUnixSocket) { throw .EPERM }
            return found
        case .path(let path):
            let place = try VFS.resolve(path, caller: caller)
            try VFS.checkAccess(.write, place, caller.credentials)
            guard place.node.type == .socket, let found = place.node.shared.boundSocket as? UnixSocket else { throw .ECONNREFUSED }
            guard found.type == type else { throw .EPROTOTYPE }
            return found
        }
    }

    public func connect(_ address: [UInt8], isNonBlocking: Bool, caller: any Caller) throws(Errno) {
        if isConnectionless {
            try connectDatagram(address, caller: caller)
            return
        }
        let parsed = try UnixAddress(address)
        if case .unnamed = parsed { throw .EINVAL }
        try bindIfItPassesCredentials()
        let deadline = isNonBlocking ? nil : options.deadline(forReading: false)
        while true {
            let listener = try find(parsed, caller: caller)
            do throws(Errno) {
                try connect(to: listener, caller: caller)
                return
            } catch {
                guard error == .EAGAIN && !isNonBlocking else { throw error }
            }
            do throws(Errno) {
                try caller.wait(on: listener.connectors, until: deadline) { listener.hasRoom ? () : nil }
            } catch {
                throw error == .ETIMEDOUT ? .EAGAIN : error
            }
        }
    }

    /// Whether a connect would not have to wait; a listener that went away is found out by trying.
    private var hasRoom: Bool {
        state.withLock { s in
            guard case .listening(let listener) = s.phase else { return true }
            return listener.pending.count <= listener.backlog
        }
    }

    /// Makes the server's end, joins it to this socket and puts it on the backlog.
    private func connect(to listener: UnixSocket, caller: any Caller) throws(Errno) {
        let readShut = listener.incoming.status.readerClosed
        let (address, server, groups) = try listener.state.withLock {
            s throws(Errno) -> (UnixAddress, UserCredentials?, [UInt32]) in
            guard case .listening(let waiting) = s.phase, !readShut else { throw .ECONNREFUSED }
            if waiting.pending.count > waiting.backlog { throw .EAGAIN }
            return (s.address, s.own, s.ownGroups)
        }
        let accepted = UnixSocket(type: type, network: network)
        accepted.options.copy(from: listener.options)
        accepted.state.withLock {
            $0.phase = .connected(self)
            $0.address = address
            $0.peer = Self.peerCredentials(caller)
            $0.peerGroups = caller.credentials.groups
        }
        try state.withLock { s throws(Errno) in
            switch s.phase {
            case .unconnected: break
            case .connected: throw .EISCONN
            case .listening, .closed: throw .EINVAL
            }
            s.phase = .connected(accepted)
            s.peer = server
            s.peerGroups = groups
        }
        let refusal = listener.state.withLock { s -> Errno? in
            guard case .listening(var waiting) = s.phase else { return .ECONNREFUSED }
            if waiting.pending.count > waiting.backlog { return .EAGAIN }
            s.phase = .closed
            waiting.pending.append(accepted)
            s.phase = .listening(waiting)
            return nil
        }
        if let refusal {
            state.withLock {
                $0.phase = .unconnected
                $0.peer = nil
            }
            throw refusal
        }
        listener.waiters.notify(.allReadable)
        waiters.notify(.everything)
    }

    /// Sets the default destination of a datagram socket, or drops it with AF_UNSPEC.
    private func connectDatagram(_ address: [UInt8], caller: any Caller) throws(Errno) {
        if address.count < 2 { throw .EINVAL }
        if SocketAddress.family(address) == AddressFamily.unspecified {
            state.withLock { $0.phase = .unconnected }
            waiters.notify(.everything)
            return
        }
        let parsed = try UnixAddress(address)
        if case .unnamed = parsed { throw .EINVAL }
        try bindIfItPassesCredentials()
        let target = try find(parsed, caller: caller)
        // A socket that has a peer talks to that peer alone.
        if let theirs = target.peer, theirs !== self { throw .EPERM }
        state.withLock { $0.phase = .connected(target) }
        waiters.notify(.everything)
    }
}
