import HostOS
import LinuxABI
import Platform

/// Why an access can't be made.
enum AccessFailure: Error {
    /// No area: SEGV_MAPERR.
    case notMapped
    /// The area forbids it: SEGV_ACCERR.
    case forbidden
    /// Past the end of the file, or the file failed: BUS_ADRERR.
    case noPage
}

/// Faults of guest code, and the same work done ahead of user copy.
extension AddressSpaceState {
    // MARK: guest faults

    mutating func resolve(_ fault: Fault) -> AddressSpace.FaultOutcome {
        // Alignment checks are about the access, not the page.
        if fault.info.signo == Signal.SIGBUS.rawValue && fault.info.code == SignalInfo.BUS_ADRALN { return .signal(fault.info) }
        do throws(AccessFailure) {
            if try resolveAccess(fault) { return .resolved }
            // Everything was in place and the fault came again: the access itself is what the host refuses.
            if fault.info.signo == Signal.SIGBUS.rawValue { throw .noPage }
            throw .forbidden
        } catch {
            return .signal(Self.signal(error, fault.address))
        }
    }

    static func signal(_ failure: AccessFailure, _ address: GuestAddress) -> SignalInfo {
        var info =
            switch failure {
            case .notMapped: SignalInfo(.SIGSEGV, code: SignalInfo.SEGV_MAPERR)
            case .forbidden: SignalInfo(.SIGSEGV, code: SignalInfo.SEGV_ACCERR)
            case .noPage: SignalInfo(.SIGBUS, code: SignalInfo.BUS_ADRERR)
            }
        info.address = address
        return info
    }

    /// False when the guest had all it needs and faulted nevertheless.
    private mutating func resolveAccess(_ fault: Fault) throws(AccessFailure) -> Bool {
        let address = fault.address.rawValue
        let page = Page.down(address)
        guard address < Self.maximum else {
            // The vDSO may lie above: the platform maps it, so the fault is a forbidden access.
            if areas.index(containing: address) != nil { throw .forbidden }
            throw .notMapped
        }
        let area = try areaForFault(address)
        switch fault.access {
        case .read, .unknown: guard area.isAccessible else { throw .forbidden }
        case .write: guard area.isWritable else { throw .forbidden }
        case .execute: guard area.protection.contains(.execute) else { throw .forbidden }
        }
        guard !area.isSpecial else { throw .forbidden }
        let isHostBus = fault.info.signo == Signal.SIGBUS.rawValue
        if let i = segments.index(containing: page) {
            let segment = segments.values[i]
            if isHostBus && segment.isFilePage {
                // The host cut its file, or gave memory to nobody: ask what is there now.
                try replaceAfterBus(page, fault.access == .write)
                return try retry(page)
            }
            if !segment.isMapped {
                try mapSegment(i)
                return true
            }
            let mayBeWrite = fault.access == .write || (fault.access == .unknown && area.isWritable)
            if mayBeWrite && !segment.isWritable {
                _ = try breakForWriting(page, wanted: 0)
                return true
            }
            return try retry(page)
        }
        _ = try ensure(page, writing: fault.access == .write)
        return true
    }

    /// Everything is as it should be: another thread resolved the fault first, or the host lost a mapping. Maps again once per thread
    /// and page; a second fault without any change in between is the guest's.
    private mutating func retry(_ page: UInt64) throws(AccessFailure) -> Bool {
        let thread = HostThread.currentID
        if let i = retries.firstIndex(where: { $0.page == page && $0.thread == thread }) {
            retries.remove(at: i)
            return false
        }
        guard let i = segments.index(containing: page) else { return true }
        let segment = segments.values[i]
        let protection = segment.hostProtection
        guard !protection.isEmpty else { return false }
        queueMap(
            page, page + Page.size, segment.source.advanced(by: page - segments.lowers[i]), protection, populate: false)
        // This is no change: other threads' records for the page stay.
        var records: [Retry] = []
        swap(&records, &retries)
        defer { retries = records }
        try flushAccess()
        if records.count >= 64 { records.removeFirst() }
        records.append(Retry(page: page, thread: thread))
        return true
    }

    private mutating func mapSegment(_ index: Int) throws(AccessFailure) {
        var segment = segments.values[index]
        let lower = segments.lowers[index]
        let upper = segments.uppers[index]
        queueMap(lower, upper, segment.source, segment.hostProtection, populate: false)
        try flushAccess()
        segment.isMapped = true
        segments.setValue(segment, at: index)
        segments.join(lower, upper)
        segmentsChanged()
    }

