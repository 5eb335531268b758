import LinuxABI
import Platform

/// Advice values of madvise(2).
enum Advice: Int32 {
    case normal = 0, random, sequential, willNeed, dontNeed
    case free = 8, remove, dontFork, doFork, mergeable, unmergeable, hugePage, noHugePage, dontDump, doDump, wipeOnFork, keepOnFork
    case cold = 20, pageOut, populateRead, populateWrite, dontNeedLocked
}

/// A piece of a file that work outside the lock concerns: msync, MADV_REMOVE.
struct FilePiece: Sendable {
    var mapping: FileMapping
    var offset: UInt64
    var length: UInt64
}

/// madvise(2), mincore(2), msync(2) and the mlock(2) family.
extension AddressSpaceState {
    /// Returns pieces of files to punch, for MADV_REMOVE.
    mutating func advise(_ start: UInt64, _ length: UInt64, _ value: Int32) throws(Errno) -> [FilePiece] {
        guard let advice = Advice(rawValue: value) else { throw .EINVAL }
        guard start & (Page.size - 1) == 0 else { throw .EINVAL }
        guard let rounded = Page.up(length) else { throw .EINVAL }
        let (end, overflow) = start.addingReportingOverflow(rounded)
        guard !overflow else { throw .EINVAL }
        guard rounded != 0 else { return [] }
        if advice == .populateRead || advice == .populateWrite {
            try populateByAdvice(start, end, writing: advice == .populateWrite)
            return []
        }
        var isUnmapped = false
        var pieces: [FilePiece] = []
        var cursor = start
        // Like Linux, go on after a hole and report ENOMEM at the end; other errors stop at once.
        var failure: Errno?
        while cursor < end {
            let i = areas.firstIndex(endingAfter: cursor)
            guard i < areas.count, areas.lowers[i] < end else {
                isUnmapped = true
                break
            }
            if areas.lowers[i] > cursor {
                isUnmapped = true
                cursor = areas.lowers[i]
            }
            let upper = min(areas.uppers[i], end)
            do throws(Errno) { try adviseOne(cursor, upper, advice, &pieces) } catch {
                failure = error
                break
            }
            cursor = upper
        }
        areas.join(start, end)
        segments.join(start, end)
        do throws(Errno) { try flush() } catch { recover(start, end) }
        if let failure { throw failure }
        if isUnmapped { throw .ENOMEM }
        return pieces
    }

    private mutating func adviseOne(_ lower: UInt64, _ upper: UInt64, _ advice: Advice, _ pieces: inout [FilePiece]) throws(Errno) {
        guard let (areaLower, _, area) = area(containing: lower) else { return }
        switch advice {
        case .normal, .random, .sequential, .willNeed, .mergeable, .unmergeable, .hugePage, .noHugePage: break
        case .cold, .pageOut:
            if area.flags.contains(.locked) || area.isSpecial { throw .EINVAL }
        case .dontNeed, .dontNeedLocked:
            if area.isSpecial || (advice == .dontNeed && area.flags.contains(.locked)) { throw .EINVAL }
            if area.flags.contains(.sealed) && !area.isWritable && !area.isShared { throw .EPERM }
            try discardContents(lower, upper, area, areaLower)
        case .free:
            guard area.isPrivateAnonymous else { throw .EINVAL }
            // Linux frees when memory is short; freeing at once is a permitted outcome.
            try discardContents(lower, upper, area, areaLower)
        case .remove:
            if area.flags.contains(.locked) { throw .EINVAL }
            guard let mapping = area.mapping else { throw .EINVAL }
            guard area.isShared && area.flags.contains(.mayWrite) else { throw .EACCES }
            pieces.append(FilePiece(mapping: mapping, offset: area.offset &+ (lower - areaLower), length: upper - lower))
        case .dontFork: try setFlags(lower, upper, adding: .dontFork)
        case .doFork:
            if area.isSpecial { throw .EINVAL }
            try setFlags(lower, upper, removing: .dontFork)
        case .wipeOnFork:
            guard area.isPrivateAnonymous else { throw .EINVAL }
            try setFlags(lower, upper, adding: .wipeOnFork)
        case .keepOnFork: try setFlags(lower, upper, removing: .wipeOnFork)
        case .dontDump: try setFlags(lower, upper, adding: .dontDump)
        case .doDump:
            if area.isSpecial { throw .EINVAL }
            try setFlags(lower, upper, removing: .dontDump)
        case .populateRead, .populateWrite: break
        }
    }

