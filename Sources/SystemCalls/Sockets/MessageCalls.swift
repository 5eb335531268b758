import HostOS
import Kernel
import LinuxABI
import Memory
import Sockets
import VirtualFileSystem

extension SystemCallFamilies {
    /// Sockets: sending and receiving.
    public static let messages: [SystemCallEntry] = [
        .init(44, "sendto", sysSendTo),
        .init(45, "recvfrom", sysReceiveFrom),
        .init(46, "sendmsg", sysSendMessage),
        .init(47, "recvmsg", sysReceiveMessage),
        .init(307, "sendmmsg", sysSendMessages),
        .init(299, "recvmmsg", sysReceiveMessages),
    ]
}

private let maximumVectors = UInt64(TransferLimit.vectors)

extension CurrentTask {
    /// Sends all of `buffer`: a stream goes on after a partial transfer unless it may not wait. Raises SIGPIPE.
    fileprivate func send(
        _ description: FileDescription, _ file: SocketFile, _ buffer: inout IOBuffer, _ request: SendRequest
    ) throws(Errno) -> Int {
        var request = request
        var total = 0
        let waits = !description.isNonBlocking && !request.flags.contains(.dontWait)
        do throws(Errno) {
            repeat {
                total += try onSocket(description, file, .allWritable, flags: request.flags) { () throws(Errno) in
                    try file.socket.send(&buffer, request, caller: self)
                }
                // Descriptors go with the first bytes.
                if !request.descriptions.isEmpty { request.descriptions = [] }
            } while file.socket.isStream && waits && buffer.remaining > 0
        } catch {
            if total > 0 { return total }
            // Only streams raise it: unix_dgram_sendmsg, which sequenced packets use too, does not.
            if error == .EPIPE && !request.flags.contains(.noSignal) && file.socket.isStream { raise(.SIGPIPE) }
            throw error
        }
        return total
    }

    /// Receives once; with MSG_WAITALL a stream goes on until the buffer is full, the stream ends or something goes wrong.
    fileprivate func receive(
        _ description: FileDescription, _ file: SocketFile, _ buffer: inout IOBuffer, _ flags: MessageFlags
    ) throws(Errno) -> ReceivedMessage {
        var message = try onSocket(description, file, .allReadable, flags: flags) { () throws(Errno) in
            try file.socket.receive(&buffer, flags: flags, caller: self)
        }
        guard flags.contains(.waitAll), file.socket.isStream, !flags.contains(.peek) else { return message }
        while buffer.remaining > 0 && message.count > 0 && message.descriptions.isEmpty {
            do throws(Errno) {
                let more = try onSocket(description, file, .allReadable, flags: flags) { () throws(Errno) in
                    try file.socket.receive(&buffer, flags: flags, caller: self)
                }
                if more.count == 0 { break }
                message.count += more.count
                message.descriptions = more.descriptions
            } catch {
                break
            }
        }
        return message
    }

    /// A buffer argument of one range. - Throws: EFAULT for a range outside user space.
    fileprivate func range(_ address: GuestAddress, _ length: UInt64) throws(Errno) -> IOBuffer {
        let count = min(length, UInt64(TransferLimit.bytes))
        try TransferLimit.check(address, count)
        return IOBuffer(memory, address, Int(count))
    }
}

/// sendto(2).
@Sendable private func sysSendTo(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let (description, file) = try current.socket(a.int(0))
    var request = SendRequest()
    request.flags = MessageFlags(rawValue: a.uint(3))
    if !a.address(4).isNull { request.address = try current.socketAddress(a.address(4), length: a.int(5)) }
    var buffer = try current.range(a.address(1), a[2])
    return try current.send(description, file, &buffer, request)
}

/// recvfrom(2).
@Sendable private func sysReceiveFrom(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let (description, file) = try current.socket(a.int(0))
    var buffer = try current.range(a.address(1), a[2])
    let message = try current.receive(description, file, &buffer, MessageFlags(rawValue: a.uint(3)))
    if !a.address(4).isNull {
        try current.storeAddress(message.address ?? [], at: a.address(4), lengthAt: a.address(5))
    }
    return message.count
}

/// sendmsg(2).
@Sendable private func sysSendMessage(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let flags = MessageFlags(rawValue: a.uint(2))
    if flags.contains(.compat) { throw .EINVAL }
    let (description, file) = try current.socket(a.int(0))
    return try sendMessage(current, description, file, a.address(1), flags)
}

