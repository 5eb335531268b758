import LinuxABI

/// Flags of mremap(2).
public struct RemapFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let mayMove = RemapFlags(rawValue: 1)
    public static let fixed = RemapFlags(rawValue: 2)
    public static let dontUnmap = RemapFlags(rawValue: 4)
    static let known: RemapFlags = [.mayMove, .fixed, .dontUnmap]
}

/// mremap(2).
extension AddressSpaceState {
    mutating func remap(
        _ start: UInt64, _ oldLength: UInt64, _ newLength: UInt64, _ flags: RemapFlags, _ newAddress: UInt64
    ) throws(Errno) -> UInt64 {
        guard flags.isSubset(of: .known) else { throw .EINVAL }
        guard start & (Page.size - 1) == 0 else { throw .EINVAL }
        guard let new = Page.up(newLength), new != 0, new <= Self.maximum else { throw .EINVAL }
        // Lengths that wrap to zero count as zero, as on Linux.
        let old = Page.up(oldLength) ?? 0
        if flags.contains(.fixed) && !flags.contains(.mayMove) { throw .EINVAL }
        if flags.contains(.dontUnmap) && (!flags.contains(.mayMove) || old != new) { throw .EINVAL }
        if !flags.isDisjoint(with: [.fixed, .dontUnmap]) {
            // Without MREMAP_FIXED the address is a hint, held to the same rules.
            guard newAddress & (Page.size - 1) == 0, newAddress <= Self.maximum - new else { throw .EINVAL }
            let (oldEnd, overflow) = start.addingReportingOverflow(old)
            if overflow || (newAddress < oldEnd && start < newAddress + new) { throw .EINVAL }
            if flags.contains(.fixed) && newAddress < minimum { throw .EPERM }
        }
        guard let (areaLower, areaUpper, area) = area(containing: start) else { throw .EFAULT }
        guard areas.count + 2 < Self.maximumAreas else { throw .ENOMEM }
        if area.flags.contains(.sealed) { throw .EPERM }
        let isMoveAsked = !flags.isDisjoint(with: [.fixed, .dontUnmap])

        if !isMoveAsked && old >= new {
            // Shrinks in place, over whatever lies there.
            if old > new {
                guard old <= Self.maximum - start else { throw .EINVAL }
                try unmap(start + new, start + old)
            }
            return start
        }
        if old == 0 {
            // A second mapping of shared pages; private ones cannot be duplicated.
            guard area.isShared else { throw .EINVAL }
            guard flags.contains(.mayMove) else { throw .ENOMEM }
        }
        if isMoveAsked && flags.contains(.fixed) {
            try checkUnsealed(newAddress, newAddress + new)
            // The tail that the new length leaves out goes first.
            if old > new {
                guard old <= areaUpper - start else { throw .EFAULT }
                try unmap(start + new, start + old)
            }
        }
        let kept = min(old, new)
        guard kept <= areaUpper - start else { throw .EFAULT }
        if area.mapping != nil, (area.offset &+ (start - areaLower)).addingReportingOverflow(new).overflow { throw .EINVAL }
        let growth = new - kept
        if area.flags.contains(.locked) && growth != 0 && !mayLock(growth) { throw .EAGAIN }
        let added = flags.contains(.dontUnmap) ? new : growth
        try checkRoom(
            added, isData: isData(area),
            isAccountable: !area.flags.contains(.noReserve) && area.mapping == nil && area.isWritable && added != 0)

        if !isMoveAsked && old != 0 && start + old == areaUpper && start + new <= Self.maximum && isFree(areaUpper, start + new) {
            try extend(areaLower, areaUpper, to: start + new)
            return start
        }
        guard flags.contains(.mayMove) else { throw .ENOMEM }
        let target: UInt64
        if flags.contains(.fixed) {
            target = newAddress
            try unmap(target, target + new)
        } else {
            target = try findAddress(new, hint: flags.contains(.dontUnmap) ? newAddress : 0, below4G: false)
        }
        try move(start, kept, to: target, new, area.advanced(by: start - areaLower), keepingOld: flags.contains(.dontUnmap))
        return target
    }

    private mutating func extend(_ lower: UInt64, _ upper: UInt64, to end: UInt64) throws(Errno) {
        guard let i = areas.index(containing: lower) else { return }
        let area = areas.values[i].advanced(by: upper - lower)
        insertArea(upper, end, area)
        do throws(Errno) {
            let commit = area.flags.contains(.locked) && !area.flags.contains(.lockedOnFault)
            try populate(upper, end, area, commit: commit)
            try flush()
        } catch {
            undoMap(upper, end)
            throw .ENOMEM
        }
    }