    private mutating func replaceAfterBus(_ page: UInt64, _ writing: Bool) throws(AccessFailure) {
        dropSegments(page, page + Page.size)
        try flushAccess()
        _ = try ensure(page, writing: writing)
    }

    /// `flush` for faults. A refusal of the host (its map count) leaves the guest without the page.
    mutating func flushAccess() throws(AccessFailure) {
        do throws(Errno) { try flush() } catch { throw .noPage }
    }

    // MARK: areas and stacks

    /// The area at `address`, after growing a stack down to it.
    mutating func areaForFault(_ address: UInt64) throws(AccessFailure) -> Area {
        let i = areas.firstIndex(endingAfter: address)
        guard i < areas.count else { throw .notMapped }
        if areas.lowers[i] <= address { return areas.values[i] }
        guard areas.values[i].flags.contains(.growsDown) else { throw .notMapped }
        try growStack(i, to: Page.down(address))
        return areas.values[i]
    }

    /// Linux's expand_downwards, in steps of 128 KiB (what execve gives a new stack) where limits and neighbours allow.
    private mutating func growStack(_ index: Int, to page: UInt64) throws(AccessFailure) {
        let area = areas.values[index]
        let lower = areas.lowers[index]
        let upper = areas.uppers[index]
        var floor = minimum
        if index > 0 {
            let below = areas.values[index - 1]
            // An inaccessible neighbour or another stack may be adjacent.
            let gap = below.isAccessible && !below.flags.contains(.growsDown) ? Self.stackGuardGap : 0
            floor = max(floor, areas.uppers[index - 1] + gap)
        }
        if limits.stack < upper { floor = max(floor, Page.up(upper - limits.stack) ?? upper) }
        guard page >= floor else { throw .notMapped }
        let start = max(floor, min(page, lower - min(lower, 128 << 10)))
        let growth = lower - start
        guard virtualBytes &+ growth <= limits.addressSpace else { throw .notMapped }
        if area.flags.contains(.locked) && !mayLock(growth) { throw .notMapped }
        account(area, growth, adding: true)
        areas.setLower(start, at: index)
        do throws(Errno) {
            try populate(start, lower, area, commit: false)
        } catch {
            throw .noPage
        }
        try flushAccess()
    }

    // MARK: making a page accessible

    /// Makes the page at `address` accessible as the guest itself could, and returns the index of its segment.
    /// - Parameter wanted: bytes that the caller is about to write from there, to size copies by.
    mutating func ensure(_ address: UInt64, writing: Bool, wanted: UInt64 = 0) throws(AccessFailure) -> Int {
        guard address < Self.maximum else { throw .notMapped }
        if let i = segments.index(containing: address) {
            let segment = segments.values[i]
            guard writing ? segment.protection.contains(.write) : segment.isReadable else { throw .forbidden }
            if !writing || segment.isWritable { return i }
            return try breakForWriting(Page.down(address), wanted: wanted)
        }
        let area = try areaForFault(address)
        guard writing ? area.isWritable : area.isAccessible, !area.isSpecial else { throw .forbidden }
        // Growing a stack gave it memory.
        if segments.index(containing: address) == nil {
            try populateFault(Page.down(address), writing: writing, wanted: wanted)
        }
        guard let i = segments.index(containing: address) else { throw .noPage }
        if writing && !segments.values[i].isWritable { return try breakForWriting(Page.down(address), wanted: wanted) }
        return i
    }

    /// As `ensure`, for a debugger: protection does not count, but a shared mapping stays as its file has it (FOLL_FORCE in the kernel).
    mutating func force(_ address: UInt64, writing: Bool) throws(AccessFailure) -> Int {
        let page = Page.down(address)
        guard address < Self.maximum, let (_, _, area) = area(containing: page) else { throw .notMapped }
        guard !area.isSpecial else { throw .forbidden }
        if writing && !area.isWritable {
            guard !area.isShared, area.flags.contains(.mayWrite) else { throw .forbidden }
        }
        if segments.index(containing: page) == nil { try populateFault(page, writing: writing, wanted: 0) }
        guard let i = segments.index(containing: page) else { throw .noPage }
        return try writing && !segments.values[i].isWritable ? breakForWriting(page, wanted: 0) : i
    }

