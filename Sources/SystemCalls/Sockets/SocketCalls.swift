import HostOS
import Kernel
import LinuxABI
import Sockets
import VirtualFileSystem

extension SystemCallFamilies {
    /// Sockets: making, naming, connecting, options.
    public static let sockets: [SystemCallEntry] = [
        .init(41, "socket", sysSocket),
        .init(53, "socketpair", sysSocketPair),
        .init(49, "bind", sysBind),
        .init(50, "listen", sysListen),
        .init(43, "accept") { current, a throws(Errno) in try accept(current, a, flags: 0) },
        .init(288, "accept4") { current, a throws(Errno) in try accept(current, a, flags: a.int(3)) },
        .init(42, "connect", sysConnect),
        .init(51, "getsockname") { current, a throws(Errno) in
            let socket = try current.socket(a.int(0)).file.socket
            try current.storeAddress(socket.localAddress(), at: a.address(1), lengthAt: a.address(2))
            return 0
        },
        .init(52, "getpeername") { current, a throws(Errno) in
            let socket = try current.socket(a.int(0)).file.socket
            try current.storeAddress(socket.peerAddress(), at: a.address(1), lengthAt: a.address(2))
            return 0
        },
        .init(48, "shutdown") { current, a throws(Errno) in
            let socket = try current.socket(a.int(0)).file.socket
            guard let direction = ShutdownDirection(rawValue: a.int(1)) else { throw .EINVAL }
            try socket.shutdown(direction)
            return 0
        },
        .init(54, "setsockopt", sysSetSocketOption),
        .init(55, "getsockopt", sysGetSocketOption),
    ]
}

extension CurrentTask {
    /// A descriptor that must be a socket. - Throws: EBADF, ENOTSOCK.
    func socket(_ number: Int32) throws(Errno) -> (description: FileDescription, file: SocketFile) {
        let description = try file(number)
        guard let file = description.operations as? SocketFile else { throw .ENOTSOCK }
        return (description, file)
    }

    /// A socket address argument. - Throws: EINVAL for a length out of range, EFAULT.
    func socketAddress(_ address: GuestAddress, length: Int32) throws(Errno) -> [UInt8] {
        guard length >= 0 && length <= SocketAddress.maximumLength else { throw .EINVAL }
        return length == 0 ? [] : try memory.copyIn(address, count: Int(length))
    }

    /// Stores an address as getsockname(2) does: cut to the room there is, the length in full. - Throws: EINVAL, EFAULT.
    func storeAddress(_ bytes: [UInt8], at address: GuestAddress, lengthAt: GuestAddress) throws(Errno) {
        let room = try memory.load(Int32.self, at: lengthAt)
        guard room >= 0 else { throw .EINVAL }
        let count = min(Int(room), bytes.count)
        if count > 0 { try memory.copyOut(Array(bytes.prefix(count)), to: address) }
        try memory.store(Int32(bytes.count), at: lengthAt)
    }

    /// The type argument of socket(2) with its flags taken off. - Throws: EINVAL for other bits.
    fileprivate func socketType(_ argument: Int32) throws(Errno) -> (type: Int32, flags: OpenFlags) {
        let flags = argument & ~SocketType.mask
        guard flags & ~(SocketType.nonBlocking | SocketType.closeOnExec) == 0 else { throw .EINVAL }
        return (argument & SocketType.mask, OpenFlags(rawValue: UInt32(bitPattern: flags)))
    }
}

@Sendable private func sysSocket(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let (type, flags) = try current.socketType(a.int(1))
    let socket = try SocketFamily.make(family: a.int(0), type: type, protocolNumber: a.int(2), caller: current)
    let description = SocketFile.makeDescription(socket, flags: flags, caller: current)
    return try current.install(description, closeOnExec: flags.contains(.closeOnExec))
}

@Sendable private func sysSocketPair(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let (type, flags) = try current.socketType(a.int(1))
    let pair = try SocketFamily.makePair(family: a.int(0), type: type, protocolNumber: a.int(2), caller: current)
    return try current.installPair(
        SocketFile.makeDescription(pair.0, flags: flags, caller: current),
        SocketFile.makeDescription(pair.1, flags: flags, caller: current),
        closeOnExec: flags.contains(.closeOnExec), at: a.address(3))
}

@Sendable private func sysBind(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let socket = try current.socket(a.int(0)).file.socket
    let address = try current.socketAddress(a.address(1), length: a.int(2))
    try current.checkPort(.bindTCP, socket, address)
    try socket.bind(address, caller: current)
    return 0
}

@Sendable private func sysListen(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    try current.socket(a.int(0)).file.socket.listen(backlog: a.int(1), caller: current)
    return 0
}

/// accept4(2).
private func accept(_ current: CurrentTask, _ a: SystemCallArguments, flags: Int32) throws(Errno) -> Int {
    guard flags & ~(SocketType.nonBlocking | SocketType.closeOnExec) == 0 else { throw .EINVAL }
    let (description, file) = try current.socket(a.int(0))
    let connection = try current.onSocket(description, file, .allReadable, flags: []) { () throws(Errno) in
        try file.socket.accept(caller: current)
    }
    let open = OpenFlags(rawValue: UInt32(bitPattern: flags))
    let accepted = SocketFile.makeDescription(connection, flags: open, caller: current)
    if !a.address(1).isNull {
        let peer: [UInt8]
        do throws(Errno) {
            peer = try connection.peerAddress()
        } catch {
            throw error == .ENOTCONN ? .ECONNABORTED : error
        }
        try current.storeAddress(peer, at: a.address(1), lengthAt: a.address(2))
    }
    return try current.install(accepted, closeOnExec: open.contains(.closeOnExec))
}

