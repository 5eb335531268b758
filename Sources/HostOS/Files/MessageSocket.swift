import CHost
import LinuxABI

/// One end of an AF_UNIX SOCK_SEQPACKET pair that carries messages with descriptors.
public struct MessageSocket: ~Copyable, Sendable {
    public let descriptor: HostDescriptor
    /// Descriptors that one message may carry.
    public static let maximumDescriptors = 32

    public init(_ descriptor: consuming HostDescriptor) { self.descriptor = descriptor }

    /// Sends `header` and `body` as one message; descriptors are duplicated into it.
    /// - Throws: EPIPE and ECONNRESET when the peer is gone, EMSGSIZE.
    public borrowing func send(_ header: [UInt8], _ body: [UInt8], descriptors: [Int32] = []) throws(Errno) {
        // SAFETY: each pointer covers the count that follows it and lives through the call.
        let result = unsafe header.withUnsafeBytes { header in
            unsafe body.withUnsafeBytes { body in
                unsafe descriptors.withUnsafeBufferPointer { fds in
                    unsafe chost_send(
                        descriptor.number, header.baseAddress, header.count, body.baseAddress, body.count, fds.baseAddress, fds.count)
                }
            }
        }
        try hostResult(result)
    }

    /// Receives one message into the front of `buffer`; returns its length, 0 when the peer closed. Descriptors that came with it are
    /// appended to `descriptors`; the caller owns them.
    /// - Throws: EMSGSIZE for a message longer than `buffer` or with too many descriptors, EMFILE when there was no room for them (the
    /// message is gone), ECONNRESET.
    public borrowing func receive(into buffer: inout [UInt8], descriptors: inout [Int32]) throws(Errno) -> Int {
        var numbers = [Int32](repeating: -1, count: Self.maximumDescriptors)
        var count = numbers.count
        // SAFETY: the buffers are as long as said; the shim stores at most that much and the descriptor count.
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe numbers.withUnsafeMutableBufferPointer { fds in
                unsafe chost_receive(descriptor.number, bytes.baseAddress, bytes.count, fds.baseAddress, &count)
            }
        }
        if count > 0 { descriptors.append(contentsOf: numbers.prefix(count)) }
        return try hostResult(result)
    }
}

/// A connected pair of message sockets, close-on-exec.
public struct MessageSocketPair: ~Copyable {
    public var near: HostDescriptor
    public var far: HostDescriptor
    public init() throws(Errno) {
        var numbers: [Int32] = [-1, -1]
        // SAFETY: the shim stores two numbers.
        try hostResult(unsafe numbers.withUnsafeMutableBufferPointer { unsafe chost_seqpacket_pair($0.baseAddress) })
        near = HostDescriptor(owning: numbers[0])
        far = HostDescriptor(owning: numbers[1])
    }
}