    private mutating func setFlags(
        _ lower: UInt64, _ upper: UInt64, adding: Area.Flags = [], removing: Area.Flags = []
    ) throws(Errno) {
        guard areas.count + 2 <= Self.maximumAreas else { throw .ENOMEM }
        for i in areas.isolate(lower, upper) {
            var area = areas.values[i]
            area.flags.formUnion(adding)
            area.flags.subtract(removing)
            setArea(area, at: i)
        }
    }

    /// MADV_DONTNEED: private contents go; anonymous memory reads as zeroes, file mappings show the file again.
    private mutating func discardContents(_ lower: UInt64, _ upper: UInt64, _ area: Area, _ areaLower: UInt64) throws(Errno) {
        // The pages of a shared mapping stay in the file.
        if area.isShared { return }
        if area.mapping != nil {
            for i in segments.isolate(lower, upper).reversed() where !segments.values[i].isFilePage {
                dropSegments(segments.lowers[i], segments.uppers[i])
            }
            var start = area
            start.offset = area.offset &+ (lower - areaLower)
            try populate(lower, upper, start, commit: false)
            return
        }
        var refill = false
        for i in segments.isolate(lower, upper).reversed() {
            guard let offset = segments.values[i].memoryOffset else { continue }
            let length = segments.uppers[i] - segments.lowers[i]
            if let sole = memoryFile.soleExtent(offset, within: offset, offset + length), sole.lower == offset,
                sole.upper == offset + length
            {
                // Ours alone: a hole in the memory file empties the stub's mapping as well, and nothing changes here.
                memoryFile.decommit(offset, length)
            } else {
                dropSegments(segments.lowers[i], segments.uppers[i])
                refill = true
            }
        }
        if refill { try populate(lower, upper, area, commit: false) }
    }

    private mutating func populateByAdvice(_ start: UInt64, _ end: UInt64, writing: Bool) throws(Errno) {
        var cursor = start
        while cursor < end {
            guard let (_, upper, area) = area(containing: cursor) else { throw .ENOMEM }
            if area.isSpecial || !(writing ? area.isWritable : area.isAccessible) { throw .EINVAL }
            let last = min(upper, end)
            while cursor < last {
                let i: Int
                do throws(AccessFailure) {
                    i = try ensure(cursor, writing: writing, wanted: last - cursor)
                } catch {
                    throw .EFAULT
                }
                let next = min(segments.uppers[i], last)
                if let offset = segments.values[i].memoryOffset, writing || !segments.values[i].isFilePage {
                    try memoryFile.commit(offset + (cursor - segments.lowers[i]), next - cursor)
                }
                cursor = next
            }
        }
    }

    // MARK: mincore(2)

    /// One byte per page.
    func residency(_ start: UInt64, _ length: UInt64) throws(Errno) -> [UInt8] {
        guard areas.contains(start, start + length) else { throw .ENOMEM }
        var result = [UInt8](repeating: 0, count: Int(length / Page.size))
        for i in segments.indices(overlapping: start, start + length) {
            let from = max(start, segments.lowers[i])
            let to = min(start + length, segments.uppers[i])
            let first = Int((from - start) / Page.size)
            let pages = Int((to - from) / Page.size)
            if let offset = segments.values[i].memoryOffset {
                let present = memoryFile.residency(offset + (from - segments.lowers[i]), pages: pages)
                result.replaceSubrange(first..<(first + pages), with: present)
            } else {
                // The host's page cache holds it, or fetches it without the guest's seeing more than a delay.
                for page in first..<(first + pages) { result[page] = 1 }
            }
        }
        return result
    }

    // MARK: msync(2)

    /// Pieces of shared file mappings in the range, and whether it has holes.
    func sharedPieces(_ start: UInt64, _ end: UInt64, invalidating: Bool) throws(Errno) -> (pieces: [FilePiece], hasHoles: Bool) {
        var pieces: [FilePiece] = []
        for i in areas.indices(overlapping: start, end) {
            let area = areas.values[i]
            if invalidating && area.flags.contains(.locked) { throw .EBUSY }
            guard area.isShared, let mapping = area.mapping, mapping.file != nil else { continue }
            let from = max(start, areas.lowers[i])
            let to = min(end, areas.uppers[i])
            pieces.append(FilePiece(mapping: mapping, offset: area.offset &+ (from - areas.lowers[i]), length: to - from))
        }
        return (pieces, !areas.contains(start, end))
    }

