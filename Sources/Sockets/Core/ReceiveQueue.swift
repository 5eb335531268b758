import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// The bytes or messages that wait at a socket. Of two connected sockets each one's outgoing queue is the other's receive queue, so data
/// moves under this one lock, and everything one side must know of the other's end (end of file, broken pipe, reset) is kept here.
final class ReceiveQueue: Sendable {
    /// A run of bytes with the same origin: one message, or in a stream the bytes up to a change of credentials or descriptors.
    private struct Segment {
        var length: Int
        var charge: Int
        var account: SendAccount
        var credentials: UserCredentials
        var sender: [UInt8]
        var inFlight: [InFlight]
        var header = PacketHeader()
    }
    private struct State {
        var bytes = ByteRing()
        var segments = Ring<Segment>()
        /// No more will come: the writer shut down or closed.
        var writerClosed = false
        /// Nobody will read: this side shut down reading or closed.
        var readerClosed = false
        /// The socket that owns the queue is gone.
        var isDead = false
        /// Delivered once, after the data: ECONNRESET.
        var error: Errno?
        /// Senders that found the queue full.
        var blockedSenders: [WaitQueue] = []
    }
    private let state = Mutex(State())
    /// Wait queue of the socket that reads.
    private let waiters: WaitQueue
    private let isStream: Bool

    init(isStream: Bool, waiters: WaitQueue) {
        self.isStream = isStream
        self.waiters = waiters
    }

    // MARK: sending side

    struct Origin {
        var account: SendAccount
        var credentials: UserCredentials
        var sender: [UInt8] = []
        /// Empty once the message is in the queue.
        var inFlight: [InFlight] = []
        var header = PacketHeader()
    }
    enum Failure {
        /// Broken pipe: reading is shut.
        case closed
        /// The receiver is gone.
        case dead
    }

    /// Appends stream bytes, as many as the sender's buffer allows.
    /// - Throws: EAGAIN when it allows none, EPIPE, EFAULT.
    func send(stream buffer: inout IOBuffer, _ origin: inout Origin) throws(Errno) -> Int {
        var total = 0
        try state.withLock { s throws(Errno) in
            if s.readerClosed || s.writerClosed { throw .EPIPE }
            if buffer.remaining == 0 { return }
            while buffer.remaining > 0 && origin.account.hasRoom {
                let moved: Int
                do throws(Errno) {
                    // Linux's sends in pieces of 32 KiB, so that a large write does not overrun the limit by much.
                    moved = try s.bytes.append(&buffer, min(buffer.remaining, 32768))
                } catch {
                    if total > 0 { return }
                    throw error
                }
                let charge = SendAccount.charge(moved)
                origin.account.add(charge)
                Self.append(&s, moved, charge, &origin)
                total += moved
            }
            if total == 0 { throw .EAGAIN }
        }
        if total > 0 { waiters.notify(.allReadable) }
        return total
    }

    /// Appends to the last segment where nothing tells the two apart.
    private static func append(_ s: inout State, _ length: Int, _ charge: Int, _ origin: inout Origin) {
        if origin.inFlight.isEmpty && !s.segments.isEmpty {
            let last = s.segments.count - 1
            if s.segments[last].inFlight.isEmpty && s.segments[last].credentials == origin.credentials {
                s.segments[last].length += length
                s.segments[last].charge += charge
                return
            }
        }
        s.segments.append(
            Segment(
                length: length, charge: charge, account: origin.account, credentials: origin.credentials, sender: origin.sender,
                inFlight: origin.inFlight))
        origin.inFlight = []
    }

    /// Appends one message. `queueLimit`: most messages that may wait; a sender that meets more is told on `blocked` when there is room.
    /// - Throws: EPIPE, ECONNREFUSED when the receiver is gone, EMSGSIZE, EAGAIN, EFAULT.
    func send(message buffer: inout IOBuffer, _ origin: inout Origin, queueLimit: Int = .max, blocked: WaitQueue? = nil) throws(Errno) -> Int {
        let count = buffer.remaining
        if count > origin.account.limitInBytes - 32 { throw .EMSGSIZE }
        try state.withLock { s throws(Errno) in
            if s.isDead { throw .ECONNREFUSED }
            if s.readerClosed || s.writerClosed { throw .EPIPE }
            guard origin.account.hasRoom else { throw .EAGAIN }
            if s.segments.count > queueLimit {
                if let blocked, !s.blockedSenders.contains(where: { $0 === blocked }) { s.blockedSenders.append(blocked) }
                throw .EAGAIN
            }
            let moved = try s.bytes.append(&buffer, count)
            if moved < count {
                s.bytes.removeLast(moved)
                throw .EFAULT
            }
            let charge = SendAccount.charge(count)
            origin.account.add(charge)
            s.segments.append(
                Segment(
                    length: count, charge: charge, account: origin.account, credentials: origin.credentials, sender: origin.sender,
                    inFlight: origin.inFlight, header: origin.header))
            origin.inFlight = []
        }
        waiters.notify(.allReadable)
        return count
    }

