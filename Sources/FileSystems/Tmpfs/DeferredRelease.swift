import Synchronization

/// Drops references to inodes one after the other. An inode that goes away hands its children and parents in here instead of
/// releasing them itself: nested deinitialisation of a deep tree would overflow the stack.
enum DeferredRelease {
    private struct State {
        var pending: [TmpfsInode] = []
        var isDraining = false
    }
    private static let state = Mutex(State())

    /// Takes the references out of `nodes`: the caller must not hold the last one itself, or the node would die in its frame.
    static func release(_ nodes: inout [TmpfsInode]) {
        let drains = state.withLock { s in
            while let node = nodes.popLast() { s.pending.append(node) }
            if s.isDraining { return false }
            s.isDraining = true
            return true
        }
        guard drains else { return }
        // Each node taken dies at the end of its turn, unless somebody else holds it; what it hands in is taken later.
        while takeOne() != nil {}
    }

    private static func takeOne() -> TmpfsInode? {
        state.withLock { s in
            if let node = s.pending.popLast() { return node }
            s.isDraining = false
            return nil
        }
    }
}
