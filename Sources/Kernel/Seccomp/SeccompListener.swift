import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// Requests of filtered tasks to their supervisor: seccomp_unotify(2).
public final class SeccompListener: Sendable {
    enum Progress: Sendable { case waiting, received, answered }
    enum Answer: Sendable {
        /// SECCOMP_USER_NOTIF_FLAG_CONTINUE.
        case goOn
        case result(UInt64)
    }
    struct Request: Sendable {
        let id: UInt64
        let task: Task
        let data: SeccompData
        var progress = Progress.waiting
        var answer = Answer.goOn
    }
    private struct State: Sendable {
        var requests: [Request] = []
        var nextID: UInt64
        var isClosed = false
        /// Tasks whose calls may come here.
        var users = 0
    }
    private let state: Mutex<State>
    let events = WaitQueue()
    /// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV.
    let waitsKillable: Bool

    /// `firstID`: any number but 0; IDs count up from it.
    public init(waitsKillable: Bool, firstID: UInt64) {
        self.waitsKillable = waitsKillable
        state = Mutex(State(nextID: max(1, firstID)))
    }

    public func makeDescription() -> FileDescription {
        FileDescription(operations: SeccompListenerFile(self), anonymousName: "anon_inode:seccomp notify", flags: .readWrite)
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
    func retainUser() { state.withLock { $0.users += 1 } }
    func releaseUser() {
        let isLast = state.withLock { s in
            s.users -= 1
            return s.users == 0
        }
        if isLast { events.notify(.everything) }
    }

    /// The supervisor closed its descriptor: nobody will answer.
    func close() {
        let waiting = state.withLock { s in
            s.isClosed = true
            return s.requests.map(\.task)
        }
        for task in waiting { task.parker.wake() }
    }

    // MARK: the filtered task

    /// Queues a request; nil when nobody listens.
    func post(_ data: SeccompData, _ task: Task) -> UInt64? {
        let id = state.withLock { s -> UInt64? in
            if s.isClosed { return nil }
            let id = s.nextID
            s.nextID = s.nextID == .max ? 1 : s.nextID + 1
            s.requests.append(Request(id: id, task: task, data: data))
            return id
        }
        if id != nil { events.notify(.allReadable) }
        return id
    }

    enum Look: Sendable {
        case waiting(isReceived: Bool)
        case answered(Answer)
        case closed
    }
    func look(_ id: UInt64) -> Look {
        state.withLock { s in
            guard let index = s.requests.firstIndex(where: { $0.id == id }) else { return .closed }
            let request = s.requests[index]
            if request.progress == .answered {
                s.requests.remove(at: index)
                return .answered(request.answer)
            }
            if s.isClosed {
                s.requests.remove(at: index)
                return .closed
            }
            return .waiting(isReceived: request.progress == .received)
        }
    }
    /// The task gives up: a signal.
    func withdraw(_ id: UInt64) { state.withLock { $0.requests.removeAll { $0.id == id } } }

    // MARK: the supervisor

    /// The oldest request that nobody has received; nil for none. Its task goes by its number in `namespace`.
    /// - Throws: ENOENT when no task can make one any more.
    func receive(_ namespace: PIDNamespace?) throws(Errno) -> SeccompNotification? {
        try state.withLock { s throws(Errno) in
            guard let index = s.requests.firstIndex(where: { $0.progress == .waiting }) else {
                if s.users == 0 { throw .ENOENT }
                return nil
            }
            s.requests[index].progress = .received
            var notification = SeccompNotification()
            notification.id = s.requests[index].id
            notification.pid = UInt32(bitPattern: namespace.map { s.requests[index].task.numbers.number(in: $0) } ?? 0)
            notification.data = s.requests[index].data
            return notification
        }
    }
    /// The supervisor could not take it.
    func putBack(_ id: UInt64) {
        state.withLock { s in
            guard let index = s.requests.firstIndex(where: { $0.id == id && $0.progress == .received }) else { return }
            s.requests[index].progress = .waiting
        }
        events.notify(.allReadable)
    }

    /// The task of a received request. - Throws: ENOENT, EINPROGRESS for one that was not received or is answered.
    func requester(_ id: UInt64) throws(Errno) -> Task {
        try state.withLock { s throws(Errno) in
            guard let request = s.requests.first(where: { $0.id == id }) else { throw .ENOENT }
            guard request.progress == .received else { throw .EINPROGRESS }
            return request.task
        }
    }
    /// SECCOMP_IOCTL_NOTIF_SEND. - Throws: as `requester`.
    func answer(_ id: UInt64, _ answer: Answer) throws(Errno) {
        let task = try state.withLock { s throws(Errno) in
            guard let index = s.requests.firstIndex(where: { $0.id == id }) else { throw .ENOENT }
            guard s.requests[index].progress == .received else { throw .EINPROGRESS }
            s.requests[index].progress = .answered
            s.requests[index].answer = answer
            return s.requests[index].task
        }
        task.parker.wake()
    }

    func readiness() -> PollEvents {
        state.withLock { s in
            var result: PollEvents = []
            for request in s.requests {
                if request.progress == .waiting { result.formUnion(.allReadable) }
                if request.progress == .received { result.formUnion(.allWritable) }
            }
            if s.users == 0 { result.insert(.hangUp) }
            return result
        }
    }
}

/// The descriptor of a listener: all its work is done by ioctl(2).
public final class SeccompListenerFile: FileOperations {
    private let listener: SeccompListener
    init(_ listener: SeccompListener) { self.listener = listener }

