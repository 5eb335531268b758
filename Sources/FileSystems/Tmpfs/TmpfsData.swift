import HostOS
import LinuxABI
import Memory
import Synchronization

/// The bytes of a regular file: pages in the memory file where they were written, the lower file's bytes where they were not, holes
/// elsewhere. Also what memfd_create(2) files and shared anonymous memory consist of.
///
/// Two locks. `transfer` is held for the whole of a read, write or change of size: it keeps pages from being freed under a copy.
/// `map` guards the page map and is held for moments only; faults take it alone, through `backing`. A user copy under `transfer` may
/// therefore fault on a mapping of this very file.
///
/// Lock order: `transfer`, then an address space's lock, then `records`, then `map`. Mappings are invalidated with `map` free.
final class TmpfsData: Sendable {
    struct Map {
        var size: UInt64
        /// Bytes at the start of the file that the lower file provides where the map has no extent. Once reduced, a multiple of the
        /// page size.
        var lowerSize: UInt64
        /// In units of 512 bytes.
        var lowerBlocks: UInt64
        /// Pages in the map that hide pages of the lower file.
        var shadowedPages: UInt64 = 0
        var extents = ExtentMap()
        /// Zeroed pages allocated ahead of an append, not yet part of the file.
        var reserve: (offset: UInt64, pages: UInt64) = (0, 0)
        var seals: FileSeals
        /// Changes whenever pages leave the file, so that a fault that fills pages without `transfer` sees that it came too late.
        var generation: UInt64 = 0

        var lowerPages: UInt64 { (lowerSize + Page.size - 1) >> Page.shift }
        var pages: UInt64 { (size + Page.size - 1) >> Page.shift }

        mutating func insert(page: UInt64, count: UInt64, offset: UInt64) {
            let lower = lowerPages
            if page < lower { shadowedPages += min(page + count, lower) - page }
            extents.insert(page: page, count: count, offset: offset)
        }
    }

    /// The largest file: MAX_LFS_FILESIZE.
    static let maximumSize = UInt64(Int64.max)

    let core: TmpfsCore
    let inodeNumber: UInt64
    let lower: (any LowerNode)?
    let transfer = Mutex<Void>(())
    let map: Mutex<Map>
    let records = Mutex<[ObjectIdentifier: MappingRecord]>([:])
    /// Lets writes skip `records` when nothing is mapped.
    let recordCount = Atomic<Int>(0)

    init(
        core: TmpfsCore, inodeNumber: UInt64, size: UInt64 = 0, lower: (any LowerNode)? = nil, lowerBlocks: UInt64 = 0,
        seals: FileSeals = .seal
    ) {
        self.core = core
        self.inodeNumber = inodeNumber
        self.lower = lower
        let size = min(size, Self.maximumSize)
        map = Mutex(Map(size: size, lowerSize: lower == nil ? 0 : size, lowerBlocks: lowerBlocks, seals: seals))
    }

    deinit {
        let (memoryFile, core) = (core.memoryFile, core)
        map.withLock {
            $0.extents.forEach { if $0.isMemory { memoryFile.release($0.offset, $0.count << Page.shift) } }
            core.unchargePages($0.extents.memoryPages)
            if $0.reserve.pages > 0 { memoryFile.release($0.reserve.offset, $0.reserve.pages << Page.shift) }
        }
    }

    var memoryFile: MemoryFile { core.memoryFile }
    var size: UInt64 { map.withLock { $0.size } }

    /// Size in bytes, and storage in units of 512 bytes.
    var sizeAndBlocks: (size: UInt64, blocks: UInt64) {
        map.withLock {
            let hidden = min($0.lowerBlocks, $0.shadowedPages << 3)
            return ($0.size, $0.extents.memoryPages << 3 + $0.lowerBlocks - hidden)
        }
    }

    // MARK: pages

    /// Zeroed memory for up to `pages` pages, charged to the quota, one reference each. `appending` allocates ahead.
    /// - Throws: ENOSPC.
    func allocate(_ pages: UInt64, appending: Bool) throws(Errno) -> (offset: UInt64, pages: UInt64) {
        let charged = try core.chargePages(upTo: min(pages, Self.chunkPages))
        let (offset, count): (UInt64, UInt64)
        do throws(Errno) {
            (offset, count) = try takePages(charged, appending: appending)
        } catch {
            core.unchargePages(charged)
            throw error
        }
        core.unchargePages(charged - count)
        return (offset, count)
    }

    private func takePages(_ pages: UInt64, appending: Bool) throws(Errno) -> (offset: UInt64, pages: UInt64) {
        try map.withLock { m throws(Errno) -> (UInt64, UInt64) in
            if m.reserve.pages == 0 {
                var wanted = min(pages, Self.chunkPages)
                // A file that keeps growing gets as much again as it has, up to a chunk.
                if appending && m.extents.memoryPages >= 4 { wanted = max(wanted, min(Self.chunkPages, m.extents.memoryPages)) }
                m.reserve = (try storage(memoryFile, wanted), wanted)
            }
            let count = min(pages, m.reserve.pages)
            let offset = m.reserve.offset
            m.reserve = (offset + count << Page.shift, m.reserve.pages - count)
            return (offset, count)
        }
    }
    /// 2 MiB.
    static let chunkPages: UInt64 = 512

