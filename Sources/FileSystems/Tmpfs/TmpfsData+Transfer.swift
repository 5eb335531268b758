import HostOS
import LinuxABI
import Memory
import Synchronization

/// Reading and writing.
extension TmpfsData {
    private enum Piece: Sendable {
        case memory(offset: UInt64, count: Int)
        case lower(count: Int, isLast: Bool)
        case zeroes(count: Int)
        case end
    }

    /// What lies at `position`, at most `limit` bytes of it.
    private func piece(at position: UInt64, limit: Int) -> Piece {
        map.withLock { m in
            guard position < m.size else { return .end }
            let page = position >> Page.shift
            let inPage = position & (Page.size - 1)
            var bytes = min(UInt64(limit), m.size - position)
            switch m.extents.find(page) {
            case .memory(let offset, let count):
                return .memory(offset: offset + inPage, count: Int(min(bytes, count << Page.shift - inPage)))
            case .zeroes(let count):
                return .zeroes(count: Int(min(bytes, count << Page.shift - inPage)))
            case .absent(let count):
                bytes = min(bytes, count << Page.shift - inPage)
                guard position < m.lowerSize else { return .zeroes(count: Int(bytes)) }
                bytes = min(bytes, m.lowerSize - position)
                return .lower(count: Int(bytes), isLast: position + bytes == m.size)
            }
        }
    }

    /// Reads into `buffer` until it is full or the file ends. `lower` is the descriptor of the lower file if the caller has it.
    func read(_ buffer: inout IOBuffer, at position: UInt64, lower: SharedHostDescriptor?) throws(Errno) -> Int {
        // Bytes that the lower file alone provides need no lock: there is no page to be freed under the copy.
        if let lower, case .lower(let n, let isLast) = piece(at: position, limit: buffer.remaining), isLast || n == buffer.remaining {
            buffer.truncate(to: n)
            return try buffer.fill(fromHost: lower.number, offset: Int64(position))
        }
        return try transfer.withLock { _ throws(Errno) -> Int in
            var total = 0
            while buffer.remaining > 0 {
                let wanted = buffer.remaining
                let position = position &+ UInt64(total)
                do throws(Errno) {
                    let (moved, count): (Int, Int)
                    switch piece(at: position, limit: wanted) {
                    case .end: return total
                    case .memory(let offset, let n): (moved, count) = (try buffer.put(memoryFile, offset: offset, count: n), n)
                    case .zeroes(let n): (moved, count) = (try buffer.putZeroes(n), n)
                    case .lower(let n, let isLast):
                        let descriptor = if let lower { lower } else { try lowerDescriptor() }
                        if n == wanted || isLast {
                            // Nothing follows: the host may fill the buffer itself.
                            buffer.truncate(to: n)
                            return total + (try buffer.fill(fromHost: descriptor.number, offset: Int64(position)))
                        }
                        let bytes = try HostIO.positionedRead(descriptor.number, at: position, count: min(n, 1 << 18))
                        (moved, count) = (try buffer.put(bytes), min(n, 1 << 18))
                    }
                    total += moved
                    if moved < count { return total }
                } catch {
                    if total > 0 { return total }
                    throw error
                }
            }
            return total
        }
    }

