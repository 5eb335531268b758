import LinuxABI
import Memory
import VirtualFileSystem

/// A socket as an open file: Linux's `struct socket`.
public final class SocketFile: FileOperations {
    public let socket: any Socket
    private let inodeNumber: UInt64

    init(_ socket: any Socket, inodeNumber: UInt64, uid: UInt32) {
        self.socket = socket
        self.inodeNumber = inodeNumber
        socket.opened(inode: inodeNumber)
        OpenSockets.shared.add(socket, inode: inodeNumber, uid: uid)
    }

    /// A description of `socket`, with an inode of its own. `flags`: O_NONBLOCK.
    public static func makeDescription(_ socket: any Socket, flags: OpenFlags, caller: any Caller) -> FileDescription {
        let inode = PseudoInode(.sockets, FileMode(.socket, 0o777), credentials: caller.credentials)
        return FileDescription(
            operations: SocketFile(socket, inodeNumber: inode.number, uid: caller.credentials.fileSystemUID), inode: inode,
            anonymousName: inode.displayName,
            flags: flags.intersection(.nonBlocking).union(.readWrite))
    }

    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        if buffer.remaining == 0 { return 0 }
        var message = try socket.receive(&buffer, flags: [], caller: caller)
        // Descriptors that came along are closed: read(2) has no place for them.
        if !message.descriptions.isEmpty { DeferredRelease.drop(&message.descriptions) }
        return message.count
    }

    public func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        (try socket.send(&buffer, SendRequest(), caller: caller), 0)
    }

    public func readiness() -> PollEvents { socket.readiness() }
    public func addWaiter(_ entry: WaitEntry) { socket.waiters.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { socket.waiters.remove(entry) }
    public var splicing: Splicing { [.source, .target] }
    public var isPollable: Bool { true }

    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        switch request {
        case IoctlRequest.FIONREAD:
            try caller.memory.store(Int32(truncatingIfNeeded: socket.readableBytes()), at: GuestAddress(argument))
        case IoctlRequest.SIOCOUTQ:
            try caller.memory.store(Int32(truncatingIfNeeded: socket.unsentBytes()), at: GuestAddress(argument))
        default:
            return try socket.ioctl(request, argument: argument, caller: caller)
        }
        return 0
    }

    public func blockingTimeout(for events: PollEvents) -> Int64? {
        socket.options.state.withLock { events.contains(.readable) ? $0.receiveTimeout : $0.sendTimeout }
    }

    public func released() {
        OpenSockets.shared.remove(inode: inodeNumber)
        socket.close()
    }
}

extension SocketFile {
    /// setsockopt(2).
    public func setOption(level: Int32, name: Int32, _ value: [UInt8], caller: any Caller) throws(Errno) {
        guard level == SocketOption.levelSocket else {
            try socket.setOption(level: level, name: name, value, caller: caller)
            return
        }
        try checkFamily(name, value)
        do {
            try socket.options.set(name, value, caller: caller)
        } catch {
            if error != .ENOPROTOOPT { throw error }
            try socket.setOption(level: level, name: name, value, caller: caller)
        }
    }

    /// getsockopt(2): the whole value.
    public func option(level: Int32, name: Int32, caller: any Caller) throws(Errno) -> [UInt8] {
        guard level == SocketOption.levelSocket else { return try socket.option(level: level, name: name, caller: caller) }
        switch name {
        case SocketOption.passCredentials where !carriesCredentials: throw .EOPNOTSUPP
        case SocketOption.type: return Bytes.of(socket.type.rawValue)
        case SocketOption.domain: return Bytes.of(socket.family)
        case SocketOption.protocolNumber: return Bytes.of(socket.protocolNumber)
        case SocketOption.error: return Bytes.of(socket.takeError()?.rawValue ?? 0)
        case SocketOption.acceptConnections: return Bytes.of(Int32(socket.isListening ? 1 : 0))
        case SocketOption.cookie: return Bytes.of(UInt64(UInt(bitPattern: ObjectIdentifier(self).hashValue)))
        default:
            if let value = socket.options.get(name) { return value }
            return try socket.option(level: level, name: name, caller: caller)
        }
    }

    /// SO_PASSCRED and SO_PASSPIDFD.
    public var passesCredentials: Bool { socket.options.passesCredentials.load(ordering: .relaxed) }
    public var passesPIDFD: Bool { socket.options.isSet(SocketOption.passPIDFD) }

    /// Linux's sk_may_scm_recv.
    private var carriesCredentials: Bool { socket.family == AddressFamily.unix || socket.family == AddressFamily.netlink }

    /// Options that only some families have. - Throws: EOPNOTSUPP.
    private func checkFamily(_ name: Int32, _ value: [UInt8]) throws(Errno) {
        switch name {
        case SocketOption.passCredentials, SocketOption.passPIDFD:
            if !carriesCredentials { throw .EOPNOTSUPP }
        case SocketOption.reusePort:
            let isInternet = socket.family == AddressFamily.inet || socket.family == AddressFamily.inet6
            if !isInternet && Bytes.int32(value) ?? 0 != 0 { throw .EOPNOTSUPP }
        case SocketOption.peekOffset:
            if socket.family != AddressFamily.unix { throw .EOPNOTSUPP }
        default: break
        }
    }
}
