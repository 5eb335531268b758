/// What a `RangeMap` holds for a range: how it changes when the range is cut, and when two neighbours are one.
protocol RangeValue: Sendable {
    /// The value for the part that starts `distance` further on.
    func advanced(by distance: UInt64) -> Self
    /// Whether `next`, which starts where this value's range of `length` bytes ends, continues it.
    func joins(_ next: Self, after length: UInt64) -> Bool
}

/// Non-overlapping half-open ranges of 64-bit keys in order, each with a value. Indices are positions in that order and hold until
/// the next change.
///
/// Keys and values lie in separate arrays: searches touch only the keys.
struct RangeMap<Value: RangeValue>: Sendable {
    private(set) var lowers: [UInt64] = []
    private(set) var uppers: [UInt64] = []
    private(set) var values: [Value] = []

    var count: Int { lowers.count }
    var isEmpty: Bool { lowers.isEmpty }

    /// The first entry that ends after `key`; `count` when there is none.
    func firstIndex(endingAfter key: UInt64) -> Int {
        var low = 0
        var high = uppers.count
        while low < high {
            let middle = (low &+ high) / 2
            if uppers[middle] <= key { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    func index(containing key: UInt64) -> Int? {
        let i = firstIndex(endingAfter: key)
        return i < lowers.count && lowers[i] <= key ? i : nil
    }

    /// Entries that overlap `[lower, upper)`.
    func indices(overlapping lower: UInt64, _ upper: UInt64) -> Range<Int> {
        let first = firstIndex(endingAfter: lower)
        var last = first
        while last < lowers.count && lowers[last] < upper { last += 1 }
        return first..<last
    }

    func isEmpty(in lower: UInt64, _ upper: UInt64) -> Bool {
        let i = firstIndex(endingAfter: lower)
        return i == lowers.count || lowers[i] >= upper
    }

    func contains(_ lower: UInt64, _ upper: UInt64) -> Bool {
        var i = firstIndex(endingAfter: lower)
        var reached = lower
        while i < lowers.count && lowers[i] <= reached {
            reached = uppers[i]
            if reached >= upper { return true }
            i += 1
        }
        return false
    }

    /// The value for the byte at `key`, as if its range began there.
    func value(at key: UInt64) -> Value? {
        guard let i = index(containing: key) else { return nil }
        return values[i].advanced(by: key &- lowers[i])
    }

    /// Adds a range that overlaps no other, joining it with neighbours that it continues.
    mutating func insert(_ lower: UInt64, _ upper: UInt64, _ value: Value) {
        assert(lower < upper && isEmpty(in: lower, upper), "ranges overlap")
        let i = firstIndex(endingAfter: lower)
        let joinsNext = i < lowers.count && lowers[i] == upper && value.joins(values[i], after: upper &- lower)
        if i > 0 && uppers[i - 1] == lower && values[i - 1].joins(value, after: lower &- lowers[i - 1]) {
            uppers[i - 1] = upper
            if joinsNext {
                uppers[i - 1] = uppers[i]
                removeSubrange(i..<(i + 1))
            }
        } else if joinsNext {
            lowers[i] = lower
            values[i] = value
        } else {
            lowers.insert(lower, at: i)
            uppers.insert(upper, at: i)
            values.insert(value, at: i)
        }
    }

    /// Cuts the entry that contains `key` in its middle, so that one begins there.
    mutating func split(at key: UInt64) {
        guard let i = index(containing: key), lowers[i] != key else { return }
        let rest = values[i].advanced(by: key &- lowers[i])
        lowers.insert(key, at: i + 1)
        uppers.insert(uppers[i], at: i + 1)
        values.insert(rest, at: i + 1)
        uppers[i] = key
    }

    /// Cuts at both ends and returns the entries that lie in `[lower, upper)`.
    mutating func isolate(_ lower: UInt64, _ upper: UInt64) -> Range<Int> {
        split(at: lower)
        split(at: upper)
        return indices(overlapping: lower, upper)
    }

    mutating func setValue(_ value: Value, at index: Int) { values[index] = value }
    mutating func setLower(_ lower: UInt64, at index: Int) { lowers[index] = lower }
    mutating func setUpper(_ upper: UInt64, at index: Int) { uppers[index] = upper }

    mutating func removeSubrange(_ range: Range<Int>) {
        lowers.removeSubrange(range)
        uppers.removeSubrange(range)
        values.removeSubrange(range)
    }

    mutating func removeAll() {
        lowers = []
        uppers = []
        values = []
    }

    /// Removes whatever lies in `[lower, upper)`.
    mutating func remove(_ lower: UInt64, _ upper: UInt64) {
        removeSubrange(isolate(lower, upper))
    }

    /// Joins entries that continue each other among those in or next to `[lower, upper)`.
    mutating func join(_ lower: UInt64, _ upper: UInt64) {
        var i = max(firstIndex(endingAfter: lower) - 1, 0)
        while i + 1 < lowers.count && lowers[i + 1] <= upper {
            if uppers[i] == lowers[i + 1] && values[i].joins(values[i + 1], after: uppers[i] &- lowers[i]) {
                uppers[i] = uppers[i + 1]
                removeSubrange((i + 1)..<(i + 2))
            } else {
                i += 1
            }
        }
    }
}