    /// Where a write goes: the position, or nil for the end of the file.
    ///
    /// `limit` is RLIMIT_FSIZE; `exceeded` runs when the write starts at or past it.
    /// - Throws: EFBIG, ENOSPC, EPERM (sealed), EFAULT; only when nothing was written.
    func write(
        _ buffer: inout IOBuffer, at requested: UInt64?, limit: UInt64, exceeded: () -> Void
    ) throws(Errno) -> (count: Int, end: UInt64) {
        guard buffer.remaining > 0 else { return (0, requested ?? size) }
        return try transfer.withLock { _ throws(Errno) -> (count: Int, end: UInt64) in
            let (size, seals) = map.withLock { ($0.size, $0.seals) }
            let start = requested ?? size
            if !seals.isDisjoint(with: [.write, .futureWrite]) { throw .EPERM }
            if start >= limit {
                exceeded()
                throw .EFBIG
            }
            var bound = min(limit, Self.maximumSize)
            if seals.contains(.grow) {
                if start >= size { throw .EPERM }
                bound = min(bound, size)
            }
            if start >= bound { throw .EFBIG }
            if UInt64(buffer.remaining) > bound - start { buffer.truncate(to: Int(bound - start)) }
            if start > size { clearTail(of: size) }
            var total = 0
            while buffer.remaining > 0 {
                let position = start + UInt64(total)
                do throws(Errno) {
                    let (moved, count) = try writePiece(&buffer, at: position)
                    total += moved
                    if moved > 0 {
                        let end = position + UInt64(moved)
                        map.withLock { if end > $0.size { $0.size = end } }
                    }
                    if moved < count { break }
                } catch {
                    if total > 0 { break }
                    throw error
                }
            }
            return (total, start + UInt64(total))
        }
    }

    private func writePiece(_ buffer: inout IOBuffer, at position: UInt64) throws(Errno) -> (moved: Int, count: Int) {
        let page = position >> Page.shift
        let inPage = position & (Page.size - 1)
        let wanted = UInt64(buffer.remaining)
        let (run, lowerSize, lowerPages, isAtEnd) = map.withLock {
            ($0.extents.find(page), $0.lowerSize, $0.lowerPages, page >= $0.size >> Page.shift)
        }
        var free: UInt64
        var isLower = false
        switch run {
        case .memory(let offset, let count):
            let n = Int(min(wanted, count << Page.shift - inPage))
            return (try buffer.take(into: memoryFile, offset: offset + inPage, count: n), n)
        case .zeroes(let count): free = count
        case .absent(let count):
            free = count
            if page < lowerPages {
                isLower = true
                free = min(free, lowerPages - page)
            }
        }
        // Fresh pages are filled first and become part of the file then, so that no mapping ever sees them half made.
        let needed = min(free, (inPage + wanted + Page.size - 1) >> Page.shift)
        let (offset, pages) = try allocate(needed, appending: isAtEnd)
        let length = pages << Page.shift
        let count = min(wanted, length - inPage)
        let end = inPage + count
        var moved = 0
        do {
            if isLower {
                // The bytes around the write: the start of the first page, the rest of the last.
                if inPage > 0 { try fillFromLower(offset, page: page, 0, inPage, lowerSize: lowerSize) }
                if end < length { try fillFromLower(offset, page: page, end, length, lowerSize: lowerSize) }
            }
            moved = try buffer.take(into: memoryFile, offset: offset + inPage, count: Int(count))
            if isLower && moved < count {
                try fillFromLower(offset, page: page, inPage + UInt64(moved), end, lowerSize: lowerSize)
            }
        } catch {
            discard(offset, pages)
            throw error
        }
        // Pages that nothing was written to go back.
        let used = min(pages, (inPage + UInt64(moved) + Page.size - 1) >> Page.shift)
        if used < pages { discard(offset + used << Page.shift, pages - used) }
        if moved > 0 {
            publish(offset, page: page, count: used, copying: inPage, inPage + UInt64(moved))
            invalidate(offset: page << Page.shift, length: used << Page.shift, includingPrivate: false)
        }
        return (moved, Int(count))
    }

    /// Zeroes the rest of the page in which a file of `size` bytes ends: stores through mappings may have left bytes there.
    /// Preconditions: `transfer` is held.
    func clearTail(of size: UInt64) {
        let inPage = size & (Page.size - 1)
        guard inPage != 0 else { return }
        map.withLock {
            if case .memory(let offset, _) = $0.extents.find(size >> Page.shift) {
                memoryFile.zero(offset + inPage, Page.size - inPage)
            }
        }
    }
}