    // MARK: mlock(2)

    mutating func lock(_ start: UInt64, _ length: UInt64, onFault: Bool) throws(Errno) {
        guard mayLockAtAll else { throw .EPERM }
        // A length that wraps in rounding counts as none, as on Linux.
        let rounded = Page.up(length &+ (start & (Page.size - 1))) ?? 0
        let lower = Page.down(start)
        let (upper, overflow) = lower.addingReportingOverflow(rounded)
        guard !overflow else { throw limits.mayLockAny ? .EINVAL : .ENOMEM }
        if !limits.mayLockAny {
            var already: UInt64 = 0
            for i in areas.indices(overlapping: lower, upper) where areas.values[i].flags.contains(.locked) {
                already += min(upper, areas.uppers[i]) - max(lower, areas.lowers[i])
            }
            guard lockedBytes &+ rounded &- already <= limits.lockedMemory else { throw .ENOMEM }
        }
        guard rounded != 0 else { return }
        try setLock(lower, upper, onFault ? [.locked, .lockedOnFault] : .locked)
    }

    mutating func unlock(_ start: UInt64, _ length: UInt64) throws(Errno) {
        let rounded = Page.up(length &+ (start & (Page.size - 1))) ?? 0
        let lower = Page.down(start)
        let (upper, overflow) = lower.addingReportingOverflow(rounded)
        guard !overflow else { throw .EINVAL }
        guard rounded != 0 else { return }
        try setLock(lower, upper, [])
    }

    private mutating func setLock(_ lower: UInt64, _ upper: UInt64, _ flags: Area.Flags) throws(Errno) {
        var cursor = lower
        while cursor < upper {
            guard let i = areas.index(containing: cursor) else { throw .ENOMEM }
            let end = min(areas.uppers[i], upper)
            try lockOne(cursor, end, flags)
            cursor = end
        }
        areas.join(lower, upper)
        do throws(Errno) { try flush() } catch { recover(lower, upper) }
    }

    private mutating func lockOne(_ lower: UInt64, _ upper: UInt64, _ flags: Area.Flags) throws(Errno) {
        guard let (_, _, area) = area(containing: lower), !area.isSpecial else { return }
        guard areas.count + 2 <= Self.maximumAreas else { throw .ENOMEM }
        for i in areas.isolate(lower, upper) {
            var area = areas.values[i]
            area.flags.subtract([.locked, .lockedOnFault])
            area.flags.formUnion(flags)
            setArea(area, at: i)
            if flags == .locked {
                guard area.isAccessible else { throw .ENOMEM }
                do throws(Errno) {
                    try populate(areas.lowers[i], areas.uppers[i], area, commit: true)
                } catch { throw .EAGAIN }
            }
        }
    }

    /// mlockall(2): `current` and `future` as in MCL_CURRENT and MCL_FUTURE.
    mutating func lockAll(current: Bool, future: Bool, onFault: Bool) throws(Errno) {
        guard mayLockAtAll else { throw .EPERM }
        if current && !limits.mayLockAny && virtualBytes > limits.lockedMemory { throw .ENOMEM }
        let flags: Area.Flags = onFault ? [.locked, .lockedOnFault] : .locked
        futureLock = future ? flags : []
        guard current else { return }
        var cursor: UInt64 = 0
        while true {
            let i = areas.firstIndex(endingAfter: cursor)
            guard i < areas.count else { break }
            cursor = areas.uppers[i]
            // mlockall ignores what cannot be made present.
            try? lockOne(areas.lowers[i], areas.uppers[i], flags)
        }
        areas.join(0, .max)
        try? flush()
    }

    mutating func unlockAll() {
        futureLock = []
        for i in 0..<areas.count where !areas.values[i].isSpecial {
            var area = areas.values[i]
            area.flags.subtract([.locked, .lockedOnFault])
            setArea(area, at: i)
        }
        areas.join(0, .max)
    }
}
