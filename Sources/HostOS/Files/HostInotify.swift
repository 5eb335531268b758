import CHost
import Glibc
import LinuxABI

/// inotify(7) of the host.
public enum HostInotify {
    public struct Event: Sendable {
        public var watch: Int32
        public var events: WatchEvents
        /// Joins the two events of a move.
        public var cookie: UInt32
        /// Of the entry that the event is about; empty for the watched file itself.
        public var name: [UInt8]
    }

    /// In bytes: the fixed part and a name of 255 bytes with its NUL, padded to a multiple of the fixed part (inotify(7)).
    public static let longestEvent = 16 + 256

    /// A new queue, non-blocking.
    public static func create() throws(Errno) -> HostDescriptor {
        HostDescriptor(owning: Int32(truncatingIfNeeded: try hostResult(chost_inotify_create())))
    }

    /// Watches what `path` names, following it. One file has one number in a queue; numbers are not used again.
    /// - Throws: EACCES without read permission, ENOSPC past the host's limit.
    public static func add(_ path: [UInt8], to queue: Int32, _ events: WatchEvents) throws(Errno) -> Int32 {
        // SAFETY: the name ends with NUL and lives through the call.
        Int32(truncatingIfNeeded: try hostResult(unsafe chost_inotify_add(queue, path.nulTerminated, events.rawValue)))
    }
    public static func remove(_ watch: Int32, from queue: Int32) { _ = chost_inotify_remove(queue, watch) }

    /// Takes what stands in the queue into the front of `buffer`; 0 when it is empty.
    public static func take(from queue: Int32, into buffer: inout [UInt8]) throws(Errno) -> Int {
        while true {
            // SAFETY: at most `count` bytes are stored.
            let n = unsafe buffer.withUnsafeMutableBytes { unsafe read(queue, $0.baseAddress, $0.count) }
            if n >= 0 { return n }
            switch hostErrno() {
            case .EAGAIN: return 0
            case .EINTR: continue
            case let error: throw error
            }
        }
    }

    /// The events in the first `length` bytes of `buffer`. The host wrote them; what is malformed ends the list.
    public static func forEach(_ buffer: [UInt8], length: Int, _ body: (Event) -> Void) {
        var start = 0
        while start + 16 <= length {
            let nameLength = Int(word(buffer, start + 12))
            guard nameLength <= length - start - 16 else { return }
            var name = Array(buffer[start + 16..<start + 16 + nameLength])
            if let end = name.firstIndex(of: 0) { name.removeSubrange(end...) }
            body(
                Event(
                    watch: Int32(bitPattern: word(buffer, start)), events: WatchEvents(rawValue: word(buffer, start + 4)),
                    cookie: word(buffer, start + 8), name: name))
            start += 16 + nameLength
        }
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
    }
}
