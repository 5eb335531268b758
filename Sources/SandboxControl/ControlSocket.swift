import HostOS
import LinuxABI

/// One end of the control socket: a stream socketpair that carries messages with a 32-bit length in front.
public struct ControlSocket: ~Copyable, Sendable {
    private let descriptor: HostDescriptor

    public init(_ descriptor: consuming HostDescriptor) { self.descriptor = descriptor }

    public var number: Int32 { descriptor.number }

    public func send(_ message: ControlMessage) throws(ControlError) {
        var w = MessageWriter()
        w.put(message.encoded())
        do { try HostIO.writeAll(descriptor.number, w.bytes) } catch { throw error == .EPIPE ? .closed : .host(error) }
    }

    /// Waits for the next message. - Throws: `.closed` at end of file.
    public func receive() throws(ControlError) -> ControlMessage {
        let header = try read(4)
        var r = MessageReader(header)
        let length = Int(try r.word("length"))
        guard length <= SandboxConfiguration.maximumEncodedSize else { throw .malformed("length") }
        return try ControlMessage(decoding: read(length))
    }

    private func read(_ count: Int) throws(ControlError) -> [UInt8] {
        do {
            guard let bytes = try HostIO.readExactly(descriptor.number, count) else { throw ControlError.closed }
            return bytes
        } catch let error as ControlError {
            throw error
        } catch {
            throw .host(error as? Errno ?? .EIO)
        }
    }
}
