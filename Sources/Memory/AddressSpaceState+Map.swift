import LinuxABI
import Platform

/// mmap(2).
extension AddressSpaceState {
    /// A request after the checks that need no lock.
    struct CheckedRequest {
        var address: UInt64
        /// Whole pages, not zero.
        var length: UInt64
        var protection: Protection
        var flags: MapFlags
        var isShared: Bool
        var isFixed: Bool
        var offset: UInt64
    }

    static func check(_ request: AddressSpace.MapRequest, lowest: UInt64) throws(Errno) -> CheckedRequest {
        guard request.offset & (Page.size - 1) == 0 else { throw .EINVAL }
        guard request.length != 0 else { throw .EINVAL }
        guard let length = Page.up(request.length), length != 0 else { throw .ENOMEM }
        let isAnonymous = request.file == nil
        if !isAnonymous {
            let (end, overflow) = request.offset.addingReportingOverflow(length)
            // MAX_LFS_FILESIZE
            if overflow || end > UInt64(Int64.max) { throw .EOVERFLOW }
        }
        let isFixed = !request.flags.isDisjoint(with: [.fixed, .fixedNoReplace])
        let address = request.address.rawValue
        guard length <= maximum else { throw .ENOMEM }
        if isFixed {
            guard address <= maximum - length else { throw .ENOMEM }
            guard address & (Page.size - 1) == 0 else { throw .EINVAL }
            guard address >= lowest else { throw .EPERM }
        }
        let type = request.flags.rawValue & MapFlags.typeMask
        let isShared: Bool
        switch type {
        case 1: isShared = true
        case 2: isShared = false
        case 3 where !isAnonymous:
            guard request.flags.isSubset(of: .known) else { throw .EOPNOTSUPP }
            isShared = true
        default: throw .EINVAL
        }
        if request.flags.contains(.growsDown) && (isShared || !isAnonymous) { throw .EINVAL }
        if request.flags.contains(.hugeTLB) {
            // A host without reserved huge pages: known sizes cannot be had, others do not exist.
            guard isAnonymous else { throw .EINVAL }
            let size = (request.flags.rawValue >> 26) & 0x3f
            throw size == 0 || size == 21 || size == 30 ? .ENOMEM : .EINVAL
        }
        if let file = request.file {
            if isShared && request.protection.contains(.write) && !file.allowsSharedWrite { throw .EACCES }
            if request.protection.contains(.execute) && !file.allowsExecute { throw .EPERM }
        }
        return CheckedRequest(
            address: address, length: length, protection: request.protection.intersection(Area.accessMask), flags: request.flags,
            isShared: isShared, isFixed: isFixed, offset: isAnonymous ? 0 : request.offset)
    }

