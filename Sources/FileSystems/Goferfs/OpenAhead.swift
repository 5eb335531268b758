import GoferProtocol
import HostOS
import LinuxABI
import Synchronization

/// Opens the files of a directory before they are asked for, as long as a program opens one after the other: a message that opens several costs
/// little more than one that opens one. Programs go by the directory's order (find), by name (shells, git) or by inode number (tar, cp).
///
/// Lock: `state` is a leaf; orders are made and descriptors dropped outside it.
final class OpenAhead: Sendable {
    /// A file of the directory.
    struct Candidate: Sendable {
        var name: [UInt8]
        var inode: UInt64
    }
    /// A file that was opened and not yet asked for.
    struct Opened: Sendable {
        var descriptor: CacheSlot<SharedHostDescriptor>
        var status: HostFileStatus
        /// Where the tree names its files by handles.
        var handle: NodeHandle?
    }

    private struct State {
        /// Built when two neighbours were opened; nil before.
        var orders: Orders?
        /// How often two files were opened that are no neighbours.
        var failures = 0
        /// Place of the file that was opened last.
        var last: Int?
        /// How many to open with the next one.
        var window = 0
        var ready: [Int: Opened] = [:]
        /// Places of `ready`, and of files that have been taken, the oldest first.
        var queue: [Int] = []
    }
    private let state = Mutex(State())

    private static let firstWindow = 8
    /// Files that wait at a time.
    private static let capacity = 64
    /// After so many opens here and there no order is looked for any more.
    private static let patience = 8

    deinit { for opened in state.withLock({ Array($0.ready.values) }) { opened.descriptor.clear() } }

    /// The file at `place` is being opened: it may be there already.
    func take(_ place: Int) -> Opened? {
        state.withLock { s in
            guard let opened = s.ready.removeValue(forKey: place) else { return nil }
            s.last = place
            return opened
        }
    }

    /// The file at `place` has to be opened: which others had better be opened with it, by their places.
    func others(with place: Int, of candidates: () -> [Candidate?]) -> [Int] {
        let (last, known, isHopeless) = state.withLock { s in
            defer { s.last = place }
            return (s.last, s.orders, s.orders == nil && s.failures >= Self.patience)
        }
        guard let last, last != place, !isHopeless else { return [] }
        var found = known
        if found == nil {
            let all = candidates()
            // Sorting pays only for somebody who goes by an order.
            if Orders.areNeighbours(last, place, all) { found = Orders(all) }
        }
        return state.withLock { s in
            guard let orders = found else {
                s.failures += 1
                return []
            }
            if s.orders == nil { s.orders = orders }
            guard let order = orders.order(leadingFrom: last, to: place) else {
                s.window = 0
                return []
            }
            s.window = min(ProtocolLimits.maximumOpens - 1, max(Self.firstWindow, s.window * 2))
            return orders.following(place, in: order, s.window).filter { s.ready[$0] == nil }
        }
    }

    /// What stands at `place` was changed: it is not worth keeping open.
    func drop(_ place: Int) {
        let opened = state.withLock { $0.ready.removeValue(forKey: place) }
        opened?.descriptor.clear()
    }

    /// Keeps a file that was opened with another one.
    func keep(_ opened: Opened, at place: Int) {
        let dropped = state.withLock { s -> [Opened] in
            var dropped: [Opened] = []
            if let replaced = s.ready.updateValue(opened, forKey: place) { dropped.append(replaced) }
            s.queue.append(place)
            while s.queue.count > Self.capacity {
                let oldest = s.queue.removeFirst()
                // A place may stand in the queue again, for a later file.
                if !s.queue.contains(oldest), let old = s.ready.removeValue(forKey: oldest) { dropped.append(old) }
            }
            return dropped
        }
        for old in dropped { old.descriptor.clear() }
    }
}

/// The orders that a program may go through a directory's files in.
private struct Orders {
    /// Places in each order.
    private var places: [[Int32]] = []
    /// The reverse: where in the order each place stands; -1 for what is no file.
    private var ranks: [[Int32]] = []
    private static let sortedLimit = 16_384

    init(_ candidates: [OpenAhead.Candidate?]) {
        let files = candidates.indices.filter { candidates[$0] != nil }
        add(files, of: candidates.count)
        // Sorting a huge directory would cost more than it gains.
        guard files.count <= Self.sortedLimit else { return }
        add(
            files.sorted { (candidates[$0]?.name ?? []).lexicographicallyPrecedes(candidates[$1]?.name ?? []) }, of: candidates.count)
        add(files.sorted { (candidates[$0]?.inode ?? 0) < (candidates[$1]?.inode ?? 0) }, of: candidates.count)
    }

    private mutating func add(_ order: [Int], of count: Int) {
        var rank = [Int32](repeating: -1, count: count)
        for (index, place) in order.enumerated() { rank[place] = Int32(truncatingIfNeeded: index) }
        places.append(order.map { Int32(truncatingIfNeeded: $0) })
        ranks.append(rank)
    }

    /// Whether `place` comes next after `last` in one of the orders: no other file lies between them.
    static func areNeighbours(_ last: Int, _ place: Int, _ candidates: [OpenAhead.Candidate?]) -> Bool {
        guard candidates.indices.contains(last), candidates.indices.contains(place), let from = candidates[last], let to = candidates[place] else {
            return false
        }
        if last < place, !candidates[(last + 1)..<place].contains(where: { $0 != nil }) { return true }
        guard candidates.count <= sortedLimit else { return false }
        func liesBetween(_ name: [UInt8]) -> Bool { from.name.lexicographicallyPrecedes(name) && name.lexicographicallyPrecedes(to.name) }
        if from.name.lexicographicallyPrecedes(to.name), !candidates.contains(where: { $0.map { liesBetween($0.name) } ?? false }) { return true }
        return from.inode < to.inode && !candidates.contains { $0.map { from.inode < $0.inode && $0.inode < to.inode } ?? false }
    }

    /// The order in which `place` comes next after `last`.
    func order(leadingFrom last: Int, to place: Int) -> Int? {
        ranks.indices.first { order in
            let rank = ranks[order]
            guard rank.indices.contains(last), rank.indices.contains(place), rank[last] >= 0, rank[place] >= 0 else { return false }
            return rank[place] == rank[last] + 1
        }
    }

    func following(_ place: Int, in order: Int, _ count: Int) -> [Int] {
        let start = Int(ranks[order][place]) + 1
        return places[order][start..<min(places[order].count, start + count)].map { Int($0) }
    }
}
