/// A first-in first-out queue that reuses its storage.
struct Ring<Element> {
    private var slots: [Element?] = []
    private var first = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    private func index(_ position: Int) -> Int { (first + position) & (slots.count - 1) }

    mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[index(count)] = element
        count += 1
    }
    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[first]
        slots[first] = nil
        first = index(1)
        count -= 1
        return element
    }
    /// Preconditions: `position` is below `count`.
    subscript(_ position: Int) -> Element {
        get {
            guard let element = slots[index(position)] else { preconditionFailure("a ring's used slots are filled") }
            return element
        }
        set { slots[index(position)] = newValue }
    }
    private mutating func grow() {
        var fresh: [Element?] = []
        let capacity = max(4, slots.count * 2)
        fresh.reserveCapacity(capacity)
        for position in 0..<count { fresh.append(slots[index(position)]) }
        fresh.append(contentsOf: repeatElement(nil, count: capacity - count))
        slots = fresh
        first = 0
    }
    mutating func removeAll() -> [Element] {
        var all: [Element] = []
        while let element = popFirst() { all.append(element) }
        slots = []
        first = 0
        return all
    }
}