    private enum Request {
        static let receive: UInt32 = 0xc050_2100
        static let send: UInt32 = 0xc018_2101
        static let isValid: UInt32 = 0x4008_2102
        /// SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR.
        static let isValidOld: UInt32 = 0x8008_2102
        static let setFlags: UInt32 = 0x4008_2104
        /// Without its size.
        static let addDescriptor: UInt32 = 0x4000_2103
        static let sizeMask: UInt32 = 0x3fff_0000
    }

    public var isPollable: Bool { true }
    public func readiness() -> PollEvents { listener.readiness() }
    public func addWaiter(_ entry: WaitEntry) { listener.events.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { listener.events.remove(entry) }
    public func released() { listener.close() }

    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        let address = GuestAddress(argument)
        switch request {
        case Request.receive: try receive(address, caller)
        case Request.send: try send(address, caller)
        case Request.isValid, Request.isValidOld:
            let id = try caller.memory.load(UInt64.self, at: address)
            do throws(Errno) { _ = try listener.requester(id) } catch { throw .ENOENT }
        case Request.setFlags:
            // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP is advice for the scheduler.
            if argument & ~1 != 0 { throw .EINVAL }
        case _ where request & ~Request.sizeMask == Request.addDescriptor:
            return try addDescriptor(address, size: (request & Request.sizeMask) >> 16, caller)
        default: throw .EINVAL
        }
        return 0
    }

    private func receive(_ address: GuestAddress, _ caller: any Caller) throws(Errno) {
        // The kernel wants room for extensions to be zero.
        let old = try caller.memory.copyIn(address, count: MemoryLayout<SeccompNotification>.size)
        guard old.allSatisfy({ $0 == 0 }) else { throw .EINVAL }
        let namespace = (caller as? CurrentTask)?.pidNamespace
        let notification = try caller.wait(on: listener.events) { () throws(Errno) in try listener.receive(namespace) }
        listener.events.notify(.allWritable)
        do throws(Errno) { try caller.memory.store(notification, at: address) } catch {
            listener.putBack(notification.id)
            throw error
        }
    }

    private func send(_ address: GuestAddress, _ caller: any Caller) throws(Errno) {
        let response = try caller.memory.load(SeccompResponse.self, at: address)
        guard response.flags & ~SeccompResponse.goOn == 0 else { throw .EINVAL }
        if response.flags & SeccompResponse.goOn != 0 {
            guard response.error == 0, response.value == 0 else { throw .EINVAL }
            return try listener.answer(response.id, .goOn)
        }
        let result = response.error != 0 ? Int64(response.error) : response.value
        try listener.answer(response.id, .result(UInt64(bitPattern: result)))
    }

    /// SECCOMP_IOCTL_NOTIF_ADDFD: the supervisor's descriptor becomes the task's. - Returns: its number there.
    private func addDescriptor(_ address: GuestAddress, size: UInt32, _ caller: any Caller) throws(Errno) -> Int {
        let known = UInt32(MemoryLayout<SeccompDescriptor>.size)
        guard size >= known, size < UInt32(Page.size) else { throw .EINVAL }
        if size > known {
            let rest = try caller.memory.copyIn(address + UInt64(known), count: Int(size - known))
            guard rest.allSatisfy({ $0 == 0 }) else { throw .E2BIG }
        }
        let wanted = try caller.memory.load(SeccompDescriptor.self, at: address)
        guard wanted.targetFlags & ~OpenFlags.closeOnExec.rawValue == 0,
            wanted.flags & ~(SeccompDescriptor.setsNumber | SeccompDescriptor.answers) == 0,
            wanted.target == 0 || wanted.flags & SeccompDescriptor.setsNumber != 0
        else { throw .EINVAL }
        guard let supervisor = caller as? CurrentTask else { throw .EBADF }
        let description = try supervisor.files.get(Int32(bitPattern: wanted.source))
        let task = try listener.requester(wanted.id)
        guard let files = task.files else { throw .ESRCH }
        let limit = Int32(truncatingIfNeeded: min(task.threadGroup.limit(.openFiles).soft, 1 << 20))
        let closeOnExec = wanted.targetFlags != 0
        let number: Int32
        if wanted.flags & SeccompDescriptor.setsNumber != 0 {
            number = Int32(bitPattern: wanted.target)
            _ = try files.replace(number, description, closeOnExec: closeOnExec, limit: limit)
        } else {
            number = try files.install(description, closeOnExec: closeOnExec, limit: limit)
        }
        if wanted.flags & SeccompDescriptor.answers != 0 { try listener.answer(wanted.id, .result(UInt64(number))) }
        return Int(number)
    }
}