    /// Gives back what `allocate` gave.
    func discard(_ offset: UInt64, _ pages: UInt64) {
        guard pages > 0 else { return }
        memoryFile.release(offset, pages << Page.shift)
        core.unchargePages(pages)
    }

    /// Gives back what was allocated ahead: nobody has the file open for writing, or it shrank.
    func dropReserve() {
        let reserve = map.withLock { m in
            let old = m.reserve
            m.reserve = (0, 0)
            return old
        }
        if reserve.pages > 0 { memoryFile.release(reserve.offset, reserve.pages << Page.shift) }
    }

    /// Makes allocated pages part of the file at `page`. Where a fault filled a page meanwhile, that page stays; `copying` says that
    /// the bytes `[first, last)` of the new pages (offsets from `offset`) are news and go into it. When the map is no longer of
    /// `generation`, the pages are discarded.
    func publish(
        _ offset: UInt64, page: UInt64, count: UInt64, copying first: UInt64 = 0, _ last: UInt64 = 0, generation: UInt64? = nil
    ) {
        let surplus: [UInt64] = map.withLock { m in
            if let generation, generation != m.generation { return (0..<count).map { offset + $0 << Page.shift } }
            if case .absent(let free) = m.extents.find(page), free >= count {
                m.insert(page: page, count: count, offset: offset)
                return []
            }
            var surplus: [UInt64] = []
            for i in 0..<count {
                let source = offset + i << Page.shift
                switch m.extents.find(page + i) {
                case .absent: m.insert(page: page + i, count: 1, offset: source)
                case .zeroes:
                    m.extents.remove(from: page + i, to: page + i + 1) { _ in }
                    m.extents.insert(page: page + i, count: 1, offset: source)
                case .memory(let existing, _):
                    let start = max(first, i << Page.shift)
                    let end = min(last, (i + 1) << Page.shift)
                    if start < end {
                        memoryFile.copy(from: offset + start, to: existing + (start & (Page.size - 1)), end - start)
                    }
                    surplus.append(source)
                }
            }
            return surplus
        }
        for source in surplus { discard(source, 1) }
    }

    /// Takes the pages `[from, to)` out of the map and gives their memory back.
    /// Preconditions: `m` is the locked map.
    func removePages(_ m: inout Map, from: UInt64, to: UInt64) {
        m.generation &+= 1
        let lower = m.lowerPages
        let (memoryFile, core) = (memoryFile, core)
        var hidden: UInt64 = 0
        m.extents.remove(from: from, to: to) {
            if $0.page < lower { hidden += min($0.end, lower) - $0.page }
            guard $0.isMemory else { return }
            memoryFile.release($0.offset, $0.count << Page.shift)
            core.unchargePages($0.count)
        }
        m.shadowedPages -= min(hidden, m.shadowedPages)
    }

    /// Tells mappings that `[offset, offset+length)` is backed by something else now.
    func invalidate(offset: UInt64, length: UInt64, includingPrivate: Bool) {
        guard recordCount.load(ordering: .acquiring) != 0 else { return }
        for record in records.withLock({ Array($0.values) }) {
            record.invalidate(offset: offset, length: length, includingPrivate: includingPrivate)
        }
    }

    // MARK: the lower file

    /// The lower file's descriptor.
    func lowerDescriptor() throws(Errno) -> SharedHostDescriptor {
        guard let lower else { throw .EIO }
        return try lower.open()
    }

    /// Fills part of a page run that is being made with the lower file's bytes: `[first, last)` are offsets from `offset`, where the
    /// file's page `page` goes. What lies past the lower data stays zero.
    func fillFromLower(_ offset: UInt64, page: UInt64, _ first: UInt64, _ last: UInt64, lowerSize: UInt64) throws(Errno) {
        let start = page << Page.shift + first
        let end = min(page << Page.shift + last, lowerSize)
        guard start < end else { return }
        let descriptor = try lowerDescriptor()
        let outcome: Result<Int, Errno> = memoryFile.withMutableBytes(offset + first, Int(end - start)) { bytes in
            do throws(Errno) {
                return .success(try HostIO.positionedRead(descriptor.number, at: start, into: &bytes))
            } catch {
                return .failure(error)
            }
        }
        _ = try outcome.get()
    }

    /// Brings the lower file's pages `[page, page+count)`, as far as they are not in the map, into the memory file.
    func copyUp(page: UInt64, count: UInt64) throws(Errno) {
        var page = page
        let end = page + count
        while page < end {
            let (run, lowerSize, lowerPages, generation) = map.withLock {
                ($0.extents.find(page), $0.lowerSize, $0.lowerPages, $0.generation)
            }
            switch run {
            case .memory(_, let n), .zeroes(let n): page += n
            case .absent(let n):
                guard page < lowerPages else { return }
                let (offset, pages) = try allocate(min(n, end - page, lowerPages - page), appending: false)
                do {
                    try fillFromLower(offset, page: page, 0, pages << Page.shift, lowerSize: lowerSize)
                } catch {
                    discard(offset, pages)
                    throw error
                }
                publish(offset, page: page, count: pages, generation: generation)
                // Looks again: the file may have changed, in which case nothing was published.
            }
        }
    }
}

/// Memory-file pages for file data; running out is a full file system.
private func storage(_ memoryFile: MemoryFile, _ pages: UInt64) throws(Errno) -> UInt64 {
    do { return try memoryFile.allocate(pages << Page.shift) } catch { throw error == .ENOMEM ? .ENOSPC : error }
}
