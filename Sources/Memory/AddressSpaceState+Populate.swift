import HostOS
import LinuxABI
import Platform

/// Backing for areas ahead of any fault (DESIGN §4, "map eagerly").
extension AddressSpaceState {
    /// Gives the accessible range `[lower, upper)` of one area its memory and queues the host mappings. `area` is as of `lower`.
    /// `commit` makes pages present as well.
    /// - Throws: ENOMEM.
    mutating func populate(_ lower: UInt64, _ upper: UInt64, _ area: Area, commit: Bool) throws(Errno) {
        guard area.isAccessible && !area.isSpecial else { return }
        if area.mapping == nil {
            try populateAnonymous(lower, upper, area, commit: commit)
        } else {
            try populateFile(lower, upper, area)
            // What the file lacks (holes, its end) is no failure here.
            if commit { prefault(lower, upper, area) }
        }
    }

    /// The next part of `[cursor, upper)` without segments.
    func gap(from cursor: UInt64, to upper: UInt64) -> (lower: UInt64, upper: UInt64)? {
        var low = cursor
        var i = segments.firstIndex(endingAfter: low)
        while i < segments.count && segments.lowers[i] <= low {
            low = segments.uppers[i]
            i += 1
        }
        guard low < upper else { return nil }
        return (low, i < segments.count ? min(segments.lowers[i], upper) : upper)
    }

    mutating func populateAnonymous(_ lower: UInt64, _ upper: UInt64, _ area: Area, commit: Bool) throws(Errno) {
        var cursor = lower
        while let gap = gap(from: cursor, to: upper) {
            cursor = gap.upper
            if gap.upper - gap.lower > Self.eagerAnonymousLimit && !commit { continue }
            guard let memory = try? allocate(gap.lower, gap.upper) else {
                // A run this long may not be there; chunks of it may be, on fault.
                if gap.upper - gap.lower > Self.largestFaultChunk && !commit { continue }
                throw .ENOMEM
            }
            if commit {
                do throws(Errno) {
                    try memoryFile.commit(memory.offset, gap.upper - gap.lower)
                } catch {
                    memoryFile.release(memory.offset, gap.upper - gap.lower)
                    throw .ENOMEM
                }
            }
            insertAnonymous(gap.lower, gap.upper, memory.offset, area, populate: memory.isWarm || commit)
        }
        if commit {
            for i in segments.indices(overlapping: lower, upper) {
                guard let offset = segments.values[i].memoryOffset, segments.values[i].isWritable else { continue }
                let from = max(lower, segments.lowers[i])
                // Best effort for what was there before; its pages are in the file already or come on touch.
                try? memoryFile.commit(offset + (from - segments.lowers[i]), min(upper, segments.uppers[i]) - from)
            }
        }
    }

    /// Puts private memory, owned once, behind a free range and queues its mapping.
    mutating func insertAnonymous(_ lower: UInt64, _ upper: UInt64, _ offset: UInt64, _ area: Area, populate: Bool) {
        let segment = Segment(
            source: .memoryFile(offset: offset), protection: area.protection, isWritable: true, isMapped: area.isAccessible,
            isFilePage: false)
        segments.insert(lower, upper, segment)
        segmentsChanged()
        if area.isAccessible { queueMap(lower, upper, segment.source, segment.hostProtection, populate: populate) }
    }

    /// Maps what the file has at hand. Errors of the file show again, as SIGBUS, when the page is touched.
    mutating func populateFile(_ lower: UInt64, _ upper: UInt64, _ area: Area) throws(Errno) {
        guard let mapping = area.mapping else { return }
        var cursor = lower
        while let gap = gap(from: cursor, to: upper) {
            cursor = gap.upper
            let offset = area.offset &+ (gap.lower - lower)
            if !area.isShared && area.isWritable && gap.upper - gap.lower <= Self.eagerCopyLimit {
                try populateCopy(gap.lower, gap.upper, area, mapping, offset)
            } else {
                populatePieces(gap.lower, gap.upper, area, mapping, offset)
            }
        }
    }

    private mutating func populateCopy(
        _ lower: UInt64, _ upper: UInt64, _ area: Area, _ mapping: FileMapping, _ fileOffset: UInt64
    ) throws(Errno) {
        let memory = try allocate(lower, upper)
        let covered = copyBacking(mapping, fileOffset, upper - lower, to: memory.offset)
        if covered < upper - lower { memoryFile.release(memory.offset + covered, upper - lower - covered) }
        if covered != 0 { insertAnonymous(lower, lower + covered, memory.offset, area, populate: covered <= Self.faultChunk) }
    }

