import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An epoll set (epoll(7)).
///
/// A registered file tells its item of events; the item puts itself on the ready list, once. `collect` takes items off the list, asks
/// each file what is ready now, and puts level-triggered ones back at the end, so that all get their turn.
///
/// Lock order: nesting lock → `items` → wait queue of the watched file → item → `ready` → wait queue of the set. `scan` comes before the
/// locks of watched files and before item and `ready`. Sets inside sets follow the same order downwards: loops cannot be built.
public final class Epoll: FileOperations {
    private let items = Mutex<[EpollItem.Key: EpollItem]>([:])
    private let ready = Mutex<ReadyList>(ReadyList())
    /// One thread at a time takes from the ready list, so that no level-triggered item is missed while another thread holds it.
    private let scan = Mutex<Void>(())
    let waiters = WaitQueue()

    /// Serialises registrations of sets in sets: the search for loops must see a quiet graph.
    private static let nesting = Mutex<Void>(())
    /// Items through which other sets watch this one. Guarded by use under `nesting`.
    private let watchers = Mutex<[EpollItem]>([])
    /// EP_MAX_NESTS.
    private static let maximumNesting = 4

    public init() {}

    // MARK: epoll_ctl

    /// EPOLL_CTL_ADD.
    /// - Throws: EEXIST, EPERM for a file that can't be polled, ELOOP, EINVAL for a misuse of EPOLLEXCLUSIVE.
    public func add(_ descriptor: Int32, _ description: FileDescription, _ event: EpollEvent) throws(Errno) {
        let key = EpollItem.Key(descriptor: descriptor, description: ObjectIdentifier(description))
        let item = EpollItem(owner: self, key: key, description: description, event: event)
        if let inner = description.operations as? Epoll {
            try Self.nesting.withLock { _ throws(Errno) in
                guard inner !== self, !inner.reaches(self) else { throw .ELOOP }
                guard inner.depthBelow() + 1 + depthAbove() <= Self.maximumNesting else { throw .ELOOP }
                try insert(item)
                inner.watchers.withLock { $0.append(item) }
            }
        } else {
            try insert(item)
        }
        item.notified(item.operations.readiness())
    }

    private func insert(_ item: EpollItem) throws(Errno) {
        try items.withLock { items throws(Errno) in
            if items[item.key] != nil { throw .EEXIST }
            items[item.key] = item
            item.attach(WaitEntry(events: .everything, observer: item))
        }
    }

    /// EPOLL_CTL_MOD: also arms a one-shot registration again. - Throws: ENOENT, EINVAL for an exclusive registration.
    public func modify(_ descriptor: Int32, _ description: FileDescription, _ event: EpollEvent) throws(Errno) {
        let item = try find(descriptor, description)
        if item.state.withLock({ $0.flags.contains(.exclusive) }) { throw .EINVAL }
        item.modify(event)
        item.notified(item.operations.readiness())
    }

    /// EPOLL_CTL_DEL. - Throws: ENOENT.
    public func delete(_ descriptor: Int32, _ description: FileDescription) throws(Errno) {
        remove(try find(descriptor, description))
    }

    private func find(_ descriptor: Int32, _ description: FileDescription) throws(Errno) -> EpollItem {
        let key = EpollItem.Key(descriptor: descriptor, description: ObjectIdentifier(description))
        guard let item = items.withLock({ $0[key] }) else { throw .ENOENT }
        return item
    }

    /// The file behind the registration of `descriptor` that is number `offset` among those of it: KCMP_EPOLL_TFD.
    /// - Throws: ENOENT.
    public func target(_ descriptor: Int32, offset: UInt32) throws(Errno) -> FileDescription {
        let found = items.withLock { items in
            items.values.filter { $0.key.descriptor == descriptor }
                .sorted { $0.key.description.hashValue < $1.key.description.hashValue }
        }
        guard offset < found.count, let description = found[Int(offset)].watched else { throw .ENOENT }
        return description
    }

    func remove(_ item: EpollItem) {
        items.withLock { items in
            // The key may belong to a newer registration by now.
            if items[item.key] === item { items[item.key] = nil }
        }
        drop(item)
    }

    private func drop(_ item: EpollItem) {
        item.detach()
        (item.operations as? Epoll)?.watchers.withLock { $0.removeAll { $0 === item } }
    }

    // MARK: nesting

    /// Whether `target` is this set or in it, at any depth.
    private func reaches(_ target: Epoll) -> Bool {
        if self === target { return true }
        return innerSets().contains { $0.reaches(target) }
    }
    private func depthBelow() -> Int { innerSets().reduce(0) { max($0, $1.depthBelow() + 1) } }
    private func depthAbove() -> Int {
        watchers.withLock { $0 }.compactMap(\.set).reduce(0) { max($0, $1.depthAbove() + 1) }
    }
    private func innerSets() -> [Epoll] {
        items.withLock { items in items.values.compactMap { $0.operations as? Epoll } }
    }

    // MARK: the ready list

