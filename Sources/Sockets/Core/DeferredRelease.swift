import Synchronization
import VirtualFileSystem

/// Drops file descriptions that were in flight in messages. Dropping one may close a socket whose queue holds more: a
/// guest can build chains of any length, so they are taken down in a loop, never by recursion.
enum DeferredRelease {
    private struct Waiting {
        var inFlight: [InFlight] = []
        var received: [FileDescription] = []
        var isEmpty: Bool { inFlight.isEmpty && received.isEmpty }
    }
    private struct State {
        var waiting = Waiting()
        var isDraining = false
    }
    private static let state = Mutex(State())

    /// Empties `descriptions`; the caller must hold no other reference to them. No locks may be held.
    static func drop(_ descriptions: inout [FileDescription]) {
        if descriptions.isEmpty { return }
        let drains = state.withLock { s in
            s.waiting.received.append(contentsOf: descriptions)
            return start(&s)
        }
        descriptions = []
        if drains { drain() }
    }

    /// Empties `references`, which are no longer registered.
    static func drop(_ references: inout [InFlight]) {
        if references.isEmpty { return }
        let drains = state.withLock { s in
            s.waiting.inFlight.append(contentsOf: references)
            return start(&s)
        }
        references = []
        if drains { drain() }
    }

    private static func start(_ s: inout State) -> Bool {
        defer { s.isDraining = true }
        return !s.isDraining
    }

    private static func drain() {
        while true {
            // The references end here, outside the lock; `drop` calls made meanwhile only add to the list.
            let batch = state.withLock { s -> Waiting in
                defer { s.waiting = Waiting() }
                if s.waiting.isEmpty { s.isDraining = false }
                return s.waiting
            }
            if batch.isEmpty { return }
        }
    }
}