@Sendable private func sysConnect(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let (description, file) = try current.socket(a.int(0))
    let address = try current.socketAddress(a.address(1), length: a.int(2))
    try current.checkPort(.connectTCP, file.socket, address)
    try file.socket.connect(address, isNonBlocking: description.isNonBlocking, caller: current)
    return 0
}

@Sendable private func sysSetSocketOption(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let file = try current.socket(a.int(0)).file
    let length = a.int(4)
    guard length >= 0 else { throw .EINVAL }
    // No option of ours is longer than this.
    let value = length == 0 ? [] : try current.memory.copyIn(a.address(3), count: Int(min(length, 4096)))
    try file.setOption(level: a.int(1), name: a.int(2), value, caller: current)
    return 0
}

@Sendable private func sysGetSocketOption(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let file = try current.socket(a.int(0)).file
    let room = try current.memory.load(Int32.self, at: a.address(4))
    guard room >= 0 else { throw .EINVAL }
    if a.int(1) == SocketOption.levelSocket && a.int(2) == SocketOption.peerPIDFD { return try peerPidFile(current, file, room, a) }
    var value = try file.option(level: a.int(1), name: a.int(2), caller: current)
    if a.int(1) == SocketOption.levelSocket && a.int(2) == SocketOption.peerCredentials { translatePeer(&value, current) }
    if a.int(1) == SocketOption.levelSocket && a.int(2) == SocketOption.peerGroups && value.count > Int(room) {
        try current.memory.store(Int32(value.count), at: a.address(4))
        throw .ERANGE
    }
    let count = min(Int(room), value.count)
    if count > 0 { try current.memory.copyOut(Array(value.prefix(count)), to: a.address(3)) }
    try current.memory.store(Int32(count), at: a.address(4))
    return 0
}

/// `struct ucred` of SO_PEERCRED, as the caller sees process and users.
private func translatePeer(_ value: inout [UInt8], _ current: CurrentTask) {
    guard value.count == 12, current.pidNamespace.level > 0 || current.credentials.innerUserNamespace != nil else { return }
    func word(_ index: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(value[index * 4 + $1]) << UInt32($1 * 8) } }
    let c = current.credentials
    // Without a peer the users are -1.
    let words = [
        UInt32(bitPattern: current.number(ofProcess: Int32(bitPattern: word(0)))), word(1) == .max ? .max : c.shownUser(word(1)),
        word(2) == .max ? .max : c.shownGroup(word(2)),
    ]
    value = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) } }
}

/// SO_PEERPIDFD: a pidfd of the process that SO_PEERCRED names. - Throws: ENODATA without a peer, ESRCH, EMFILE.
private func peerPidFile(_ current: CurrentTask, _ file: SocketFile, _ room: Int32, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard file.socket.family == AddressFamily.unix else { throw .ENODATA }
    let credentials = try file.option(level: SocketOption.levelSocket, name: SocketOption.peerCredentials, caller: current)
    let id = credentials.prefix(4).reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
    if id == 0 { throw .ENODATA }
    guard let group = current.kernel.processes.threadGroup(id) else { throw .ESRCH }
    let number = try current.install(PidFile.makeDescription(group, nonBlocking: false), closeOnExec: true)
    do throws(Errno) {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
        let count = min(Int(room), bytes.count)
        try current.memory.copyOut(Array(bytes.prefix(count)), to: a.address(3))
        try current.memory.store(Int32(count), at: a.address(4))
    } catch {
        _ = try? current.files.remove(Int32(number))
        throw error
    }
    return 0
}

extension CurrentTask {
    /// landlock(7) on TCP ports. Addresses that are wrong in another way are left to the socket. - Throws: EACCES, EINVAL.
    fileprivate func checkPort(_ access: LandlockNetworkAccess, _ socket: any Socket, _ address: [UInt8]) throws(Errno) {
        guard let domain = credentials.landlock, socket.isStream,
            socket.family == AddressFamily.inet || socket.family == AddressFamily.inet6
        else { return }
        guard address.count >= 4 else { throw .EINVAL }
        let family = Int32(address[0]) | Int32(address[1]) << 8
        // Connecting to no family disconnects, which is always allowed.
        if family == 0 && access == .connectTCP { return }
        try domain.check(access, port: UInt16(address[2]) << 8 | UInt16(address[3]))
    }

    /// Runs one attempt of a socket operation, and unless the description or MSG_DONTWAIT forbids it sleeps while it throws EAGAIN.
    /// - Throws: what `attempt` throws; EAGAIN when SO_RCVTIMEO or SO_SNDTIMEO has run out; ERESTARTSYS on a signal, or EINTR where
    ///   a time-out is set, because a restart would start it anew (signal(7)).
    func onSocket<R>(
        _ description: FileDescription, _ file: SocketFile, _ events: PollEvents, flags: MessageFlags,
        _ attempt: () throws(Errno) -> R
    ) throws(Errno) -> R {
        if description.isNonBlocking || flags.contains(.dontWait) { return try attempt() }
        let timeout = file.blockingTimeout(for: events)
        do throws(Errno) {
            return try retry(on: [(file, events)], until: timeout.map { .after(nanoseconds: $0) }, attempt)
        } catch {
            if error == .ETIMEDOUT { throw .EAGAIN }
            if error == .ERESTARTSYS && timeout != nil { throw .EINTR }
            throw error
        }
    }
}