    func enqueue(_ item: EpollItem) {
        ready.withLock { $0.append(item) }
        waiters.notify(.allReadable)
    }

    /// Up to `maximum` events that are ready now; does not wait.
    public func collect(maximum: Int) -> [EpollEvent] {
        var events: [EpollEvent] = []
        // Even an empty list is only looked at with the lock: a level-triggered item may be off it while another thread asks the file,
        // and its return wakes nobody.
        scan.withLock { _ in
            var left = ready.withLock { $0.count }
            while left > 0 && events.count < maximum {
                left -= 1
                guard let item = ready.withLock({ $0.popFirst() }) else { break }
                // Off the list first: an event that comes while the file is asked queues the item again.
                item.state.withLock { $0.isQueued = false }
                let now = item.operations.readiness()
                let stays = item.state.withLock { s -> Bool in
                    let hits = now.intersection(s.events)
                    guard !s.isRemoved && !hits.isEmpty else { return false }
                    events.append(EpollEvent(events: hits.rawValue, data: s.data))
                    if s.flags.contains(.oneShot) {
                        s.events = []
                        return false
                    }
                    guard !s.flags.contains(.edgeTriggered) && !s.isQueued else { return false }
                    s.isQueued = true
                    return true
                }
                if stays { ready.withLock { $0.append(item) } }
            }
        }
        return events
    }

    /// A set is readable when a wait on it would return events. Items found not ready leave the list.
    public func readiness() -> PollEvents {
        scan.withLock { _ in
            while let item = ready.withLock({ $0.popFirst() }) {
                item.state.withLock { $0.isQueued = false }
                let now = item.operations.readiness()
                let back = item.state.withLock { s -> (hit: Bool, queue: Bool) in
                    guard !s.isRemoved && !now.isDisjoint(with: s.events) else { return (false, false) }
                    defer { s.isQueued = true }
                    return (true, !s.isQueued)
                }
                if back.queue { ready.withLock { $0.prepend(item) } }
                if back.hit { return .allReadable }
            }
            return []
        }
    }

    /// Waits until there are events. Returns an empty list at the deadline. A deadline in the past does not wait.
    /// - Throws: ERESTARTSYS on a signal.
    public func wait(maximum: Int, until deadline: MonotonicInstant?, caller: any Caller) throws(Errno) -> [EpollEvent] {
        do {
            return try caller.wait(on: waiters, for: .allReadable, until: deadline) { () throws(Errno) -> [EpollEvent]? in
                let events = collect(maximum: maximum)
                return events.isEmpty ? nil : events
            }
        } catch {
            if error == .ETIMEDOUT { return [] }
            throw error
        }
    }

    public func addWaiter(_ entry: WaitEntry) { waiters.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { waiters.remove(entry) }
    /// lseek(2) succeeds and does nothing (noop_llseek).
    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 { current }
    public var isPollable: Bool { true }

    public func released() {
        let all = items.withLock { items -> [EpollItem] in
            defer { items = [:] }
            return Array(items.values)
        }
        for item in all { drop(item) }
        ready.withLock { $0 = ReadyList() }
    }

    /// As ep_show_fdinfo prints it.
    public var descriptionInfo: String {
        let lines = items.withLock { items in
            items.values.sorted { $0.key.descriptor < $1.key.descriptor }.map { item -> String in
                let s = item.state.withLock { $0 }
                let number = String(item.key.descriptor)
                let events = Hexadecimal.padded(UInt64(s.events.rawValue | s.flags.rawValue), width: 8, with: " ")
                let data = Hexadecimal.padded(s.data, width: 16, with: " ")
                return "tfd: \(String(repeating: " ", count: max(0, 8 - number.count)))\(number) events: \(events) data: \(data) "
                    + " pos:0 ino:0 sdev:0\n"
            }
        }
        return lines.joined()
    }
}

/// A queue of items, cheap at both ends.
struct ReadyList {
    private var slots: [EpollItem?] = Array(repeating: nil, count: 8)
    private var first = 0
    private(set) var count = 0

    mutating func append(_ item: EpollItem) {
        if count == slots.count { grow() }
        slots[(first + count) & (slots.count - 1)] = item
        count += 1
    }
    mutating func prepend(_ item: EpollItem) {
        if count == slots.count { grow() }
        first = (first - 1) & (slots.count - 1)
        slots[first] = item
        count += 1
    }
    mutating func popFirst() -> EpollItem? {
        guard count > 0 else { return nil }
        let item = slots[first]
        slots[first] = nil
        first = (first + 1) & (slots.count - 1)
        count -= 1
        return item
    }
    private mutating func grow() {
        var fresh: [EpollItem?] = []
        fresh.reserveCapacity(slots.count * 2)
        for i in 0..<count { fresh.append(slots[(first + i) & (slots.count - 1)]) }
        fresh.append(contentsOf: repeatElement(nil, count: slots.count * 2 - count))
        slots = fresh
        first = 0
    }
}
