import HostOS
import LinuxABI
import Synchronization

/// Somebody to be told that events may have come: a parked task, or an observer such as epoll.
public final class WaitEntry: Sendable {
    public enum Target: Sendable {
        case parker(HostParker)
        case observer(any WaitObserver)
    }
    public let events: PollEvents
    public let target: Target

    public init(events: PollEvents, parker: HostParker) {
        self.events = events.union(.always)
        target = .parker(parker)
    }
    public init(events: PollEvents, observer: any WaitObserver) {
        self.events = events.union(.always)
        target = .observer(observer)
    }

    func fire(_ events: PollEvents) {
        switch target {
        case .parker(let parker): parker.wake()
        case .observer(let observer): observer.notified(events)
        }
    }
}

public protocol WaitObserver: AnyObject, Sendable {
    /// Events may have come. Called with the wait queue's lock held: must not block, nor touch that queue.
    func notified(_ events: PollEvents)
}

/// The one type behind every wait of the kernel. Waiters add an entry, check their condition, sleep, and remove the entry; whoever
/// changes the condition calls `notify` afterwards.
///
/// Lock order: a wait queue's lock comes after every object lock; an observer's lock comes after it.
public final class WaitQueue: Sendable {
    private let entries = Mutex<[WaitEntry]>([])
    /// Lets `notify` return without the lock when nobody waits.
    private let count = Atomic<Int>(0)

    public init() {}

    public func add(_ entry: WaitEntry) {
        entries.withLock {
            $0.append(entry)
            count.store($0.count, ordering: .sequentiallyConsistent)
        }
    }

    public func remove(_ entry: WaitEntry) {
        entries.withLock {
            if let index = $0.firstIndex(where: { $0 === entry }) { $0.remove(at: index) }
            count.store($0.count, ordering: .sequentiallyConsistent)
        }
    }

    /// Tells all waiters interested in any of `events`.
    public func notify(_ events: PollEvents) {
        // The caller changed the condition before this load; a waiter adds its entry before it checks the condition.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard count.load(ordering: .sequentiallyConsistent) != 0 else { return }
        entries.withLock {
            for entry in $0 where !entry.events.isDisjoint(with: events) { entry.fire(events) }
        }
    }

    public var isEmpty: Bool { count.load(ordering: .sequentiallyConsistent) == 0 }
}
