import LinuxABI
import Synchronization
import VirtualFileSystem

/// One registration in an epoll set: a descriptor number with the description it meant when it was added (epoll(7)).
final class EpollItem: WaitObserver, DescriptionObserver {
    struct Key: Hashable {
        let descriptor: Int32
        let description: ObjectIdentifier
    }
    struct State {
        /// Poll events waited for; empty once a one-shot registration has fired.
        var events: PollEvents
        var flags: EpollFlags
        var data: UInt64
        /// On the ready list.
        var isQueued = false
        var isRemoved = false
    }

    let key: Key
    /// The watched file. Kept until the description goes, which removes the registration.
    let operations: any FileOperations
    private weak let owner: Epoll?
    private weak let description: FileDescription?
    let state: Mutex<State>

    init(owner: Epoll, key: Key, description: FileDescription, event: EpollEvent) {
        self.owner = owner
        self.key = key
        self.description = description
        operations = description.operations
        state = Mutex(Self.decode(event))
    }

    /// Errors and hang-ups are always waited for.
    private static func decode(_ event: EpollEvent) -> State {
        let flags = EpollFlags(rawValue: event.events).intersection(.all)
        let events = PollEvents(rawValue: event.events & ~EpollFlags.all.rawValue).union(.always)
        return State(events: events, flags: flags, data: event.data)
    }

    func modify(_ event: EpollEvent) {
        let fresh = Self.decode(event)
        state.withLock {
            $0.events = fresh.events
            $0.flags = fresh.flags
            $0.data = fresh.data
        }
    }

    /// The description it watches; nil while that goes away.
    var watched: FileDescription? { description }
    /// The set this item is in; nil while that goes away.
    var set: Epoll? { owner }

    // MARK: registration with the file

    func attach(_ entry: WaitEntry) {
        waitEntry.withLock { $0 = entry }
        description?.addObserver(self)
        operations.addWaiter(entry)
    }
    func detach() {
        let entry = waitEntry.withLock { held -> WaitEntry? in
            defer { held = nil }
            return held
        }
        if let entry { operations.removeWaiter(entry) }
        description?.removeObserver(self)
        state.withLock { $0.isRemoved = true }
    }
    private let waitEntry = Mutex<WaitEntry?>(nil)

    // MARK: what the file tells

    func notified(_ events: PollEvents) {
        let queues = state.withLock { s -> Bool in
            guard !s.isRemoved && !s.events.isDisjoint(with: events) && !s.isQueued else { return false }
            s.isQueued = true
            return true
        }
        if queues { owner?.enqueue(self) }
    }

    func descriptionReleased() {
        owner?.remove(self)
    }
}
