import Synchronization

/// A value's place in a cache: it may be gone when next asked for.
final class CacheSlot<Value: AnyObject & Sendable>: Sendable {
    private let value: Mutex<Value?>
    private let isUsed = Atomic<Bool>(true)
    let weight: Int

    init(_ value: Value, weight: Int = 1) {
        self.value = Mutex(value)
        self.weight = weight
    }

    var current: Value? {
        if !isUsed.load(ordering: .relaxed) { isUsed.store(true, ordering: .relaxed) }
        return value.withLock { $0 }
    }
    var isEmpty: Bool { value.withLock { $0 == nil } }
    /// Drops the value, which lives on with those who use it.
    @discardableResult
    func clear() -> Value? {
        value.withLock { v in
            defer { v = nil }
            return v
        }
    }
    /// Whether it was used since the last call.
    fileprivate func takeUse() -> Bool { isUsed.exchange(false, ordering: .relaxed) }
}

/// A bounded cache with second-chance eviction: values that nobody asked for since the hand last passed go first.
/// Lock: a leaf; values are dropped outside it.
final class ClockCache<Value: AnyObject & Sendable>: Sendable {
    private struct State {
        var ring: [CacheSlot<Value>] = []
        var hand = 0
        var weight = 0

        /// Takes out slots that were cleared, so that the ring does not fill up with them: a few at each insertion.
        mutating func sweep() {
            for _ in 0..<4 where !ring.isEmpty {
                if hand >= ring.count { hand = 0 }
                if ring[hand].isEmpty {
                    removeAtHand()
                } else {
                    hand += 1
                }
            }
        }
        mutating func removeAtHand() {
            weight -= ring[hand].weight
            let last = ring.removeLast()
            if hand < ring.count { ring[hand] = last }
        }
    }
    private let state = Mutex(State())
    /// The sum of weights to keep to.
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Places in use, empty ones included.
    var places: Int { state.withLock { $0.ring.count } }

    func insert(_ value: Value, weight: Int = 1) -> CacheSlot<Value> {
        let slot = CacheSlot(value, weight: weight)
        var dropped: [Value] = []
        state.withLock { s in
            s.sweep()
            s.ring.append(slot)
            s.weight += weight
            // Each slot is passed twice at most: once to take its use, once to evict it.
            var steps = 2 * s.ring.count
            while s.weight > capacity, s.ring.count > 1, steps > 0 {
                steps -= 1
                if s.hand >= s.ring.count { s.hand = 0 }
                let candidate = s.ring[s.hand]
                if candidate === slot || (!candidate.isEmpty && candidate.takeUse()) {
                    s.hand += 1
                    continue
                }
                if let value = candidate.clear() { dropped.append(value) }
                s.removeAtHand()
            }
        }
        _ = consume dropped
        return slot
    }
}