    /// Copies file pages to memory that reads as zeroes. Returns how much the file has, in whole pages: less than `length` at its end or
    /// after an error.
    func copyBacking(_ mapping: FileMapping, _ fileOffset: UInt64, _ length: UInt64, to memory: UInt64) -> UInt64 {
        var done: UInt64 = 0
        while done < length {
            guard let pieces = try? mapping.mappable.backing(offset: fileOffset &+ done, length: length - done, forWriting: false)
            else { return done }
            let before = done
            var isAtEnd = false
            for piece in pieces {
                let size = min(piece.length, length - done)
                switch piece {
                case .memoryFile(let offset, let whole):
                    if !isAtEnd { memoryFile.copy(from: offset, to: memory + done, size) }
                    memoryFile.release(offset, whole)
                case .hostFile(let file, let offset, _):
                    if !isAtEnd && !readHost(file, offset, size, to: memory + done) { isAtEnd = true }
                case .hole: break
                case .beyondEnd: isAtEnd = true
                }
                if !isAtEnd { done += size }
            }
            if isAtEnd || done == before { return done }
        }
        return done
    }

    /// Reads `length` bytes of a host file into memory that reads as zeroes; what lies past its end stays zero.
    func readHost(_ file: SharedHostDescriptor, _ offset: UInt64, _ length: UInt64, to memory: UInt64) -> Bool {
        var done: UInt64 = 0
        while done < length {
            // SAFETY: the target was allocated by the caller, `length` bytes long.
            guard let count = try? unsafe HostTransfer.read(
                file.number, into: memoryFile.pointer(memory + done), count: Int(length - done), offset: Int64(offset &+ done))
            else { return false }
            if count == 0 { return true }
            done += UInt64(count)
        }
        return true
    }

    /// Maps the file's own pages.
    private mutating func populatePieces(
        _ lower: UInt64, _ upper: UInt64, _ area: Area, _ mapping: FileMapping, _ fileOffset: UInt64
    ) {
        var cursor = lower
        while cursor < upper {
            let offset = fileOffset &+ (cursor - lower)
            guard let pieces = try? mapping.mappable.backing(offset: offset, length: upper - cursor, forWriting: false) else { return }
            let before = cursor
            for piece in pieces {
                guard cursor < upper else {
                    discard(piece)
                    continue
                }
                let size = min(piece.length, upper - cursor)
                switch piece {
                case .memoryFile, .hostFile:
                    if area.isShared && area.isWritable {
                        discard(piece)
                        insertForWriting(cursor, cursor + size, area, mapping, fileOffset &+ (cursor - lower))
                    } else {
                        insertPiece(piece, cursor, size, area, isWritable: false)
                    }
                case .hole: break
                case .beyondEnd: return
                }
                cursor += size
            }
            if cursor == before { return }
        }
    }

    /// Pages of a shared mapping that may be stored to.
    @discardableResult
    mutating func insertForWriting(
        _ lower: UInt64, _ upper: UInt64, _ area: Area, _ mapping: FileMapping, _ fileOffset: UInt64
    ) -> Bool {
        var cursor = lower
        while cursor < upper {
            guard let pieces = try? mapping.mappable.backing(
                offset: fileOffset &+ (cursor - lower), length: upper - cursor, forWriting: true)
            else { return false }
            let before = cursor
            for piece in pieces {
                guard cursor < upper else {
                    discard(piece)
                    continue
                }
                switch piece {
                case .memoryFile, .hostFile: cursor += insertPiece(piece, cursor, upper - cursor, area, isWritable: true)
                case .hole, .beyondEnd: return false
                }
            }
            if cursor == before { return false }
        }
        return true
    }

    func discard(_ piece: MappablePiece) {
        if case .memoryFile(let offset, let length) = piece { memoryFile.release(offset, length) }
    }

    /// Puts up to `room` bytes of a piece behind a free range and queues the mapping. Returns how many.
    @discardableResult
    mutating func insertPiece(
        _ piece: MappablePiece, _ lower: UInt64, _ room: UInt64, _ area: Area, isWritable: Bool
    ) -> UInt64 {
        let size = min(piece.length, room)
        let source: MappingSource
        switch piece {
        case .memoryFile(let offset, let length):
            if length > size { memoryFile.release(offset + size, length - size) }
            source = .memoryFile(offset: offset)
        case .hostFile(let file, let offset, _): source = .hostFile(file, offset: offset)
        case .hole, .beyondEnd: return 0
        }
        guard size != 0 else { return 0 }
        let segment = Segment(
            source: source, protection: area.protection, isWritable: isWritable, isMapped: area.isAccessible, isFilePage: true)
        segments.insert(lower, lower + size, segment)
        segmentsChanged()
        if area.isAccessible { queueMap(lower, lower + size, source, segment.hostProtection, populate: false) }
        return size
    }

    /// MAP_POPULATE and mlock on files: touches each page as the guest would, as far as that succeeds.
    mutating func prefault(_ lower: UInt64, _ upper: UInt64, _ area: Area) {
        var cursor = lower
        while cursor < upper {
            guard let i = try? ensure(cursor, writing: false) else { return }
            cursor = max(segments.uppers[i], cursor + Page.size)
        }
    }
}
