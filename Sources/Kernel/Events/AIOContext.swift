import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A context of io_setup(2): a ring of completions in guest memory, which user space may read by itself, and the requests under way.
///
/// Reads, writes and synchronisation are done when io_submit(2) returns, as Linux does those of files without O_DIRECT; only polls stay
/// under way. `state` is taken before the address space's lock, and takes no other.
public final class AIOContext: Sendable {
    private struct State: Sendable {
        var tail: UInt32 = 0
        var polls: [AIOPoll] = []
        var isDead = false
    }
    public let address: GuestAddress
    /// Bytes of the mapping.
    public let length: UInt64
    /// Slots of the ring.
    public let slots: UInt32
    /// What io_setup(2) asked for, counted against fs.aio-max-nr.
    public let requests: Int
    let memory: AddressSpace
    let waiters = WaitQueue()
    private let state = Mutex(State())

    public init(memory: AddressSpace, address: GuestAddress, length: UInt64, slots: UInt32, requests: Int) {
        self.memory = memory
        self.address = address
        self.length = length
        self.slots = slots
        self.requests = requests
    }

    /// Slots and bytes of the ring for so many requests: aio_setup_ring. - Throws: EINVAL for more than Linux takes.
    public static func ringSize(requests: UInt32, processors: Int) throws(Errno) -> (slots: UInt32, length: UInt64) {
        let wanted = max(UInt64(requests), UInt64(processors) * 4) * 2
        let eventSize: UInt64 = 32
        guard wanted <= 0x1000_0000 / eventSize else { throw .EINVAL }
        guard let length = Page.up(IOCompletionRing.size + eventSize * (wanted + 2)) else { throw .EINVAL }
        return (UInt32((length - IOCompletionRing.size) / eventSize), length)
    }

    /// The head as user space left it.
    private func head() throws(Errno) -> UInt32 {
        try memory.load(UInt32.self, at: address + IOCompletionRing.headOffset) % slots
    }
    private func slot(_ index: UInt32) -> GuestAddress { address + IOCompletionRing.size + UInt64(index) * 32 }

    /// Whether another request may be submitted: each needs a slot for its event. - Throws: EAGAIN, EINVAL after io_destroy(2).
    public func requireSlot() throws(Errno) {
        try state.withLock { state throws(Errno) in
            if state.isDead { throw .EINVAL }
            let taken = (state.tail + slots - (try head())) % slots
            guard UInt64(taken) + UInt64(state.polls.count) < UInt64(slots) - 1 else { throw .EAGAIN }
        }
    }

    /// Puts an event into the ring and tells those who wait. A ring that the guest took away loses it.
    public func complete(_ event: IOCompletion) {
        state.withLock { state in
            if state.isDead { return }
            try? memory.store(event, at: slot(state.tail))
            state.tail = (state.tail + 1) % slots
            atomicMemoryFence(ordering: .releasing)
            try? memory.store(state.tail, at: address + IOCompletionRing.tailOffset)
        }
        waiters.notify(.everything)
    }

    /// Moves up to `maximum` events to `target`. - Returns: how many. - Throws: EFAULT, EINVAL after io_destroy(2).
    public func take(_ maximum: Int, to target: GuestAddress) throws(Errno) -> Int {
        try state.withLock { state throws(Errno) in
            if state.isDead { throw .EINVAL }
            var head = try head()
            var count = 0
            while head != state.tail && count < maximum {
                let event = try memory.load(IOCompletion.self, at: slot(head))
                try memory.store(event, at: target + UInt64(count) * 32)
                head = (head + 1) % slots
                count += 1
            }
            if count > 0 { try memory.store(head, at: address + IOCompletionRing.headOffset) }
            return count
        }
    }

    // MARK: polls

    func add(_ poll: AIOPoll) { state.withLock { $0.polls.append(poll) } }
    /// - Returns: whether it was still under way.
    func remove(_ poll: AIOPoll) -> Bool {
        state.withLock { state in
            guard let index = state.polls.firstIndex(where: { $0 === poll }) else { return false }
            state.polls.remove(at: index)
            return true
        }
    }
    /// io_cancel(2): ends the poll of this control block with an empty result. - Throws: EINVAL when there is none.
    public func cancel(object: UInt64) throws(Errno) {
        guard let poll = state.withLock({ $0.polls.first { $0.object == object } }) else { throw .EINVAL }
        poll.finish([])
    }

    /// io_destroy(2), or the end of the address space: nothing comes any more.
    func end() {
        let polls = state.withLock { state in
            state.isDead = true
            defer { state.polls = [] }
            return state.polls
        }
        for poll in polls { poll.detach() }
        waiters.notify(.everything)
    }
}

/// IOCB_CMD_POLL under way. Files notify with their wait queue locked, so the timer thread looks at what happened.
public final class AIOPoll: WaitObserver {
    public let object: UInt64
    private let data: UInt64
    private let events: PollEvents
    private let file: FileDescription
    private let eventFile: EventFile?
    private let context: AIOContext
    private let timers: TimerService
    private struct Registration: Sendable {
        var entry: WaitEntry
        var timer: TimerService.Timer
    }
    private let registration = Mutex<Registration?>(nil)

