import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// Who waits for a host descriptor, and the poller's watch that serves them. The watch is armed only while somebody waits and what
/// they wait for was found missing; it is armed before the condition is looked at again, so that no change is lost.
///
/// Lock: `waiting` is a leaf.
final class HostReadiness: Sendable {
    private let descriptor: Int32
    private let poller: HostPoller
    private let queue = WaitQueue()
    private struct Waiting {
        var entries: [WaitEntry] = []
        var token: UInt64?
        /// The host says that this file is always ready: EPERM of epoll_ctl(2).
        var isUnpollable = false

        var interest: PollEvents { entries.reduce([]) { $0.union($1.events) } }
    }
    private let waiting = Mutex(Waiting())

    /// `descriptor` must stay open for as long as this object lives.
    init(_ descriptor: Int32, poller: HostPoller = .shared) {
        self.descriptor = descriptor
        self.poller = poller
    }

    deinit {
        if let token = waiting.withLock({ $0.token }) { poller.unregister(token) }
    }

    /// What the host says now. Arms for what somebody waits for and is not there.
    func current() -> PollEvents {
        let asked: PollEvents = [.allReadable, .allWritable, .priority, .readHangUp]
        guard let found = try? HostFileCalls.poll(descriptor, asked, milliseconds: 0) else { return .error }
        arm(excluding: found)
        return found
    }

    func add(_ entry: WaitEntry) {
        queue.add(entry)
        waiting.withLock { $0.entries.append(entry) }
        arm(excluding: [])
    }

    func remove(_ entry: WaitEntry) {
        queue.remove(entry)
        let idle = waiting.withLock { w -> UInt64? in
            if let index = w.entries.firstIndex(where: { $0 === entry }) { w.entries.remove(at: index) }
            return w.entries.isEmpty ? w.token : nil
        }
        if let idle { poller.disarm(idle) }
    }

    /// Something was found missing: whoever waits must hear of its coming.
    func wanted() { arm(excluding: []) }

    /// A time-out of the file's own: whoever waits for data looks again.
    func expired() { queue.notify([.allReadable]) }

    private func arm(excluding found: PollEvents) {
        let (token, events) = waiting.withLock { w -> (UInt64?, PollEvents) in
            guard !w.entries.isEmpty, !w.isUnpollable else { return (nil, []) }
            if w.token == nil { w.token = poller.register(descriptor) { [weak self] in self?.came($0) } }
            return (w.token, w.interest.subtracting(found))
        }
        guard let token, !events.subtracting(.always).isEmpty else { return }
        do throws(Errno) {
            try poller.arm(token, events)
        } catch {
            if error == .EPERM { waiting.withLock { $0.isUnpollable = true } }
            // Nobody may sleep for ever on what can't be watched.
            queue.notify(.everything)
        }
    }

    /// On the poller's thread.
    private func came(_ events: PollEvents) {
        queue.notify(events)
        // Those who wait for other events still do. After an error or a hang-up all were told, and arming again would not rest.
        if events.isDisjoint(with: .always) { arm(excluding: events) }
    }
}