    /// The aligned chunk around `page` to resolve at once, within `[lower, upper)`: larger when faults follow each other, when the
    /// caller wants more, or when there are very many segments.
    private mutating func chunk(_ page: UInt64, _ lower: UInt64, _ upper: UInt64, wanted: UInt64) -> (lower: UInt64, upper: UInt64) {
        if page == lastFaultEnd {
            faultWindow = min(faultWindow * 2, Self.largestFaultChunk)
        } else {
            faultWindow = Self.faultChunk
        }
        var size = faultWindow
        while size < wanted && size < Self.largestFaultChunk { size *= 2 }
        if segments.count > 16384 { size = max(size, segments.count > 32768 ? 4 << 20 : 1 << 20) }
        let first = max(lower, page & ~(size - 1))
        let aligned = page & ~(size - 1)
        let last = min(upper, aligned + size)
        lastFaultEnd = last
        return (first, last)
    }

    /// Backing for a page without segment.
    private mutating func populateFault(_ page: UInt64, writing: Bool, wanted: UInt64) throws(AccessFailure) {
        guard let (areaLower, areaUpper, area) = area(containing: page) else { throw .notMapped }
        let i = segments.firstIndex(endingAfter: page)
        let gapLower = i > 0 ? max(areaLower, segments.uppers[i - 1]) : areaLower
        let gapUpper = i < segments.count ? min(areaUpper, segments.lowers[i]) : areaUpper
        guard let mapping = area.mapping else {
            let size = max(wanted, Self.largestFaultChunk)
            let (lower, upper) = chunk(page, gapLower, gapUpper, wanted: size)
            do throws(Errno) {
                let memory = try allocate(lower, upper)
                insertAnonymous(lower, upper, memory.offset, area, populate: false)
            } catch { throw .noPage }
            return try finishFault(lower, upper)
        }
        let (lower, upper) = chunk(page, gapLower, gapUpper, wanted: wanted)
        let fileOffset = area.offset &+ (page - areaLower)
        if !area.isShared && writing {
            // Straight to a private copy.
            do throws(Errno) {
                let memory = try allocate(page, upper)
                let covered = copyBacking(mapping, fileOffset, upper - page, to: memory.offset)
                memoryFile.release(memory.offset + covered, upper - page - covered)
                if covered == 0 { throw .EIO }
                insertAnonymous(page, page + covered, memory.offset, area, populate: false)
            } catch { throw .noPage }
            return try finishFault(page, upper)
        }
        try populateFileFault(page, lower, upper, area, areaLower, mapping)
        try finishFault(lower, upper)
    }

    private mutating func populateFileFault(
        _ page: UInt64, _ lower: UInt64, _ upper: UInt64, _ area: Area, _ areaLower: UInt64, _ mapping: FileMapping
    ) throws(AccessFailure) {
        var start = area
        start.offset = area.offset &+ (lower - areaLower)
        let pageOffset = area.offset &+ (page - areaLower)
        if area.isShared && area.isWritable {
            // Holes of the chunk are filled along with the page; at the end of the file only what is there.
            if !insertForWriting(lower, upper, start, mapping, start.offset), segments.index(containing: page) == nil,
                !insertForWriting(page, page + Page.size, area, mapping, pageOffset)
            {
                throw .noPage
            }
            return
        }
        guard let pieces = try? mapping.mappable.backing(offset: pageOffset, length: upper - page, forWriting: false),
            let first = pieces.first
        else { throw .noPage }
        switch first {
        case .memoryFile, .hostFile: insertPiece(first, page, upper - page, area, isWritable: false)
        case .beyondEnd: throw .noPage
        case .hole(let length):
            // A hole that is read: fill it, so that the mapping shows what is written to the file later. A file that cannot (sealed)
            // gets private zeroes behind a private mapping.
            let end = page + max(Page.size, min(length, upper - page))
            let filled = try? mapping.mappable.backing(offset: pageOffset, length: end - page, forWriting: true)
            if let piece = filled?.first, insertPiece(piece, page, end - page, area, isWritable: false) != 0 {
                filled?.dropFirst().forEach(discard)
            } else {
                filled?.forEach(discard)
                guard !area.isShared else { throw .noPage }
                do throws(Errno) {
                    let memory = try allocate(page, end)
                    insertAnonymous(page, end, memory.offset, area, populate: false)
                } catch { throw .noPage }
            }
        }
        pieces.dropFirst().forEach(discard)
    }