    /// Whether a message sender has to wait for the receiver; if so it will be told on `sender`.
    func isFull(queueLimit: Int, sender: WaitQueue) -> Bool {
        state.withLock { s in
            guard s.segments.count > queueLimit && !s.isDead else { return false }
            if !s.blockedSenders.contains(where: { $0 === sender }) { s.blockedSenders.append(sender) }
            return true
        }
    }

    // MARK: receiving side

    /// What came off the queue, to be given back outside the lock.
    private struct Released {
        var charges: [(SendAccount, Int)] = []
        var single: (SendAccount, Int)?
        var senders: [WaitQueue] = []
        mutating func add(_ account: SendAccount, _ charge: Int) {
            if let (held, sum) = single, held === account {
                single = (held, sum + charge)
            } else {
                if let single { charges.append(single) }
                single = (account, charge)
            }
        }
        func finish() {
            if let (account, charge) = single { account.release(charge) }
            for (account, charge) in charges { account.release(charge) }
            for sender in senders { sender.notify(.allWritable) }
        }
    }

    /// Reads what fits of a stream: across segments, but not past one that carries descriptors, nor with `wantsCredentials` past a
    /// change of them. At the end: the pending error once, then 0.
    /// - Throws: EAGAIN, EFAULT, ECONNRESET.
    /// `skip`: bytes that a peek passes over.
    func receive(stream buffer: inout IOBuffer, peek: Bool, wantsCredentials: Bool, skip: Int = 0) throws(Errno) -> ReceivedMessage {
        var released = Released()
        var inFlight: [InFlight] = []
        var message = try state.withLock { s throws(Errno) -> ReceivedMessage in
            if s.segments.isEmpty { return try Self.end(&s) }
            var message = ReceivedMessage(count: 0)
            var position = 0
            var toSkip = peek ? skip : 0
            while position < s.segments.count && toSkip >= s.segments[position].length {
                toSkip -= s.segments[position].length
                position += 1
            }
            if position == s.segments.count { return try Self.end(&s) }
            while buffer.remaining > 0 && position < s.segments.count {
                let segment = s.segments[position]
                let length = segment.length - toSkip
                toSkip = 0
                if wantsCredentials {
                    if let known = message.credentials, known != segment.credentials { break }
                    message.credentials = segment.credentials
                }
                let offset = peek ? skip + message.count : 0
                let moved: Int
                do throws(Errno) {
                    moved = try s.bytes.copy(from: offset, length, to: &buffer)
                } catch {
                    if message.count > 0 { break }
                    throw error
                }
                message.count += moved
                let carries = !segment.inFlight.isEmpty
                if carries { inFlight = segment.inFlight }
                if peek {
                    position += 1
                    if carries { break }
                } else {
                    s.bytes.removeFirst(moved)
                    if moved < segment.length {
                        let part = segment.charge * moved / segment.length
                        s.segments[0].length -= moved
                        s.segments[0].charge -= part
                        s.segments[0].inFlight = []
                        released.add(segment.account, part)
                        break
                    }
                    _ = s.segments.popFirst()
                    released.add(segment.account, segment.charge)
                    if carries { break }
                }
                if moved < length { break }
            }
            return message
        }
        released.finish()
        message.descriptions = InFlight.receive(inFlight, peek: peek)
        return message
    }

