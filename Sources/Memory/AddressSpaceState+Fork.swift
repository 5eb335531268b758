import LinuxABI
import Platform

/// fork(2).
extension AddressSpaceState {
    /// Fills the empty address space `child` with a copy. Private memory becomes copy-on-write in both.
    /// - Throws: ENOMEM.
    mutating func fork(into child: inout AddressSpaceState, _ reference: AddressSpaceReference) throws(Errno) {
        child.layout = layout
        child.limits = limits
        child.breakStart = breakStart
        child.breakEnd = breakEnd
        child.stackAddress = stackAddress
        child.resetSearch()
        child.patches = patches
        child.platformSpace.inheritText(of: platformSpace)

        var mappings: [ObjectIdentifier: FileMapping] = [:]
        for i in 0..<areas.count {
            var area = areas.values[i]
            if area.isSpecial || area.flags.contains(.dontFork) { continue }
            // Memory locks are not inherited (mlock(2)).
            area.flags.subtract([.locked, .lockedOnFault])
            if let mapping = area.mapping {
                let copy = mappings[ObjectIdentifier(mapping)] ?? FileMapping(copying: mapping, reference)
                mappings[ObjectIdentifier(mapping)] = copy
                area.mapping = copy
            }
            let lower = areas.lowers[i]
            let upper = areas.uppers[i]
            child.insertArea(lower, upper, area)
            if area.flags.contains(.wipeOnFork) {
                try child.populate(lower, upper, area, commit: false)
            } else if area.isShared {
                // Asked anew: the file may have changed between the copy of the area and the registration of its mapping.
                try child.populate(lower, upper, area, commit: false)
            } else {
                try shareSegments(lower, upper, area, with: &child)
            }
        }
        segments.join(0, .max)
        segmentsChanged()
        // The parent first: once the child runs, neither may write to what both see.
        do throws(Errno) { try flush() } catch { throw .ENOMEM }
        do throws(Errno) { try child.flush() } catch { throw .ENOMEM }
    }

    private mutating func shareSegments(
        _ lower: UInt64, _ upper: UInt64, _ area: Area, with child: inout AddressSpaceState
    ) throws(Errno) {
        // Pages past the end of a file that shrank meanwhile stay behind.
        var limit = upper
        if let mapping = area.mapping {
            let size = Page.up(mapping.mappable.mappableSize) ?? .max
            if size <= area.offset { limit = lower } else { limit = min(upper, lower + min(size - area.offset, upper - lower)) }
        }
        // A segment may go on in areas that are not inherited, or not so.
        segments.split(at: lower)
        segments.split(at: upper)
        // By address, not by index: copies of pinned pages cut segments.
        var cursor = lower
        while true {
            let i = segments.firstIndex(endingAfter: cursor)
            guard i < segments.count, segments.lowers[i] < upper else { break }
            var segment = segments.values[i]
            let from = segments.lowers[i]
            let to = segments.uppers[i]
            cursor = to
            if segment.isFilePage && to > limit { continue }
            if let offset = segment.memoryOffset {
                if segment.isWritable && isPinnedForWriting(offset, to - from) {
                    try copyPinned(from, to, offset, area, into: &child)
                    continue
                }
                memoryFile.retain(offset, to - from)
            }
            if segment.isWritable {
                let before = segment.hostProtection
                segment.isWritable = false
                segments.setValue(segment, at: i)
                if segment.isMapped && before != segment.hostProtection { queueProtect(from, to, segment.hostProtection) }
            }
            segment.isMapped = area.isAccessible
            child.segments.insert(from, to, segment)
            if segment.isMapped { child.queueMap(from, to, segment.source, segment.hostProtection, populate: false) }
        }
    }

    /// Host I/O is writing to these pages: were they shared, its result could be lost to a copy. The child gets copies of them
    /// and the parent keeps its own.
    private mutating func copyPinned(
        _ from: UInt64, _ to: UInt64, _ offset: UInt64, _ area: Area, into child: inout AddressSpaceState
    ) throws(Errno) {
        // A segment may be large and the pins small: only the hull of the pins is copied now.
        var low = to
        var high = from
        for pin in pins where pin.isWrite {
            let start = max(pin.range.offset, offset)
            let end = min(pin.range.offset + pin.range.length, offset + (to - from))
            guard start < end else { continue }
            low = min(low, from + Page.down(start - offset))
            high = max(high, from + (Page.up(end - offset) ?? 0))
        }
        high = min(high, to)
        let memory = try memoryFile.allocate(high - low)
        memoryFile.copy(from: offset + (low - from), to: memory, high - low)
        child.insertAnonymous(low, high, memory, area, populate: false)
        // The parts beside the pins are shared as usual, in both.
        for (first, last) in [(from, low), (high, to)] where first < last {
            memoryFile.retain(offset + (first - from), last - first)
            for i in segments.isolate(first, last) {
                var segment = segments.values[i]
                let before = segment.hostProtection
                segment.isWritable = false
                segments.setValue(segment, at: i)
                if segment.isMapped && before != segment.hostProtection { queueProtect(first, last, segment.hostProtection) }
                segment.isMapped = area.isAccessible
                child.segments.insert(first, last, segment)
                if segment.isMapped { child.queueMap(first, last, segment.source, segment.hostProtection, populate: false) }
            }
        }
    }
}
