import HostOS
import LinuxABI
import Memory
import Synchronization

/// What mappings of the file show.
extension TmpfsData: MemoryMappable {
    private enum Step: Sendable {
        case done
        case copyUp(page: UInt64, count: UInt64)
        case fill(page: UInt64, count: UInt64, generation: UInt64)
        case host(page: UInt64, count: UInt64)
    }

    /// Pieces in one answer: enough for any range that is mapped at once, little enough to build under the lock.
    private static let pieceLimit = 128
    /// Pages that one write fault brings up or fills at most.
    private static let faultPages: UInt64 = 512

    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        var pieces: [MappablePiece] = []
        var page = offset >> Page.shift
        let end = page + length >> Page.shift
        let start = page
        while page < end && pieces.count < Self.pieceLimit {
            let step: Step = map.withLock { m in
                while page < end && pieces.count < Self.pieceLimit {
                    guard page < m.pages else {
                        pieces.append(.beyondEnd(length: (end - page) << Page.shift))
                        page = end
                        return .done
                    }
                    let last = min(end, m.pages)
                    switch m.extents.find(page) {
                    case .memory(let offset, let n):
                        let count = min(n, last - page)
                        memoryFile.retain(offset, count << Page.shift)
                        pieces.append(.memoryFile(offset: offset, length: count << Page.shift))
                        page += count
                    case .zeroes(let n):
                        let count = min(n, last - page)
                        if forWriting { return .fill(page: page, count: count, generation: m.generation) }
                        pieces.append(.hole(length: count << Page.shift))
                        page += count
                    case .absent(let n):
                        var count = min(n, last - page)
                        let lower = m.lowerPages
                        if page < lower {
                            count = min(count, lower - page)
                            return forWriting ? .copyUp(page: page, count: count) : .host(page: page, count: count)
                        }
                        if forWriting { return .fill(page: page, count: count, generation: m.generation) }
                        pieces.append(.hole(length: count << Page.shift))
                        page += count
                    }
                }
                return .done
            }
            do {
                switch step {
                case .done: return pieces
                case .host(let at, let count):
                    pieces.append(.hostFile(try lowerDescriptor(), offset: at << Page.shift, length: count << Page.shift))
                    page = at + count
                case .copyUp(let at, let count):
                    if at - start >= Self.faultPages { return pieces }
                    try copyUp(page: at, count: min(count, Self.faultPages))
                case .fill(let at, let count, let generation):
                    if at - start >= Self.faultPages { return pieces }
                    let (memory, pages) = try allocate(min(count, Self.faultPages), appending: false)
                    publish(memory, page: at, count: pages, generation: generation)
                }
            } catch {
                // What was found so far is still good.
                if pieces.isEmpty { throw error }
                return pieces
            }
        }
        return pieces
    }

    /// A description that may write is about to be mapped: brings the whole lower file up. A store through one mapping must show in
    /// every other, and a fault, which runs under one address space's lock, can't make the others ask again. Best effort: when space
    /// runs out, faults go on page by page.
    func prepareForWritableMapping() {
        let isComplete = map.withLock { $0.shadowedPages >= $0.lowerPages }
        if isComplete { return }
        let copied: Bool = transfer.withLock { _ in
            do throws(Errno) {
                try copyUp(page: 0, count: map.withLock { $0.lowerPages })
                return true
            } catch {
                return false
            }
        }
        if copied { invalidate(offset: 0, length: Page.down(.max), includingPrivate: false) }
    }

    func punchHole(offset: UInt64, length: UInt64) throws(Errno) {
        guard length > 0, !offset.addingReportingOverflow(length).overflow else { throw .EINVAL }
        try allocateSpace(mode: 3, offset: offset, length: length)
    }

    func addMapping(_ record: MappingRecord) {
        records.withLock {
            $0[ObjectIdentifier(record)] = record
            recordCount.store($0.count, ordering: .releasing)
        }
    }
    func removeMapping(_ record: MappingRecord) {
        records.withLock {
            $0[ObjectIdentifier(record)] = nil
            recordCount.store($0.count, ordering: .releasing)
        }
    }

    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { (core.device, inodeNumber) }
    var mappableSize: UInt64 { size }
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {}
}