    /// Takes the next message; what does not fit is lost and MSG_TRUNC set. `fullLength`: report the whole length (MSG_TRUNC was given).
    /// - Throws: EAGAIN, EFAULT, the pending error.
    /// `skip`: bytes that a peek passes over, whole messages first.
    func receive(message buffer: inout IOBuffer, peek: Bool, fullLength: Bool, wantsCredentials: Bool, skip: Int = 0) throws(Errno)
        -> ReceivedMessage
    {
        var released = Released()
        var inFlight: [InFlight] = []
        var message = try state.withLock { s throws(Errno) -> ReceivedMessage in
            if s.segments.isEmpty { return try Self.end(&s) }
            var position = 0
            var start = 0
            var within = peek ? skip : 0
            while within > 0 && within >= s.segments[position].length {
                within -= s.segments[position].length
                start += s.segments[position].length
                position += 1
                if position == s.segments.count { return try Self.end(&s) }
            }
            let segment = s.segments[position]
            let length = segment.length - within
            let wanted = min(length, buffer.remaining)
            let moved = wanted == 0 ? 0 : try s.bytes.copy(from: start + within, wanted, to: &buffer)
            if moved < wanted { throw .EFAULT }
            var message = ReceivedMessage(count: fullLength ? length : moved)
            if moved < length { message.flags.insert(.truncated) }
            message.address = segment.sender
            message.header = segment.header
            inFlight = segment.inFlight
            if wantsCredentials { message.credentials = segment.credentials }
            if !peek {
                s.bytes.removeFirst(segment.length)
                _ = s.segments.popFirst()
                released.add(segment.account, segment.charge)
                if !s.blockedSenders.isEmpty { swap(&released.senders, &s.blockedSenders) }
            }
            return message
        }
        released.finish()
        message.descriptions = InFlight.receive(inFlight, peek: peek)
        return message
    }

    private static func end(_ s: inout State) throws(Errno) -> ReceivedMessage {
        if let error = s.error {
            s.error = nil
            throw error
        }
        if s.writerClosed || s.readerClosed { return ReceivedMessage(count: 0) }
        throw .EAGAIN
    }

    // MARK: ends

    /// The writer is done: its side was shut down or closed, with `error` when that cut data off.
    func closeWriter(error: Errno? = nil) {
        state.withLock { s in
            s.writerClosed = true
            if let error { s.error = error }
        }
        waiters.notify(.everything)
    }

    /// Reading was shut down; data that is here can still be read.
    func closeReader() {
        let senders = state.withLock { s in
            s.readerClosed = true
            defer { s.blockedSenders = [] }
            return s.blockedSenders
        }
        waiters.notify(.everything)
        for sender in senders { sender.notify(.everything) }
    }

    /// The reading socket is gone: everything here is dropped. Returns whether there was unread data.
    func close() -> Bool {
        var released = Released()
        var inFlight: [InFlight] = []
        let hadData = state.withLock { s in
            s.readerClosed = true
            s.isDead = true
            let segments = s.segments.removeAll()
            s.bytes.removeAll()
            for segment in segments {
                released.add(segment.account, segment.charge)
                inFlight += segment.inFlight
            }
            released.senders = s.blockedSenders
            s.blockedSenders = []
            return !segments.isEmpty
        }
        released.finish()
        InFlight.drop(&inFlight)
        return hadData
    }

    /// What waits here in messages.
    func inFlight() -> [InFlight] {
        state.withLock { s in (0..<s.segments.count).flatMap { s.segments[$0].inFlight } }
    }

    /// Takes it out of the messages, which stay.
    func takeInFlight() -> [InFlight] {
        state.withLock { s in
            let taken = (0..<s.segments.count).flatMap { s.segments[$0].inFlight }
            for index in 0..<s.segments.count { s.segments[index].inFlight = [] }
            return taken
        }
    }

    func setError(_ error: Errno) {
        state.withLock { $0.error = error }
        waiters.notify(.everything)
    }
    func takeError() -> Errno? {
        state.withLock { s in
            defer { s.error = nil }
            return s.error
        }
    }

    struct Status {
        var isEmpty: Bool
        var writerClosed: Bool
        var readerClosed: Bool
        var hasError: Bool
    }
    var status: Status {
        state.withLock {
            Status(isEmpty: $0.segments.isEmpty, writerClosed: $0.writerClosed, readerClosed: $0.readerClosed, hasError: $0.error != nil)
        }
    }
    /// SIOCINQ: all bytes of a stream, the next message's of a message socket.
    var readableBytes: Int {
        state.withLock { s in isStream ? s.bytes.count : (s.segments.isEmpty ? 0 : s.segments[0].length) }
    }
}
