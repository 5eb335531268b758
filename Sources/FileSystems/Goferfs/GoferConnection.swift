import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// The client's end of the socket to the Gofer. Any thread may call; one request is under way at a time, and its caller waits for
/// the reply as it would wait for a disk.
///
/// The Gofer is not trusted: every reply is checked. When it dies or sends nonsense, the request fails with EIO, all later ones do, and
/// the death is reported once.
///
/// Lock order: `transport` is taken with no other lock of this module held but an inode's or node's own request lock; `closing` and
/// `death` are leaves.
public final class GoferConnection: Sendable {
    /// The Gofer's process.
    public let processID: Int32
    /// What the Gofer said about itself when it started.
    public let hello: Hello
    /// Donated read-only descriptors of all trees served by this Gofer.
    let descriptors: ClockCache<SharedHostDescriptor>
    let knownAttributes = KnownAttributes()

    private struct Transport: ~Copyable {
        var socket: MessageSocket
        var buffer = [UInt8](repeating: 0, count: ProtocolLimits.maximumMessage)
        var lastRequest: UInt64 = 0
        var isDead = false
        /// The hide rule that the last reply speaks of.
        var rule: UInt16 = 0
    }
    private let transport: Mutex<Transport>
    /// Of the Gofer's nodes.
    let handles: HandleBudget
    private let closing = Mutex<[NodeID]>([])
    private let queue = AtomicLazyReference<ChangeQueue>()
    let ownerMap = AtomicLazyReference<OwnerMap>()
    private let refused = Mutex<[UInt16: Int]>([:])
    /// How often each hide rule, by its number from 1, stood in the way of a request.
    public var refusals: [UInt16: Int] { refused.withLock { $0 } }
    /// Shared directories that were read ahead, weighed by entries.
    let listingsAhead = ClockCache<ListingAhead>(capacity: 65536)
    private struct Death {
        var reason: String?
        var observers: [@Sendable (String) -> Void] = []
    }
    private let death = Mutex(Death())
    /// For whoever watches from outside: the socket's number.
    let socketNumber: Int32

    /// Takes the socket of a Gofer that was started, and waits for its hello.
    /// - Throws: EIO when the Gofer ended at once or said something else.
    public init(socket descriptor: consuming HostDescriptor, processID: Int32, descriptorCapacity: Int) throws(Errno) {
        socketNumber = descriptor.number
        let socket = MessageSocket(descriptor)
        var buffer = [UInt8](repeating: 0, count: ProtocolLimits.maximumMessage)
        var received: [Int32] = []
        let length: Int
        do {
            guard !(try HostFileCalls.poll(socket.descriptor.number, .readable, milliseconds: 30_000)).isEmpty else { throw Errno.ETIMEDOUT }
            length = try socket.receive(into: &buffer, descriptors: &received)
        } catch { throw .EIO }
        for number in received { _ = HostDescriptor(owning: number) }
        do {
            let header = try MessageHeader(of: buffer, length: length, descriptors: received.count)
            guard header.type == .hello, header.errno == 0, received.isEmpty else { throw Errno.EBADMSG }
            hello = try Hello(decoding: ByteReader(buffer, MessageHeader.size..<length))
        } catch { throw .EIO }
        self.processID = processID
        handles = HandleBudget(limit: Int(hello.nodeLimit))
        descriptors = ClockCache(capacity: max(16, descriptorCapacity))
        transport = Mutex(Transport(socket: socket))
    }

    // MARK: requests

    /// - Throws: the Gofer's errno, or EIO when it is gone.
    func call<R: GoferRequest>(_ request: R) throws(Errno) -> R.Reply {
        let (reply, donated) = try exchange(request)
        guard donated.isEmpty else { throw fail("donated a file nobody asked for") }
        return reply
    }

    /// For requests that donate: the reply and the descriptor, which is a regular file.
    func callForDescriptor<R: GoferRequest>(_ request: R) throws(Errno) -> (reply: R.Reply, file: SharedHostDescriptor) {
        let (reply, donated) = try callForAnyDescriptor(request)
        try requireRegular(donated)
        return (reply, donated)
    }

    /// For requests that donate one descriptor for each file that could be opened: the reply and the descriptors, regular files all.
    func callForDescriptors<R: GoferRequest>(_ request: R) throws(Errno) -> (reply: R.Reply, files: [SharedHostDescriptor]) {
        let (reply, donated) = try exchange(request)
        for file in donated { try requireRegular(file) }
        return (reply, donated)
    }

    /// Reads and writes of anything but a regular file could block or have effects.
    private func requireRegular(_ donated: SharedHostDescriptor) throws(Errno) {
        guard let status = try? HostFileStatus(of: donated.number), status.mode.isRegular else {
            throw fail("donated something that is no regular file")
        }
    }

    /// For descriptors that are neither read nor written.
    func callForAnyDescriptor<R: GoferRequest>(_ request: R) throws(Errno) -> (reply: R.Reply, file: SharedHostDescriptor) {
        let (reply, donated) = try exchange(request)
        guard let file = donated.first, donated.count == 1 else { throw fail("donated no file") }
        return (reply, file)
    }

