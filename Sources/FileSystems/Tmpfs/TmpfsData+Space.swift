import HostOS
import LinuxABI
import Memory
import Synchronization

/// Size and storage: ftruncate(2), fallocate(2), SEEK_DATA and SEEK_HOLE, seals.
extension TmpfsData {
    /// - Throws: EPERM (sealed), EFBIG, EIO, ENOSPC (to bring up the page in which the file now ends).
    func truncate(to length: UInt64) throws(Errno) {
        guard length <= Self.maximumSize else { throw .EFBIG }
        try transfer.withLock { _ throws(Errno) in
            let (old, seals) = map.withLock { ($0.size, $0.seals) }
            if length < old && seals.contains(.shrink) || length > old && seals.contains(.grow) { throw .EPERM }
            if length > old {
                clearTail(of: old)
                map.withLock { $0.size = length }
            } else if length < old {
                try shrink(to: length)
            }
        }
    }

    private func shrink(to length: UInt64) throws(Errno) {
        let end = (length + Page.size - 1) >> Page.shift
        // The lower file can't be cut inside a page: that page comes up.
        if length & (Page.size - 1) != 0 && length < map.withLock({ $0.lowerSize }) {
            try copyUp(page: length >> Page.shift, count: 1)
            invalidate(offset: Page.down(length), length: Page.size, includingPrivate: false)
        }
        map.withLock { m in
            m.size = length
            removePages(&m, from: end, to: .max)
            m.lowerSize = min(m.lowerSize, end << Page.shift)
            m.lowerBlocks = min(m.lowerBlocks, m.lowerPages << 3)
        }
        clearTail(of: length)
        dropReserve()
        invalidate(offset: end << Page.shift, length: Page.down(.max) - end << Page.shift, includingPrivate: true)
    }

    /// fallocate(2). `length` is above zero and `offset + length` does not overflow.
    /// - Throws: EOPNOTSUPP for modes other than 0, KEEP_SIZE, PUNCH_HOLE and ZERO_RANGE; EPERM, ENOSPC, EFBIG.
    func allocateSpace(mode: Int32, offset: UInt64, length: UInt64) throws(Errno) {
        let (keepSize, punch, zeroRange): (Int32, Int32, Int32) = (1, 2, 0x10)
        let end = offset + length
        guard end <= Self.maximumSize else { throw .EFBIG }
        switch mode {
        case punch | keepSize: try transfer.withLock { _ throws(Errno) in try clear(offset, end) }
        case 0, keepSize, zeroRange, zeroRange | keepSize:
            try transfer.withLock { _ throws(Errno) in
                let (size, seals) = map.withLock { ($0.size, $0.seals) }
                let grows = mode & keepSize == 0 && end > size
                if grows && seals.contains(.grow) { throw .EPERM }
                if mode & zeroRange != 0 { try clear(offset, end) }
                try fillHoles(from: offset >> Page.shift, to: (end + Page.size - 1) >> Page.shift)
                if grows {
                    clearTail(of: size)
                    map.withLock { $0.size = end }
                }
            }
        default: throw .EOPNOTSUPP
        }
    }

    /// Makes `[offset, end)` read as zeroes: whole pages leave, the rest is overwritten.
    private func clear(_ offset: UInt64, _ end: UInt64) throws(Errno) {
        if map.withLock({ !$0.seals.isDisjoint(with: [.write, .futureWrite]) }) { throw .EPERM }
        let firstWhole = (offset + Page.size - 1) >> Page.shift
        let lastWhole = end >> Page.shift
        // Parts of pages at both ends, or inside one page.
        try clearPart(offset, min(end, firstWhole << Page.shift))
        if lastWhole >= firstWhole { try clearPart(max(offset, lastWhole << Page.shift), end) }
        guard firstWhole < lastWhole else { return }
        map.withLock { m in
            removePages(&m, from: firstWhole, to: lastWhole)
            let lower = min(lastWhole, m.lowerPages)
            if firstWhole < lower { m.insert(page: firstWhole, count: lower - firstWhole, offset: ExtentMap.zeroes) }
        }
        invalidate(offset: firstWhole << Page.shift, length: (lastWhole - firstWhole) << Page.shift, includingPrivate: false)
    }

