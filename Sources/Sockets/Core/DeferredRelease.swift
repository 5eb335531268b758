import Synchronization
import VirtualFileSystem

/// Drops references to file descriptions that were in flight in messages. Dropping one may close a socket whose queue holds more: a
/// guest can build chains of any length, so they are taken down in a loop, never by recursion.
enum DeferredRelease {
    private struct State {
        var waiting: [FileDescription] = []
        var isDraining = false
    }
    private static let state = Mutex(State())

    /// Empties `descriptions`; the caller must hold no other reference to them. No locks may be held.
    static func drop(_ descriptions: inout [FileDescription]) {
        if descriptions.isEmpty { return }
        let drains = state.withLock { s in
            s.waiting.append(contentsOf: descriptions)
            defer { s.isDraining = true }
            return !s.isDraining
        }
        descriptions = []
        guard drains else { return }
        while true {
            // The references end here, outside the lock; `drop` calls made meanwhile only add to the list.
            let batch = state.withLock { s -> [FileDescription] in
                defer { s.waiting = [] }
                if s.waiting.isEmpty { s.isDraining = false }
                return s.waiting
            }
            if batch.isEmpty { return }
        }
    }
}
