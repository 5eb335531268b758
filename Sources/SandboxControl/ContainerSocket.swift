import HostOS
import LinuxABI

/// One connection to a container's control socket, either end: a stream of messages with a 32-bit length in front. Descriptors travel with the
/// length. The peer is not trusted: lengths, counts and the time that a message takes are bounded.
public struct ContainerSocket: ~Copyable, Sendable {
    private let socket: MessageSocket
    /// How long the rest of a message may take once it has begun, in nanoseconds.
    private static let patience: Int64 = 10_000_000_000

    public init(_ descriptor: consuming HostDescriptor) { socket = MessageSocket(descriptor) }

    public var number: Int32 { socket.descriptor.number }

    public func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(ControlError) {
        var w = MessageWriter()
        w.put(UInt32(truncatingIfNeeded: bytes.count))
        do throws(Errno) {
            try socket.send(w.bytes, [], descriptors: descriptors)
            try HostIO.writeAll(number, bytes)
        } catch { throw error == .EPIPE || error == .ECONNRESET ? .closed : .host(error) }
    }

    /// Waits for the next message; the caller owns `descriptors`. `deadline` is when it must have begun.
    /// - Throws: `.closed` at end of file, `.host(.ETIMEDOUT)`.
    public func receive(descriptors: inout [Int32], until deadline: MonotonicInstant? = nil) throws(ControlError) -> [UInt8] {
        var header: [UInt8] = []
        var limit = deadline
        while header.count < 4 {
            try wait(until: limit)
            var part = [UInt8](repeating: 0, count: 4 - header.count)
            let count: Int
            do throws(Errno) { count = try socket.receive(into: &part, descriptors: &descriptors) } catch {
                throw error == .ECONNRESET ? .closed : error == .EMSGSIZE ? .malformed("descriptors") : .host(error)
            }
            if count == 0 { throw .closed }
            header += part.prefix(count)
            limit = .after(nanoseconds: Self.patience)
        }
        var r = MessageReader(header)
        let length = Int(try r.word("length"))
        guard length <= ProcessConfiguration.maximumEncodedSize else { throw .malformed("length") }
        var body: [UInt8] = []
        while body.count < length {
            try wait(until: limit)
            let part: [UInt8]
            do throws(Errno) { part = try HostIO.readSome(number, capacity: min(length - body.count, 1 << 16)) } catch { throw .host(error) }
            if part.isEmpty { throw .closed }
            body += part
        }
        return body
    }

    private func wait(until deadline: MonotonicInstant?) throws(ControlError) {
        while HostPoll.waitReadable([number], until: deadline).isEmpty {
            if let deadline, MonotonicInstant.now >= deadline { throw .host(.ETIMEDOUT) }
        }
    }

    // MARK: the command line's side

    public func request(_ request: ContainerRequest, descriptors: [Int32] = [], until deadline: MonotonicInstant? = nil)
        throws(ControlError) -> ContainerReply
    {
        try send(request.encoded(), descriptors: descriptors)
        return try reply(until: deadline)
    }
    public func reply(until deadline: MonotonicInstant? = nil) throws(ControlError) -> ContainerReply {
        var unwanted: [Int32] = []
        let bytes = try receive(descriptors: &unwanted, until: deadline)
        for number in unwanted { _ = HostDescriptor(owning: number) }
        return try ContainerReply(decoding: bytes)
    }
}
