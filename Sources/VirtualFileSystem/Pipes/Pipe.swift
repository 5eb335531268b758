import LinuxABI
import Memory
import Synchronization

/// A pipe (pipe(7)) or what lies behind an open FIFO (fifo(7)).
///
/// Lock order: a pipe's lock may be held while guest memory is copied, and, in splice(2), while the file at the other end is read or
/// written; a file never calls into a pipe. Of two pipes the one at the lower address is locked first.
public final class Pipe: Sendable {
    struct State {
        var ring: PipeRing
        /// Open descriptions that read and write.
        var readers = 0
        var writers = 0
        /// How often each kind was opened: an open that waits for its partner waits for a change (fifo(7)).
        var readerOpens = 0
        var writerOpens = 0
    }

    public static let defaultCapacity = 65536
    /// /proc/sys/fs/pipe-max-size.
    public static let maximumCapacity = 1 << 20

    let state: Mutex<State>
    public let waiters = WaitQueue()

    public init() {
        state = Mutex(State(ring: PipeRing(pages: Self.defaultCapacity / PipeRing.pageSize)))
    }

    // MARK: data

    /// - Throws: EAGAIN when empty and a writer is left.
    func read(_ buffer: inout IOBuffer) throws(Errno) -> Int {
        if buffer.remaining == 0 { return 0 }
        var wasFull = false
        let count = try state.withLock { s throws(Errno) -> Int in
            if s.ring.isEmpty {
                if s.writers == 0 { return 0 }
                throw .EAGAIN
            }
            wasFull = s.ring.isFull
            let count = try s.ring.read(&buffer)
            wasFull = wasFull && !s.ring.isFull
            return count
        }
        if wasFull { waiters.notify(.allWritable) }
        return count
    }

    /// - Throws: EPIPE without readers (the system call raises SIGPIPE), EAGAIN when nothing fits.
    func write(_ buffer: inout IOBuffer, asPackets: Bool) throws(Errno) -> Int {
        if buffer.remaining == 0 { return 0 }
        let count = try state.withLock { s throws(Errno) -> Int in
            if s.readers == 0 { throw .EPIPE }
            let count = try s.ring.write(&buffer, asPackets: asPackets)
            if count == 0 { throw .EAGAIN }
            return count
        }
        // Told on every write, not only on the first into an empty pipe: edge-triggered epoll counts on it.
        waiters.notify(.allReadable)
        return count
    }

    public var byteCount: Int { state.withLock { $0.ring.byteCount } }
    public var capacity: Int { state.withLock { $0.ring.pages * PipeRing.pageSize } }

    /// F_SETPIPE_SZ: rounds up to a power of two of pages.
    /// - Throws: EINVAL, EPERM above the maximum without CAP_SYS_RESOURCE, EBUSY when more is in the pipe.
    func setCapacity(_ bytes: Int, caller: any Caller) throws(Errno) -> Int {
        guard bytes >= 0 && bytes <= 1 << 31 else { throw .EINVAL }
        var rounded = PipeRing.pageSize
        while rounded < bytes { rounded <<= 1 }
        let current = capacity
        if rounded > current && rounded > Self.maximumCapacity && !caller.credentials.has(.sysResource) { throw .EPERM }
        // Bounded whatever the privilege: the guest's root is not the host's.
        if rounded > 1 << 26 { throw .ENOMEM }
        try state.withLock { s throws(Errno) in
            if !s.ring.resize(pages: rounded / PipeRing.pageSize) { throw .EBUSY }
        }
        waiters.notify(.allWritable)
        return rounded
    }

    // MARK: ends

    func opened(reader: Bool, writer: Bool) {
        state.withLock {
            if reader {
                $0.readers += 1
                $0.readerOpens &+= 1
            }
            if writer {
                $0.writers += 1
                $0.writerOpens &+= 1
            }
        }
        waiters.notify(.everything)
    }

    func closed(reader: Bool, writer: Bool) {
        state.withLock {
            if reader { $0.readers -= 1 }
            if writer { $0.writers -= 1 }
            if $0.readers == 0 && $0.writers == 0 {
                // Nobody is left to read it: a FIFO opened again starts empty, at its default capacity.
                $0.ring = PipeRing(pages: Self.defaultCapacity / PipeRing.pageSize)
            }
        }
        waiters.notify(.everything)
    }

    /// poll(2) of an end, as pipe_poll. `writerOpens` is the count when a reader was opened: without a writer since, there is
    /// no hang-up yet.
    func readiness(reader: Bool, writer: Bool, writerOpensAtOpen: Int?) -> PollEvents {
        state.withLock { s in
            var events: PollEvents = []
            if reader {
                if !s.ring.isEmpty { events.formUnion(.allReadable) }
                if s.writers == 0 && writerOpensAtOpen != s.writerOpens { events.insert(.hangUp) }
            }
            if writer {
                if !s.ring.isFull { events.formUnion(.allWritable) }
                if s.readers == 0 { events.insert(.error) }
            }
            return events
        }
    }
}
