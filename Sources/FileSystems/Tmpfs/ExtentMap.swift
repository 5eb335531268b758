/// Which pages of a file lie where in the memory file: sorted, disjoint extents, neighbours merged.
///
/// Kept in chunks of bounded length, so that a scattered file costs O(√n)-like moves per insertion and not O(n).
struct ExtentMap: Sendable {
    struct Extent: Sendable {
        var page: UInt64
        var count: UInt64
        /// Byte offset in the memory file, or `zeroes`.
        var offset: UInt64
        var end: UInt64 { page &+ count }
        var isMemory: Bool { offset != ExtentMap.zeroes }

        /// The part of the extent in `[from, to)`, which must overlap it.
        func clipped(_ from: UInt64, _ to: UInt64) -> Extent {
            let start = max(page, from)
            let stop = min(end, to)
            return Extent(page: start, count: stop - start, offset: isMemory ? offset + (start - page) << 12 : offset)
        }
    }

    /// Marks pages that read as zeroes although the lower file has data there (a punched hole).
    static let zeroes = UInt64.max

    enum Run: Sendable {
        case memory(offset: UInt64, count: UInt64)
        case zeroes(count: UInt64)
        /// Not in the map: a hole, or the lower file's. `count` reaches to the next extent, or is very large.
        case absent(count: UInt64)
    }

    private static let chunkLimit = 256
    /// No chunk is empty; the first pages of chunks ascend.
    private var chunks: [[Extent]] = []
    /// Pages that lie in the memory file.
    private(set) var memoryPages: UInt64 = 0

    var isEmpty: Bool { chunks.isEmpty }

    /// The chunk that holds, or would hold, `page`.
    private func chunkIndex(_ page: UInt64) -> Int {
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) >> 1
            if chunks[middle][0].page <= page { low = middle + 1 } else { high = middle }
        }
        return max(0, low - 1)
    }

    /// Index in `chunk` of the first extent that starts after `page`.
    private func upperBound(_ chunk: Int, _ page: UInt64) -> Int {
        var low = 0
        var high = chunks[chunk].count
        while low < high {
            let middle = (low + high) >> 1
            if chunks[chunk][middle].page <= page { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func find(_ page: UInt64) -> Run {
        if chunks.isEmpty { return .absent(count: .max >> 13) }
        let c = chunkIndex(page)
        let i = upperBound(c, page)
        if i > 0 {
            let e = chunks[c][i - 1]
            if page < e.end {
                let count = e.end - page
                return e.isMemory ? .memory(offset: e.offset + (page - e.page) << 12, count: count) : .zeroes(count: count)
            }
        }
        if i < chunks[c].count { return .absent(count: chunks[c][i].page - page) }
        if c + 1 < chunks.count { return .absent(count: chunks[c + 1][0].page - page) }
        return .absent(count: .max >> 13)
    }

    /// Adds pages that are not in the map.
    mutating func insert(page: UInt64, count: UInt64, offset: UInt64) {
        let new = Extent(page: page, count: count, offset: offset)
        if new.isMemory { memoryPages += count }
        if chunks.isEmpty {
            chunks.append([new])
            return
        }
        let c = chunkIndex(page)
        let i = upperBound(c, page)
        let joinsNext = i < chunks[c].count && Self.continues(new, chunks[c][i])
        if i > 0 && Self.continues(chunks[c][i - 1], new) {
            chunks[c][i - 1].count += count
            if joinsNext {
                chunks[c][i - 1].count += chunks[c][i].count
                chunks[c].remove(at: i)
            }
            return
        }
        if joinsNext {
            let next = chunks[c][i]
            chunks[c][i] = Extent(page: page, count: count + next.count, offset: offset)
            return
        }
        chunks[c].insert(new, at: i)
        if chunks[c].count > Self.chunkLimit {
            let half = chunks[c].count / 2
            chunks.insert(Array(chunks[c][half...]), at: c + 1)
            chunks[c].removeSubrange(half...)
        }
    }

    private static func continues(_ a: Extent, _ b: Extent) -> Bool {
        guard a.end == b.page, a.isMemory == b.isMemory else { return false }
        return !a.isMemory || a.offset + a.count << 12 == b.offset
    }

    /// Takes the pages `[from, to)` out, giving each removed extent to `body`.
    mutating func remove(from: UInt64, to: UInt64, _ body: (Extent) -> Void) {
        guard from < to, !chunks.isEmpty else { return }
        var c = chunkIndex(from)
        while c < chunks.count, chunks[c][0].page < to {
            var first = upperBound(c, from)
            if first > 0 && chunks[c][first - 1].end > from { first -= 1 }
            var last = first
            var kept: [Extent] = []
            while last < chunks[c].count, chunks[c][last].page < to {
                let e = chunks[c][last]
                let cut = e.clipped(from, to)
                if cut.isMemory { memoryPages -= cut.count }
                body(cut)
                if e.page < cut.page { kept.append(e.clipped(e.page, cut.page)) }
                if cut.end < e.end { kept.append(e.clipped(cut.end, e.end)) }
                last += 1
            }
            if first < last { chunks[c].replaceSubrange(first..<last, with: kept) }
            if chunks[c].isEmpty { chunks.remove(at: c) } else { c += 1 }
        }
    }

    /// The extents that overlap `[from, to)`, clipped to it, in order.
    func forEach(from: UInt64 = 0, to: UInt64 = .max, _ body: (Extent) -> Void) {
        guard !chunks.isEmpty else { return }
        var c = chunkIndex(from)
        while c < chunks.count, chunks[c][0].page < to {
            for e in chunks[c] where e.end > from && e.page < to { body(e.clipped(from, to)) }
            c += 1
        }
    }
}
