import LinuxABI

/// A run of the memory file.
struct MemoryRange: Sendable {
    var offset: UInt64
    var length: UInt64
}

/// Which pages of the memory file are free, and how often the others are referred to. Plain bookkeeping: `MemoryFile` locks it and
/// talks to the host.
///
/// Allocation goes from the top of the file down, as mmap does in address spaces, so that neighbouring mappings have neighbouring
/// offsets and the host can merge them.
struct MemoryFileAllocator: Sendable {
    struct Free: RangeValue {
        func advanced(by distance: UInt64) -> Free { self }
        func joins(_ next: Free, after length: UInt64) -> Bool { true }
    }
    struct Count: RangeValue {
        var references: UInt32
        func advanced(by distance: UInt64) -> Count { self }
        func joins(_ next: Count, after length: UInt64) -> Bool { references == next.references }
    }

    /// Free pages that hold no memory and read as zeroes.
    private(set) var free = RangeMap<Free>()
    /// Pages in use.
    private(set) var counts = RangeMap<Count>()
    /// Warm free runs by length in pages: present and dirty, most recently freed last.
    private var warm: [[UInt64]] = Array(repeating: [], count: Int(Self.largestWarm / Page.size) + 1)
    private(set) var warmBytes: UInt64 = 0

    /// Runs longer than this are given back to the host: they are often sparse, and zeroing would fill them.
    static let largestWarm: UInt64 = 256 << 10
    /// Bound of all warm runs together.
    static let warmLimit: UInt64 = 64 << 20
    static let hugePage: UInt64 = 2 << 20

    init(size: UInt64) { free.insert(0, size, Free()) }

    /// A warm run of exactly `length`, counted once.
    mutating func takeWarm(_ length: UInt64) -> UInt64? {
        guard length <= Self.largestWarm, let offset = warm[Int(length / Page.size)].popLast() else { return nil }
        warmBytes -= length
        counts.insert(offset, offset + length, Count(references: 1))
        return offset
    }

    /// A fresh run, counted once: at `preferred` if that is free, else the highest that is found quickly.
    mutating func takeFresh(_ length: UInt64, preferred: UInt64?) -> UInt64? {
        if let preferred, let i = free.index(containing: preferred), free.uppers[i] - preferred >= length {
            return take(preferred, length, from: i)
        }
        let alignment = length >= Self.hugePage ? Self.hugePage : Page.size
        // Look at a bounded number of holes, then at the large rest at the bottom.
        var i = free.count - 1
        var looked = 0
        while i >= 0 && looked < 64 {
            if let offset = fit(length, alignment, in: i) { return take(offset, length, from: i) }
            i -= 1
            looked += 1
        }
        i = min(i, free.count - 1)
        var lowest = 0
        while lowest <= i {
            if let offset = fit(length, alignment, in: lowest) { return take(offset, length, from: lowest) }
            lowest += 1
        }
        return nil
    }

    private func fit(_ length: UInt64, _ alignment: UInt64, in index: Int) -> UInt64? {
        guard free.uppers[index] - free.lowers[index] >= length else { return nil }
        let offset = (free.uppers[index] - length) & ~(alignment - 1)
        return offset >= free.lowers[index] ? offset : nil
    }

    private mutating func take(_ offset: UInt64, _ length: UInt64, from index: Int) -> UInt64 {
        free.remove(offset, offset + length)
        counts.insert(offset, offset + length, Count(references: 1))
        return offset
    }

    mutating func retain(_ offset: UInt64, _ length: UInt64) {
        for i in counts.isolate(offset, offset + length) {
            counts.setValue(Count(references: counts.values[i].references &+ 1), at: i)
        }
        counts.join(offset, offset + length)
    }

    /// Runs that nobody refers to any more: kept warm here, or put into `cold` for the caller to punch and hand to `addFree`.
    mutating func release(_ offset: UInt64, _ length: UInt64, cold: inout [MemoryRange]) {
        var index = counts.isolate(offset, offset + length).lowerBound
        while index < counts.count && counts.lowers[index] < offset + length {
            let references = counts.values[index].references
            if references > 1 {
                counts.setValue(Count(references: references - 1), at: index)
                index += 1
                continue
            }
            let run = MemoryRange(offset: counts.lowers[index], length: counts.uppers[index] - counts.lowers[index])
            counts.removeSubrange(index..<(index + 1))
            if run.length <= Self.largestWarm && warmBytes + run.length <= Self.warmLimit {
                warm[Int(run.length / Page.size)].append(run.offset)
                warmBytes += run.length
            } else {
                cold.append(run)
            }
        }
        counts.join(offset, offset + length)
    }

    mutating func addFree(_ run: MemoryRange) { free.insert(run.offset, run.offset + run.length, Free()) }

    /// All warm runs, to be punched and handed to `addFree`.
    mutating func takeAllWarm() -> [MemoryRange] {
        var runs: [MemoryRange] = []
        for pages in warm.indices where !warm[pages].isEmpty {
            for offset in warm[pages] { runs.append(MemoryRange(offset: offset, length: UInt64(pages) * Page.size)) }
            warm[pages] = []
        }
        warmBytes = 0
        return runs
    }

    /// The run around `offset` within `[lower, upper)` whose pages are referred to once; nil when the page at `offset` is not.
    func soleExtent(_ offset: UInt64, within lower: UInt64, _ upper: UInt64) -> (lower: UInt64, upper: UInt64)? {
        guard let i = counts.index(containing: offset), counts.values[i].references == 1 else { return nil }
        return (max(lower, counts.lowers[i]), min(upper, counts.uppers[i]))
    }
}