    mutating func map(_ request: CheckedRequest, _ mapping: FileMapping?) throws(Errno) -> UInt64 {
        guard areas.count < Self.maximumAreas else { throw .ENOMEM }
        let length = request.length
        let lower: UInt64
        if request.isFixed {
            lower = request.address
        } else {
            lower = try findAddress(length, hint: request.address, below4G: request.flags.contains(.low32Bit))
        }
        let upper = lower + length
        if request.flags.contains(.fixedNoReplace) && !areas.isEmpty(in: lower, upper) { throw .EEXIST }

        var area = Area(protection: request.protection, flags: futureLock, mapping: mapping, offset: request.offset)
        if request.isShared { area.flags.insert(.shared) }
        if request.flags.contains(.growsDown) { area.flags.insert(.growsDown) }
        if request.flags.contains(.noReserve) { area.flags.insert(.noReserve) }
        if request.flags.contains(.locked) {
            guard mayLockAtAll else { throw .EPERM }
            area.flags.insert(.locked)
        }
        if !request.isShared || mapping?.file?.allowsSharedWrite ?? true { area.flags.insert(.mayWrite) }
        if mapping?.file?.allowsExecute ?? true { area.flags.insert(.mayExecute) }
        if area.flags.contains(.locked) && !mayLock(length) { throw .EAGAIN }

        var replaced: UInt64 = 0
        if request.isFixed {
            for i in areas.indices(overlapping: lower, upper) {
                replaced += min(upper, areas.uppers[i]) - max(lower, areas.lowers[i])
            }
            try checkUnsealed(lower, upper)
        }
        // Memory of shared objects counts when the object is made.
        let isAccountable =
            !area.flags.contains(.noReserve) && (mapping == nil ? area.isWritable : request.isShared && mapping?.file == nil)
        try checkRoom(length - replaced, isData: isData(area), isAccountable: isAccountable)

        if replaced != 0 {
            dropSegments(lower, upper)
            removeAreas(lower, upper)
        }
        insertArea(lower, upper, area)
        if area.flags.contains(.growsDown) && stackAddress == nil { stackAddress = upper - 1 }
        do throws(Errno) {
            let isNow = request.flags.contains(.populate) && !request.flags.contains(.nonBlock)
            let lockNow = area.flags.contains(.locked) && !area.flags.contains(.lockedOnFault)
            try populate(lower, upper, area, commit: isNow || lockNow)
            try flush()
        } catch {
            undoMap(lower, upper)
            throw .ENOMEM
        }
        return lower
    }

    /// Takes a range back whose host mappings may be partly there.
    mutating func undoMap(_ lower: UInt64, _ upper: UInt64) {
        changes.removeAll(keepingCapacity: true)
        dropSegments(lower, upper, unmapping: false)
        removeAreas(lower, upper)
        queueUnmap(lower, upper)
        // Refused: the memory was kept as stranded, and the guest has no area there.
        try? flush()
    }

    // MARK: munmap(2)

    static func checkUnmap(_ address: UInt64, _ length: UInt64) throws(Errno) -> UInt64 {
        guard address & (Page.size - 1) == 0, address <= maximum, length <= maximum - address, length != 0 else { throw .EINVAL }
        guard let rounded = Page.up(length), rounded <= maximum - address else { throw .EINVAL }
        return rounded
    }

    mutating func unmap(_ lower: UInt64, _ upper: UInt64) throws(Errno) {
        let range = areas.indices(overlapping: lower, upper)
        guard !range.isEmpty else { return }
        try checkUnsealed(lower, upper)
        // Cutting a hole into one area makes one more.
        if range.count == 1 && areas.lowers[range.lowerBound] < lower && areas.uppers[range.lowerBound] > upper
            && areas.count >= Self.maximumAreas
        {
            throw .ENOMEM
        }
        dropSegments(lower, upper)
        do throws(Errno) {
            try flush()
        } catch {
            // The host would not cut its mapping. Take the whole run away from the stub; what remains comes back on fault.
            recover(lower, upper)
        }
        removeAreas(lower, upper)
    }

    /// After a refused change: unmaps all host mappings of the areas around `[lower, upper)`, which needs no cut, and marks their
    /// segments as unmapped.
    mutating func recover(_ lower: UInt64, _ upper: UInt64) {
        var first = lower
        var last = upper
        for i in segments.indices(overlapping: lower > 0 ? lower - 1 : 0, upper &+ 1) {
            first = min(first, segments.lowers[i])
            last = max(last, segments.uppers[i])
        }
        for i in segments.isolate(first, last) {
            var segment = segments.values[i]
            segment.isMapped = false
            segments.setValue(segment, at: i)
        }
        segmentsChanged()
        changes.removeAll(keepingCapacity: true)
        queueUnmap(first, last)
        try? flush()
    }

    // MARK: mprotect(2)