    public init(
        _ file: FileDescription, _ events: PollEvents, data: UInt64, object: UInt64, eventFile: EventFile?, context: AIOContext,
        timers: TimerService
    ) {
        self.file = file
        self.events = events
        self.data = data
        self.object = object
        self.eventFile = eventFile
        self.context = context
        self.timers = timers
    }

    public func start() {
        context.add(self)
        let entry = WaitEntry(events: events, observer: self)
        let timer = timers.makeTimer { [weak self] in self?.look() }
        registration.withLock { $0 = Registration(entry: entry, timer: timer) }
        file.operations.addWaiter(entry)
        look()
    }

    public func notified(_ events: PollEvents) {
        if let timer = registration.withLock({ $0?.timer }) { timers.set(timer, .now) }
    }

    private func look() {
        let found = file.operations.readiness().intersection(events)
        if !found.isEmpty { finish(found) }
    }

    func finish(_ found: PollEvents) {
        guard context.remove(self) else { return }
        detach()
        context.complete(IOCompletion(data: data, object: object, result: Int64(found.rawValue & 0xffff)))
        eventFile?.signal()
    }

    func detach() {
        guard let registration = registration.withLock({ $0.take() }) else { return }
        file.operations.removeWaiter(registration.entry)
        timers.set(registration.timer, nil)
    }
}

/// The contexts of all address spaces: aio(7), fs.aio-nr.
public final class AIOService: Sendable {
    private struct State {
        var contexts: [ObjectIdentifier: [AIOContext]] = [:]
        var requests = 0
    }
    private let state = Mutex(State())
    /// Lets address spaces end without a look when nobody uses contexts.
    private let contextCount = Atomic<Int>(0)

    /// fs.aio-max-nr.
    public static let limit = 65536

    public init() {}

    /// fs.aio-nr.
    public var requests: Int { state.withLock { $0.requests } }

    /// - Throws: EAGAIN past fs.aio-max-nr.
    public func add(_ context: AIOContext) throws(Errno) {
        let fits = state.withLock { state in
            guard state.requests + context.requests <= Self.limit else { return false }
            state.requests += context.requests
            state.contexts[ObjectIdentifier(context.memory), default: []].append(context)
            return true
        }
        guard fits else { throw .EAGAIN }
        contextCount.wrappingAdd(1, ordering: .relaxed)
    }

    /// - Throws: EINVAL.
    public func context(at address: GuestAddress, in memory: AddressSpace) throws(Errno) -> AIOContext {
        let found = state.withLock { $0.contexts[ObjectIdentifier(memory)]?.first { $0.address == address } }
        guard let found else { throw .EINVAL }
        return found
    }

    /// io_destroy(2), but for the mapping. - Throws: EINVAL.
    public func remove(at address: GuestAddress, in memory: AddressSpace) throws(Errno) -> AIOContext {
        let id = ObjectIdentifier(memory)
        let found = state.withLock { state -> AIOContext? in
            guard let index = state.contexts[id]?.firstIndex(where: { $0.address == address }),
                let context = state.contexts[id]?.remove(at: index)
            else { return nil }
            if state.contexts[id]?.isEmpty == true { state.contexts[id] = nil }
            state.requests -= context.requests
            return context
        }
        guard let found else { throw .EINVAL }
        contextCount.wrappingSubtract(1, ordering: .relaxed)
        found.end()
        return found
    }

    /// The last task has left `memory`.
    func memoryEnded(_ memory: AddressSpace) {
        guard contextCount.load(ordering: .relaxed) != 0 else { return }
        let contexts = state.withLock { state in
            let found = state.contexts.removeValue(forKey: ObjectIdentifier(memory)) ?? []
            for context in found { state.requests -= context.requests }
            return found
        }
        contextCount.wrappingSubtract(contexts.count, ordering: .relaxed)
        for context in contexts { context.end() }
    }
}

extension AIOContext {
    /// io_getevents(2): waits until `minimum` events have come or the deadline has passed; those that came before count.
    /// - Throws: EINTR, EFAULT, EINVAL.
    public func wait(minimum: Int, maximum: Int, to target: GuestAddress, until deadline: MonotonicInstant?, now: Bool, _ current: CurrentTask)
        throws(Errno) -> Int
    {
        var count = try take(maximum, to: target)
        if count >= minimum || now { return count }
        let entry = WaitEntry(events: .everything, parker: current.parker)
        waiters.add(entry)
        defer { waiters.remove(entry) }
        while true {
            do throws(Errno) {
                count += try take(maximum - count, to: target + UInt64(count) * 32)
                if count >= minimum { return count }
                try current.park(until: deadline)
            } catch {
                if count > 0 || error == .ETIMEDOUT { return count }
                throw error == .ERESTARTSYS ? .EINTR : error
            }
        }
    }
}