    private func exchange<R: GoferRequest>(_ request: R) throws(Errno) -> (R.Reply, [SharedHostDescriptor]) {
        let body = request.encoded()
        let due = closing.withLock { pending -> [NodeID] in
            guard pending.count >= 64 else { return [] }
            let batch = Array(pending.suffix(ProtocolLimits.maximumCount))
            pending.removeLast(batch.count)
            return batch
        }
        var problem: String?
        var donated: [SharedHostDescriptor] = []
        var outcome: Result<R.Reply, Errno> = .failure(.EIO)
        var rule: UInt16 = 0
        transport.withLock { t in
            guard !t.isDead else { return }
            HostAffinity.staying {
                if !due.isEmpty {
                    _ = Self.transact(&t, CloseRequest(nodes: due), CloseRequest(nodes: due).encoded(), &donated, &problem)
                }
                if problem == nil { outcome = Self.transact(&t, request, body, &donated, &problem) }
            }
            rule = t.rule
            if problem != nil { t.isDead = true }
        }
        if let problem { throw fail(problem) }
        if rule != 0 { refused.withLock { $0[rule, default: 0] += 1 } }
        return (try outcome.get(), donated)
    }

    /// One request and its reply. A `problem` means that the Gofer can't be used any more.
    private static func transact<R: GoferRequest>(
        _ t: inout Transport, _ request: R, _ body: [UInt8], _ donated: inout [SharedHostDescriptor],
        _ problem: inout String?
    ) -> Result<R.Reply, Errno> {
        t.lastRequest += 1
        let header = MessageHeader(type: R.type, request: t.lastRequest, bodyLength: body.count, detail: callersProcessor)
        guard body.count + MessageHeader.size <= ProtocolLimits.maximumMessage else { return .failure(.E2BIG) }
        var received: [Int32] = []
        do {
            try t.socket.send(header.encoded(), body)
            let length = try t.socket.receive(into: &t.buffer, descriptors: &received)
            var owned: [SharedHostDescriptor] = []
            for number in received { owned.append(SharedHostDescriptor(HostDescriptor(owning: number))) }
            if length == 0 {
                problem = "the Gofer ended"
                return .failure(.EIO)
            }
            let reply = try MessageHeader(of: t.buffer, length: length, descriptors: owned.count)
            guard reply.type == R.type, reply.request == t.lastRequest else { throw Errno.EBADMSG }
            t.rule = reply.detail
            if reply.errno != 0 {
                guard owned.isEmpty, reply.bodyLength == 0 else { throw Errno.EBADMSG }
                // The Gofer's complaint about our message: that one of us is broken.
                if reply.errno == Errno.EBADMSG.rawValue { throw Errno.EBADMSG }
                return .failure(Errno(rawValue: reply.errno))
            }
            let value = try R.Reply(decoding: ByteReader(t.buffer, MessageHeader.size..<length))
            guard owned.count == R.donations(of: value) else { throw Errno.EBADMSG }
            donated = owned
            return .success(value)
        } catch {
            let error = error as? Errno ?? .EIO
            // The reply came, but there was no room for its descriptors.
            if error == .EMFILE { return .failure(.EMFILE) }
            problem =
                switch error {
                case .EBADMSG, .EMSGSIZE: "the Gofer sent a malformed message"
                case .EPIPE, .ECONNRESET, .ENOTCONN: "the Gofer ended"
                default: "the Gofer's socket failed: \(error)"
                }
            return .failure(.EIO)
        }
    }

    /// Where the Gofer had better do the work, from 1: a hand-off on one processor costs a fraction of one that wakes another (DESIGN §1).
    private static var callersProcessor: UInt16 { UInt16(exactly: HostAffinity.current &+ 1) ?? 0 }

    // MARK: changes

    /// The host's changes in shared trees; nil when no tree is shared, or the host can't tell.
    var changes: ChangeQueue? { queue.load() }

    /// Asks for them; a Gofer or host that can't tell is asked for each name instead.
    func startChangeQueue() {
        guard queue.load() == nil, let donated = try? callForAnyDescriptor(ChangeQueueRequest()).file else { return }
        // Reading must never wait.
        guard let flags = try? HostFileCalls.statusFlags(donated.number), flags.contains(.nonBlocking) else { return }
        _ = queue.storeIfNil(ChangeQueue(donated))
    }

    // MARK: handles

    /// Gives a handle back, with others, at a later request.
    func release(_ node: NodeID) {
        if node != .none { closing.withLock { $0.append(node) } }
    }

    // MARK: death

    /// Runs `body` once the Gofer is found dead or lying: with the reason, once, on the thread that found it.
    public func whenDead(_ body: @escaping @Sendable (String) -> Void) {
        let reason = death.withLock { d -> String? in
            if d.reason == nil { d.observers.append(body) }
            return d.reason
        }
        if let reason { body(reason) }
    }

    /// Ends the use of the connection, with a message for the user.
    @discardableResult
    func fail(_ reason: String) -> Errno {
        transport.withLock { $0.isDead = true }
        reportDeath(reason)
        return .EIO
    }

    private func reportDeath(_ reason: String) {
        let observers = death.withLock { d -> [@Sendable (String) -> Void] in
            guard d.reason == nil else { return [] }
            d.reason = reason
            defer { d.observers = [] }
            return d.observers
        }
        for observer in observers { observer(reason) }
    }

    public var isDead: Bool { death.withLock { $0.reason != nil } }

    /// Notices the Gofer's end even when nobody asks it anything: the poller's thread watches the socket.
    public func watch(with poller: HostPoller) {
        poller.watchHangUp(socketNumber) { [weak self] in self?.reportDeath("the Gofer ended") }
    }
}