    /// Flushes the mapping of fresh segments in `[lower, upper)`; without it they stay known but unmapped.
    private mutating func finishFault(_ lower: UInt64, _ upper: UInt64) throws(AccessFailure) {
        do throws(AccessFailure) { try flushAccess() } catch {
            unmark(lower, upper)
            throw error
        }
    }

    private mutating func unmark(_ lower: UInt64, _ upper: UInt64) {
        for i in segments.isolate(lower, upper) {
            var segment = segments.values[i]
            segment.isMapped = false
            segments.setValue(segment, at: i)
        }
        segmentsChanged()
    }

    // MARK: stores to what is not writable yet

    /// Copy-on-write (private), or asking the file (shared), for the page. Returns the index of its new segment.
    mutating func breakForWriting(_ page: UInt64, wanted: UInt64) throws(AccessFailure) -> Int {
        guard let (areaLower, areaUpper, area) = area(containing: page) else { throw .notMapped }
        // A segment may go on in the neighbouring areas, which are none of this store's business.
        segments.split(at: areaLower)
        segments.split(at: areaUpper)
        guard let index = segments.index(containing: page) else { throw .noPage }
        let lower = segments.lowers[index]
        let upper = segments.uppers[index]
        let segment = segments.values[index]
        if area.isShared {
            guard let mapping = area.mapping else { throw .forbidden }
            let (from, to) = chunk(page, lower, upper, wanted: wanted)
            try upgradeShared(page, from, to, area, area.offset &+ (page - areaLower), mapping, areaLower)
        } else if let offset = segment.memoryOffset,
            let sole = memoryFile.soleExtent(offset + (page - lower), within: offset, offset + (upper - lower))
        {
            // Nobody else has these pages any more: no copy.
            try takeOver(lower + (sole.lower - offset), lower + (sole.upper - offset), segment.isMapped)
        } else {
            let (from, to) = chunk(page, lower, upper, wanted: wanted)
            try copyPrivate(from, to, lower, segment, area)
        }
        guard let i = segments.index(containing: page), segments.values[i].isWritable else { throw .noPage }
        return i
    }

    private mutating func takeOver(_ lower: UInt64, _ upper: UInt64, _ isMapped: Bool) throws(AccessFailure) {
        for i in segments.isolate(lower, upper) {
            var segment = segments.values[i]
            segment.isWritable = true
            segment.isFilePage = false
            segments.setValue(segment, at: i)
            if isMapped { queueProtect(segments.lowers[i], segments.uppers[i], segment.hostProtection) }
        }
        segments.join(lower, upper)
        segmentsChanged()
        try finishFault(lower, upper)
    }

    private mutating func copyPrivate(
        _ from: UInt64, _ to: UInt64, _ lower: UInt64, _ segment: Segment, _ area: Area
    ) throws(AccessFailure) {
        let memory: UInt64
        do throws(Errno) { memory = try allocate(from, to).offset } catch { throw .noPage }
        switch segment.source {
        case .memoryFile(let offset): memoryFile.copy(from: offset + (from - lower), to: memory, to - from)
        case .hostFile(let file, let offset):
            guard readHost(file, offset + (from - lower), to - from, to: memory) else {
                memoryFile.release(memory, to - from)
                throw .noPage
            }
        }
        // The new mapping replaces the old one.
        dropSegments(from, to, unmapping: false)
        insertAnonymous(from, to, memory, area, populate: true)
        try finishFault(from, to)
    }

    private mutating func upgradeShared(
        _ page: UInt64, _ from: UInt64, _ to: UInt64, _ area: Area, _ pageOffset: UInt64, _ mapping: FileMapping, _ areaLower: UInt64
    ) throws(AccessFailure) {
        dropSegments(from, to, unmapping: false)
        var start = area
        start.offset = area.offset &+ (from - areaLower)
        if !insertForWriting(from, to, start, mapping, start.offset), segments.index(containing: page) == nil {
            insertForWriting(page, page + Page.size, area, mapping, pageOffset)
        }
        // What the file did not give must not stay mapped.
        var cursor = from
        while let gap = gap(from: cursor, to: to) {
            queueUnmap(gap.lower, gap.upper)
            cursor = gap.upper
        }
        try finishFault(from, to)
    }
}