    mutating func protect(_ start: UInt64, _ length: UInt64, _ protection: Protection) throws(Errno) {
        let grows = protection.intersection([.growsDown, .growsUp])
        guard grows != [.growsDown, .growsUp] else { throw .EINVAL }
        guard start & (Page.size - 1) == 0 else { throw .EINVAL }
        guard length != 0 else { return }
        guard let rounded = Page.up(length), case (let upper, false) = start.addingReportingOverflow(rounded), upper > start else {
            throw .ENOMEM
        }
        // PROT_SEM is 8; it means nothing on x86.
        guard protection.subtracting([.growsDown, .growsUp]).rawValue & ~0xf == 0 else { throw .EINVAL }
        var lower = start
        let first = areas.firstIndex(endingAfter: start)
        guard first < areas.count else { throw .ENOMEM }
        if grows == .growsDown {
            guard areas.lowers[first] < upper else { throw .ENOMEM }
            guard areas.values[first].flags.contains(.growsDown) else { throw .EINVAL }
            lower = areas.lowers[first]
        } else {
            guard areas.lowers[first] <= start else { throw .ENOMEM }
            // VM_GROWSUP areas do not exist on x86.
            if grows == .growsUp { throw .EINVAL }
        }
        try checkUnsealed(lower, upper)
        let wanted = protection.intersection(Area.accessMask)
        // Areas before the failing one keep the new protection, as on Linux.
        var failure: Errno?
        var cursor = lower
        while cursor < upper {
            guard let i = areas.index(containing: cursor) else {
                failure = .ENOMEM
                break
            }
            let end = min(areas.uppers[i], upper)
            do throws(Errno) { try protectOne(cursor, end, i, wanted) } catch {
                failure = error
                break
            }
            cursor = end
        }
        areas.join(lower, min(cursor, upper))
        segments.join(lower, min(cursor, upper))
        do throws(Errno) { try flush() } catch {
            recover(lower, min(cursor, upper))
        }
        if let failure { throw failure }
    }

    /// Part `[lower, upper)` of the area at `index`.
    private mutating func protectOne(_ lower: UInt64, _ upper: UInt64, _ index: Int, _ protection: Protection) throws(Errno) {
        let old = areas.values[index]
        if protection.contains(.write) && !old.flags.contains(.mayWrite) { throw .EACCES }
        if protection.contains(.execute) && !old.flags.contains(.mayExecute) { throw .EACCES }
        guard old.protection != protection else { return }
        let cuts = (areas.lowers[index] < lower ? 1 : 0) + (areas.uppers[index] > upper ? 1 : 0)
        guard areas.count + cuts <= Self.maximumAreas else { throw .ENOMEM }
        var probe = old
        probe.protection = protection
        if isData(probe) && !isData(old) {
            let (data, overflow) = dataBytes.addingReportingOverflow(upper - lower)
            if overflow || data > limits.data { throw .ENOMEM }
            if !old.flags.contains(.noReserve) && old.mapping == nil && upper - lower > memoryFile.totalBytes { throw .ENOMEM }
        }
        var piece = old
        for i in areas.isolate(lower, upper) {
            piece = areas.values[i]
            piece.protection = protection
            setArea(piece, at: i)
        }
        setSegmentProtection(lower, upper, protection)
        try populate(lower, upper, piece, commit: piece.flags.contains(.locked) && !piece.flags.contains(.lockedOnFault))
    }

    /// Gives the segments of a range their area's new protection and queues what the host needs for it.
    private mutating func setSegmentProtection(_ lower: UInt64, _ upper: UInt64, _ protection: Protection) {
        let range = segments.isolate(lower, upper)
        guard !range.isEmpty else { return }
        for i in range {
            var segment = segments.values[i]
            let before = segment.hostProtection
            segment.protection = protection
            let after = segment.hostProtection
            if segment.isMapped {
                if before != after { queueProtect(segments.lowers[i], segments.uppers[i], after) }
            } else if !after.isEmpty {
                segment.isMapped = true
                queueMap(segments.lowers[i], segments.uppers[i], segment.source, after, populate: false)
            }
            segments.setValue(segment, at: i)
        }
        segmentsChanged()
    }
}
