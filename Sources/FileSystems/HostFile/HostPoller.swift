import HostOS
import LinuxABI
import Synchronization

/// Watches host descriptors for tasks that wait on them: one host thread, started by the first wait, asleep in epoll_wait(2) while
/// nothing happens. A descriptor is armed for one event at a time, and only while somebody waits for it.
///
/// Lock: `state` is a leaf; actions run without it.
public final class HostPoller: Sendable {
    public static let shared = HostPoller()

    private struct Watch {
        var descriptor: Int32
        var action: @Sendable (PollEvents) -> Void
        var isAdded = false
    }
    private struct State {
        var watches: [UInt64: Watch] = [:]
        var lastToken: UInt64 = 0
        var isRunning = false
    }
    private final class Instance: Sendable {
        let epoll: HostEpoll
        init() throws(Errno) { epoll = try HostEpoll() }
    }
    private let state = Mutex(State())
    private let instance = Mutex<Instance?>(nil)

    public init() {}

    /// Prepares to watch `descriptor`; `action` runs on the poller's thread, must not block, and is told what came. Arm it to start.
    public func register(_ descriptor: Int32, _ action: @escaping @Sendable (PollEvents) -> Void) -> UInt64 {
        state.withLock { s in
            s.lastToken += 1
            s.watches[s.lastToken] = Watch(descriptor: descriptor, action: action)
            return s.lastToken
        }
    }

    /// Waits for one of `events` (and error and hang-up), once. Events that hold already are told at once.
    /// - Throws: EPERM for a file that is always ready.
    public func arm(_ token: UInt64, _ events: PollEvents) throws(Errno) {
        let instance = try start()
        try state.withLock { s throws(Errno) in
            guard var watch = s.watches[token] else { return }
            let wanted = events.rawValue | HostEpoll.oneShot
            if watch.isAdded {
                try instance.epoll.control(.modify, watch.descriptor, events: wanted, token: token)
            } else {
                try instance.epoll.control(.add, watch.descriptor, events: wanted, token: token)
                watch.isAdded = true
                s.watches[token] = watch
            }
        }
    }

    /// Nobody waits any more; the descriptor stays registered, without events.
    public func disarm(_ token: UInt64) {
        guard let instance = instance.withLock({ $0 }) else { return }
        state.withLock { s in
            guard var watch = s.watches[token], watch.isAdded else { return }
            // Removal, since epoll always reports errors and hang-ups of what it holds.
            try? instance.epoll.control(.remove, watch.descriptor, events: 0, token: token)
            watch.isAdded = false
            s.watches[token] = watch
        }
    }

    /// Must come before the descriptor is closed.
    public func unregister(_ token: UInt64) {
        disarm(token)
        state.withLock { $0.watches[token] = nil }
    }

    /// Runs `action` once when the peer of `descriptor` hangs up.
    public func watchHangUp(_ descriptor: Int32, _ action: @escaping @Sendable () -> Void) {
        let token = register(descriptor) { _ in action() }
        // Without events asked for, error and hang-up remain.
        try? arm(token, [])
    }

    private func start() throws(Errno) -> Instance {
        try instance.withLock { present throws(Errno) in
            if let present { return present }
            let fresh = try Instance()
            try HostThread.start { [self] in run(fresh) }
            present = fresh
            return fresh
        }
    }

    private func run(_ instance: Instance) {
        while true {
            guard let events = try? instance.epoll.wait(milliseconds: -1) else { return }
            for event in events {
                let action = state.withLock { $0.watches[event.token]?.action }
                action?(event.events)
            }
        }
    }
}
