import CHost
import LinuxABI

/// An epoll instance of the host.
public struct HostEpoll: ~Copyable, Sendable {
    public let descriptor: HostDescriptor
    public enum Operation: Int32, Sendable {
        case add = 1
        case remove = 2
        case modify = 3
    }
    /// EPOLLONESHOT: disarmed by the first event, until the next `modify`.
    public static let oneShot: UInt32 = 1 << 30

    public struct Event: Sendable {
        public var events: PollEvents
        public var token: UInt64
    }

    public init() throws(Errno) {
        descriptor = HostDescriptor(owning: Int32(truncatingIfNeeded: try hostResult(chost_epoll_create())))
    }

    /// - Throws: EPERM for a file that can't be polled, EEXIST, ENOENT.
    public borrowing func control(_ operation: Operation, _ file: Int32, events: UInt32, token: UInt64) throws(Errno) {
        try hostResult(chost_epoll_ctl(descriptor.number, operation.rawValue, file, events, token))
    }

    /// Waits; a negative time-out is none.
    public borrowing func wait(milliseconds: Int32) throws(Errno) -> [Event] {
        var events = [UInt32](repeating: 0, count: 32)
        var tokens = [UInt64](repeating: 0, count: 32)
        // SAFETY: both arrays hold the 32 entries that the shim may store.
        let result = unsafe events.withUnsafeMutableBufferPointer { e in
            unsafe tokens.withUnsafeMutableBufferPointer { t in
                unsafe chost_epoll_wait(descriptor.number, e.baseAddress, t.baseAddress, 32, milliseconds)
            }
        }
        let count = try hostResult(result)
        return (0..<count).map { Event(events: PollEvents(rawValue: events[$0] & 0xffff), token: tokens[$0]) }
    }
}