    private func clearPart(_ start: UInt64, _ end: UInt64) throws(Errno) {
        guard start < end else { return }
        let page = start >> Page.shift
        if start < map.withLock({ $0.lowerSize }) {
            try copyUp(page: page, count: 1)
            invalidate(offset: page << Page.shift, length: Page.size, includingPrivate: false)
        }
        map.withLock {
            if case .memory(let offset, _) = $0.extents.find(page) {
                memoryFile.zero(offset + start & (Page.size - 1), end - start)
            }
        }
    }

    /// Gives storage to the holes in the pages `[from, to)`; all of it or nothing.
    private func fillHoles(from: UInt64, to: UInt64) throws(Errno) {
        // As shmem_fallocate(): what can never be had is refused before any of it is taken.
        guard to - from <= min(UInt64(clamping: core.limits.pages), memoryFile.totalBytes >> Page.shift) else { throw .ENOSPC }
        var filled: [(page: UInt64, count: UInt64)] = []
        var page = from
        while page < to {
            let (run, lowerPages) = map.withLock { ($0.extents.find(page), $0.lowerPages) }
            let free: UInt64
            switch run {
            case .memory(_, let n):
                page += n
                continue
            case .absent(let n) where page < lowerPages:
                page = min(page + n, lowerPages)
                continue
            case .absent(let n), .zeroes(let n): free = min(n, to - page)
            }
            do {
                let (offset, count) = try allocate(free, appending: false)
                publish(offset, page: page, count: count)
                invalidate(offset: page << Page.shift, length: count << Page.shift, includingPrivate: false)
                filled.append((page, count))
                page += count
            } catch {
                for (page, count) in filled { map.withLock { removePages(&$0, from: page, to: page + count) } }
                throw error
            }
        }
    }

    /// The first byte at or after `offset` that is data (or a hole); the end of the file counts as a hole.
    /// - Throws: ENXIO when `offset` is past the end, or no data follows.
    func seek(_ offset: UInt64, toData: Bool) throws(Errno) -> UInt64 {
        var position = offset
        while true {
            let (size, run, lowerPages) = map.withLock { ($0.size, $0.extents.find(position >> Page.shift), $0.lowerPages) }
            guard offset < size else { throw .ENXIO }
            guard position < size else { break }
            let page = position >> Page.shift
            let (isData, next): (Bool, UInt64)
            switch run {
            case .memory(_, let n): (isData, next) = (true, page + n)
            case .zeroes(let n): (isData, next) = (false, page + n)
            case .absent(let n) where page < lowerPages:
                // The lower file may have holes of its own.
                let end = min(page + n, lowerPages) << Page.shift
                if let found = lowerSeek(position, toData: toData), found < min(end, size) { return found }
                (isData, next) = (!toData, end >> Page.shift)
            case .absent(let n): (isData, next) = (false, page + n)
            }
            if isData == toData { return position }
            position = next >= Self.maximumSize >> Page.shift ? size : next << Page.shift
        }
        if toData { throw .ENXIO }
        return map.withLock { $0.size }
    }

    /// SEEK_DATA or SEEK_HOLE of the lower file; nil when nothing of the kind follows.
    private func lowerSeek(_ position: UInt64, toData: Bool) -> UInt64? {
        guard let descriptor = try? lowerDescriptor() else { return toData ? position : nil }
        guard let found = try? HostFileCalls.seek(descriptor.number, offset: Int64(position), whence: toData ? 3 : 4) else { return nil }
        return UInt64(exactly: found)
    }

    // MARK: seals

    var seals: FileSeals { map.withLock { $0.seals } }

    /// - Throws: EINVAL, EPERM (sealed against sealing), EBUSY (a shared mapping may write).
    func addSeals(_ new: FileSeals) throws(Errno) {
        guard FileSeals.all.isSuperset(of: new) else { throw .EINVAL }
        try transfer.withLock { _ throws(Errno) in
            // With `records` held no mapping comes in between: see `refusesSharedWrites`.
            try records.withLock { records throws(Errno) in
                try map.withLock { m throws(Errno) in
                    if m.seals.contains(.seal) { throw .EPERM }
                    if new.contains(.write) && !m.seals.contains(.write) && records.values.contains(where: \.mayWrite) { throw .EBUSY }
                    m.seals.formUnion(new)
                }
            }
        }
    }

    var refusesSharedWrites: Bool { !seals.isDisjoint(with: [.write, .futureWrite]) }
}