    /// Moves `[start, start+kept)` to a free range of `length` bytes. `area` is as of `start`.
    private mutating func move(
        _ start: UInt64, _ kept: UInt64, to target: UInt64, _ length: UInt64, _ area: Area, keepingOld: Bool
    ) throws(Errno) {
        var moved: [(lower: UInt64, upper: UInt64, segment: Segment)] = []
        restoreText(start, start + kept)
        if kept != 0 {
            for i in segments.isolate(start, start + kept) {
                moved.append((segments.lowers[i], segments.uppers[i], segments.values[i]))
            }
            segments.remove(start, start + kept)
            segmentsChanged()
            queueUnmap(start, start + kept)
            if !keepingOld { removeAreas(start, start + kept) }
        }
        insertArea(target, target + length, area)
        for entry in moved {
            let lower = target + (entry.lower - start)
            let upper = target + (entry.upper - start)
            var segment = entry.segment
            segment.isMapped = area.isAccessible
            segments.insert(lower, upper, segment)
            if segment.isMapped { queueMap(lower, upper, segment.source, segment.hostProtection, populate: false) }
        }
        if keepingOld {
            // The old range reads as zeroes from now on, and is not locked (mremap(2)).
            for i in areas.isolate(start, start + kept) {
                var old = areas.values[i]
                old.flags.subtract([.locked, .lockedOnFault])
                setArea(old, at: i)
                try? populate(areas.lowers[i], areas.uppers[i], old, commit: false)
            }
            areas.join(start, start + kept)
        }
        do throws(Errno) {
            let commit = area.flags.contains(.locked) && !area.flags.contains(.lockedOnFault)
            try populate(target, target + length, area, commit: commit)
            try flush()
        } catch {
            // The pages are known; the stub lost mappings, which come back on fault.
            recover(target, target + length)
            recover(start, start + kept)
        }
    }

    // MARK: brk(2)

    /// The new break, or the old one when the request can't be met.
    mutating func setBreak(_ wanted: UInt64) -> UInt64 {
        guard wanted >= breakStart, breakStart != 0, wanted < Self.maximum else { return breakEnd }
        guard let old = Page.up(breakEnd), let new = Page.up(wanted) else { return breakEnd }
        if wanted - breakStart > limits.data { return breakEnd }
        if new == old {
            breakEnd = wanted
            return wanted
        }
        if new < old {
            guard (try? unmap(new, old)) != nil else { return breakEnd }
            breakEnd = wanted
            return wanted
        }
        // A page stays free above the heap.
        guard areas.count < Self.maximumAreas, isFree(old, new + Page.size) else { return breakEnd }
        guard (try? checkRoom(new - old, isData: true, isAccountable: true)) != nil else { return breakEnd }
        let area = Area(
            protection: [.read, .write], flags: [.mayWrite, .mayExecute, futureLock].reduce(into: []) { $0.formUnion($1) },
            mapping: nil, offset: 0)
        let locks = area.flags.contains(.locked)
        if locks && !mayLock(new - old) { return breakEnd }
        insertArea(old, new, area)
        do throws(Errno) {
            if let offset = takeHeapReserve(old, new) {
                insertAnonymous(old, new, offset, area, populate: false)
            }
            try populate(old, new, area, commit: locks && !area.flags.contains(.lockedOnFault))
            try flush()
        } catch {
            undoMap(old, new)
            return breakEnd
        }
        breakEnd = wanted
        return wanted
    }

    /// Memory that continues the heap's last page, from a reservation made ahead; nil: allocate as usual.
    private mutating func takeHeapReserve(_ lower: UInt64, _ upper: UInt64) -> UInt64? {
        let length = upper - lower
        guard length <= Self.heapReserveSize / 4 else { return nil }
        if heapReserve.length < length {
            releaseHeapReserve()
            guard let offset = try? memoryFile.allocate(Self.heapReserveSize, preferred: nil, allowWarm: false).offset else {
                return nil
            }
            heapReserve = MemoryRange(offset: offset, length: Self.heapReserveSize)
        }
        let offset = heapReserve.offset
        heapReserve.offset += length
        heapReserve.length -= length
        return offset
    }

    mutating func releaseHeapReserve() {
        if heapReserve.length != 0 { memoryFile.release(heapReserve.offset, heapReserve.length) }
        heapReserve = MemoryRange(offset: 0, length: 0)
    }
}