private func sendMessage(
    _ current: CurrentTask, _ description: FileDescription, _ file: SocketFile, _ address: GuestAddress, _ flags: MessageFlags
) throws(Errno) -> Int {
    let header = try current.memory.load(MessageHeader.self, at: address)
    var request = SendRequest()
    request.flags = flags
    if header.nameLength < 0 { throw .EINVAL }
    if !header.name.isNull && header.nameLength > 0 {
        let length = min(header.nameLength, Int32(SocketAddress.maximumLength))
        request.address = try current.socketAddress(header.name, length: length)
    }
    if header.vectorCount > maximumVectors { throw .EMSGSIZE }
    var buffer = try current.buffer(vectors: header.vectors, count: header.vectorCount)
    if !header.control.isNull && header.controlLength > 0 {
        // net.core.optmem_max bounds the control buffer.
        if header.controlLength > 131_072 { throw .ENOBUFS }
        let control = try current.memory.copyIn(header.control, count: Int(header.controlLength))
        try ControlMessages.parse(control, into: &request, family: file.socket.family, current: current)
    }
    return try current.send(description, file, &buffer, request)
}

/// recvmsg(2).
@Sendable private func sysReceiveMessage(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let flags = MessageFlags(rawValue: a.uint(2))
    if flags.contains(.compat) { throw .EINVAL }
    let (description, file) = try current.socket(a.int(0))
    return try receiveMessage(current, description, file, a.address(1), flags)
}

private func receiveMessage(
    _ current: CurrentTask, _ description: FileDescription, _ file: SocketFile, _ address: GuestAddress, _ flags: MessageFlags
) throws(Errno) -> Int {
    var header = try current.memory.load(MessageHeader.self, at: address)
    if header.nameLength < 0 { throw .EINVAL }
    if header.vectorCount > maximumVectors { throw .EMSGSIZE }
    var buffer = try current.buffer(vectors: header.vectors, count: header.vectorCount)
    var message = try current.receive(description, file, &buffer, flags)
    let name = message.address ?? []
    if !header.name.isNull {
        let count = min(Int(header.nameLength), name.count)
        if count > 0 { try current.memory.copyOut(Array(name.prefix(count)), to: header.name) }
        header.nameLength = Int32(name.count)
    }
    let capacity = header.control.isNull ? 0 : Int(min(header.controlLength, 1 << 20))
    let (length, controlFlags) = try ControlMessages.store(
        &message, for: file, at: header.control, capacity: capacity, closeOnExec: flags.contains(.closeOnExec), current: current)
    header.controlLength = UInt64(length)
    // MSG_CMSG_CLOEXEC comes back in the flags, as Linux leaves it there.
    header.flags = message.flags.union(controlFlags).union(flags.intersection(.closeOnExec)).rawValue
    try current.memory.store(header, at: address)
    return message.count
}

/// `struct mmsghdr`: a message header and the count of its bytes, 64 bytes apart.
private enum MessageVector {
    static let stride: UInt64 = 64
    static let countOffset: UInt64 = 56
}

/// sendmmsg(2).
@Sendable private func sysSendMessages(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    let flags = MessageFlags(rawValue: a.uint(3))
    if flags.contains(.compat) { throw .EINVAL }
    let (description, file) = try current.socket(a.int(0))
    let count = min(UInt64(a.uint(2)), maximumVectors)
    var done = 0
    while done < Int(count) {
        let entry = a.address(1) + UInt64(done) * MessageVector.stride
        do throws(Errno) {
            let sent = try sendMessage(current, description, file, entry, flags)
            try current.memory.store(UInt32(truncatingIfNeeded: sent), at: entry + MessageVector.countOffset)
        } catch {
            if done > 0 { return done }
            throw error
        }
        done += 1
    }
    return done
}

/// recvmmsg(2). The time-out is looked at between messages only, as in Linux.
@Sendable private func sysReceiveMessages(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    var flags = MessageFlags(rawValue: a.uint(3))
    if flags.contains(.compat) { throw .EINVAL }
    let deadline = try current.timeout(Timespec.self, at: a.address(4)) { $0 }
    let (description, file) = try current.socket(a.int(0))
    let count = min(UInt64(a.uint(2)), maximumVectors)
    func hasPassed() -> Bool {
        switch deadline {
        case .never: false
        case .now: true
        case .at(let instant): instant <= .now
        }
    }
    var done = 0
    while done < Int(count) {
        let entry = a.address(1) + UInt64(done) * MessageVector.stride
        do throws(Errno) {
            let received = try receiveMessage(current, description, file, entry, flags.subtracting(.waitForOne))
            try current.memory.store(UInt32(truncatingIfNeeded: received), at: entry + MessageVector.countOffset)
        } catch {
            if done > 0 { break }
            throw error
        }
        done += 1
        if flags.contains(.waitForOne) { flags.insert(.dontWait) }
        if hasPassed() { break }
    }
    if case .at(let instant) = deadline {
        _ = current.storeRemaining(max(0, instant.nanoseconds - MonotonicInstant.now.nanoseconds), at: a.address(4))
    }
    return done
}
