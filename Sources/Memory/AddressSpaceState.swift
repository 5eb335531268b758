import HostOS
import LinuxABI
import Platform

/// Everything an address space's lock guards. Methods that change host mappings queue changes and end with `flush`, one round trip
/// for all; memory-file ranges that fell out of use are released only after the stub has let go of them.
struct AddressSpaceState: Sendable {
    let platformSpace: any PlatformAddressSpace
    let memoryFile: MemoryFile
    /// First address that may be mapped.
    let minimum: UInt64

    var areas = RangeMap<Area>()
    var segments = RangeMap<Segment>()

    // Host changes not made yet, and memory that may go once they are.
    var changes: [MappingChange] = []
    var dropped: [MemoryRange] = []
    /// Memory that the stub may still have mapped because the host refused a change; released with the address space.
    var stranded: [MemoryRange] = []
    /// Mappings without areas, dropped after the lock: a file's last reference does work of its own.
    var garbage: [FileMapping] = []

    // Memory in use by host I/O without the lock.
    var pins: [Pin] = []
    var nextPin: UInt64 = 0
    var quarantine: [(range: MemoryRange, before: UInt64)] = []

    var layout: AddressLayout
    var limits: MemoryLimits
    var breakStart: UInt64 = 0
    var breakEnd: UInt64 = 0
    /// Memory reserved to follow the heap, so that a growing heap stays one run. `offset` continues the heap's last page.
    var heapReserve = MemoryRange(offset: 0, length: 0)
    var stackAddress: UInt64?
    /// Places where the platform changed program text, and what was there.
    var patches: [UInt64: TextPatch] = [:]
    /// NUMA policies that threads set, by thread id.
    var policies: [Int32: MemoryPolicy] = [:]
    /// mlockall(MCL_FUTURE): flags for new areas.
    var futureLock: Area.Flags = []

    // Totals in bytes.
    var virtualBytes: UInt64 = 0
    var peakBytes: UInt64 = 0
    var dataBytes: UInt64 = 0
    var lockedBytes: UInt64 = 0
    var peakResident: UInt64 = 0

    /// No gap of `searchLength` bytes or more lies between `searchStart` and the mmap base.
    var searchStart: UInt64
    var searchLength: UInt64 = 0

    /// The segment that user copy found last; empty after any change of segments.
    var cached = CachedRun()

    // Fault heuristics.
    var lastFaultEnd: UInt64 = 0
    var faultWindow: UInt64 = Self.faultChunk
    var retries: [Retry] = []
    var isDestroyed = false

    /// Linux's sysctl_max_map_count.
    static let maximumAreas = 65530
    /// Linux's stack_guard_gap: 256 pages.
    static let stackGuardGap: UInt64 = 256 << Page.shift
    /// Copy-on-write and file faults are resolved in aligned chunks of this size at least.
    static let faultChunk: UInt64 = 64 << 10
    static let largestFaultChunk: UInt64 = 2 << 20
    /// Writable parts of private file mappings up to this size are copied when mapped.
    static let eagerCopyLimit: UInt64 = 256 << 10
    /// Larger anonymous areas get memory on fault only, so that a few huge reservations do not use the memory file up.
    static let eagerAnonymousLimit: UInt64 = 64 << 30
    static let heapReserveSize: UInt64 = 64 << 20

    /// A run of memory that host I/O uses.
    struct Pin: Sendable {
        var id: UInt64
        var range: MemoryRange
        var isWrite: Bool
    }

    struct CachedRun: Sendable {
        var lower: UInt64 = 0
        var upper: UInt64 = 0
        var offset: UInt64 = 0
        var isWritable = false
    }

    /// A fault for which everything was in place: the mapping was made again once for this thread.
    struct Retry: Sendable {
        var page: UInt64
        var thread: Int32
    }

    init(
        platformSpace: any PlatformAddressSpace, vdso: VDSOPlacement?, memoryFile: MemoryFile, limits: MemoryLimits, lowest: GuestAddress
    ) {
        self.platformSpace = platformSpace
        self.memoryFile = memoryFile
        self.limits = limits
        minimum = lowest.rawValue
        layout = .random(
            vdso: vdso.map { GuestRange(start: min($0.data.start, $0.code.start), end: max($0.data.end, $0.code.end)) },
            stackLimit: limits.stack)
        searchStart = layout.mmapBase.rawValue
        if let vdso {
            if !vdso.data.isEmpty {
                let area = Area(protection: .read, flags: [.vdsoData, .sealed, .dontDump], mapping: nil, offset: 0)
                insertArea(vdso.data.start.rawValue, vdso.data.end.rawValue, area)
            }
            if !vdso.code.isEmpty {
                let area = Area(protection: [.read, .execute], flags: [.vdsoCode, .sealed, .mayExecute], mapping: nil, offset: 0)
                insertArea(vdso.code.start.rawValue, vdso.code.end.rawValue, area)
            }
        }
    }

    // MARK: areas, with the totals kept

    mutating func insertArea(_ lower: UInt64, _ upper: UInt64, _ area: Area) {
        account(area, upper - lower, adding: true)
        areas.insert(lower, upper, area)
    }

    mutating func account(_ area: Area, _ length: UInt64, adding: Bool) {
        func change(_ total: inout UInt64) { total = adding ? total &+ length : total &- length }
        change(&virtualBytes)
        peakBytes = max(peakBytes, virtualBytes)
        if isData(area) { change(&dataBytes) }
        if area.flags.contains(.locked) { change(&lockedBytes) }
    }

    /// What RLIMIT_DATA counts: private, writable, no stack (Linux's is_data_mapping).
    func isData(_ area: Area) -> Bool {
        area.isWritable && !area.isShared && !area.flags.contains(.growsDown)
    }

    /// Takes areas out of `[lower, upper)`, leaving segments alone.
    mutating func removeAreas(_ lower: UInt64, _ upper: UInt64) {
        let range = areas.isolate(lower, upper)
        for i in range {
            let area = areas.values[i]
            account(area, areas.uppers[i] - areas.lowers[i], adding: false)
            if let mapping = area.mapping { garbage.append(mapping) }
        }
        areas.removeSubrange(range)
        if upper > searchStart { resetSearch() }
    }

    mutating func resetSearch() {
        searchStart = layout.mmapBase.rawValue
        searchLength = 0
    }

    /// Replaces the area at `index`, keeping totals.
    mutating func setArea(_ area: Area, at index: Int) {
        let length = areas.uppers[index] - areas.lowers[index]
        account(areas.values[index], length, adding: false)
        account(area, length, adding: true)
        areas.setValue(area, at: index)
    }

    /// - Throws: EPERM when a sealed area overlaps (mseal(2), and the vDSO).
    func checkUnsealed(_ lower: UInt64, _ upper: UInt64) throws(Errno) {
        for i in areas.indices(overlapping: lower, upper) where areas.values[i].flags.contains(.sealed) { throw .EPERM }
    }

    /// The area and where it starts.
    func area(containing address: UInt64) -> (lower: UInt64, upper: UInt64, area: Area)? {
        guard let i = areas.index(containing: address) else { return nil }
        return (areas.lowers[i], areas.uppers[i], areas.values[i])
    }

    // MARK: host changes

    mutating func segmentsChanged() { cached = CachedRun() }

    /// Queues the host mapping of `[lower, upper)`.
    mutating func queueMap(_ lower: UInt64, _ upper: UInt64, _ source: MappingSource, _ protection: Protection, populate: Bool) {
        if case .map(let range, let before, let previous, let populated)? = changes.last, range.end.rawValue == lower,
            before == protection, populated == populate, previous.isContinued(by: source, after: range.length)
        {
            changes[changes.count - 1] = .map(
                GuestRange(start: range.start, end: GuestAddress(upper)), protection, previous, populate: populate)
        } else {
            changes.append(
                .map(GuestRange(start: GuestAddress(lower), end: GuestAddress(upper)), protection, source, populate: populate))
        }
    }

    mutating func queueProtect(_ lower: UInt64, _ upper: UInt64, _ protection: Protection) {
        if case .protect(let range, let before)? = changes.last, range.end.rawValue == lower, before == protection {
            changes[changes.count - 1] = .protect(GuestRange(start: range.start, end: GuestAddress(upper)), protection)
        } else {
            changes.append(.protect(GuestRange(start: GuestAddress(lower), end: GuestAddress(upper)), protection))
        }
    }

    mutating func queueUnmap(_ lower: UInt64, _ upper: UInt64) {
        changes.append(.unmap(GuestRange(start: GuestAddress(lower), end: GuestAddress(upper))))
    }

    /// Takes the segments out of `[lower, upper)`: queues their unmapping (unless a later change of the batch replaces them) and
    /// lets their memory go after it.
    mutating func dropSegments(_ lower: UInt64, _ upper: UInt64, unmapping: Bool = true) {
        let range = segments.isolate(lower, upper)
        guard !range.isEmpty else { return }
        var anyMapped = false
        for i in range {
            if segments.values[i].isMapped { anyMapped = true }
            if let offset = segments.values[i].memoryOffset {
                dropped.append(MemoryRange(offset: offset, length: segments.uppers[i] - segments.lowers[i]))
            }
        }
        if anyMapped && unmapping {
            queueUnmap(max(lower, segments.lowers[range.lowerBound]), min(upper, segments.uppers[range.upperBound - 1]))
        }
        segments.removeSubrange(range)
        segmentsChanged()
    }

    /// Performs the queued changes, then lets dropped memory go.
    /// - Throws: what the platform threw; memory dropped by this batch is then kept until the address space goes, since the stub may still
    ///   reach it.
    mutating func flush() throws(Errno) {
        if !changes.isEmpty {
            if !retries.isEmpty { forgetRetries() }
            defer { changes.removeAll(keepingCapacity: true) }
            do throws(Errno) {
                try platformSpace.apply(changes)
            } catch {
                stranded.append(contentsOf: dropped)
                dropped.removeAll(keepingCapacity: true)
                throw error
            }
        }
        guard !dropped.isEmpty else { return }
        if pins.isEmpty {
            memoryFile.release(dropped)
        } else {
            for range in dropped { quarantine.append((range, nextPin)) }
        }
        dropped.removeAll(keepingCapacity: true)
    }

    /// Changes over a page make its earlier fault history void.
    private mutating func forgetRetries() {
        for change in changes {
            let range =
                switch change {
                case .map(let range, _, _, _), .unmap(let range), .protect(let range, _): range
                }
            retries.removeAll { range.contains(GuestAddress($0.page)) }
        }
    }

    // MARK: pins

    mutating func unpin(_ id: UInt64) {
        pins.removeAll { $0.id == id }
        guard !quarantine.isEmpty else { return }
        let oldest = pins.map(\.id).min() ?? .max
        var free: [MemoryRange] = []
        quarantine.removeAll { entry in
            // Pins from `before` on began after the range had gone.
            guard oldest >= entry.before else { return false }
            free.append(entry.range)
            return true
        }
        memoryFile.release(free)
    }

    func isPinnedForWriting(_ offset: UInt64, _ length: UInt64) -> Bool {
        pins.contains { $0.isWrite && $0.range.offset < offset + length && offset < $0.range.offset + $0.range.length }
    }

    // MARK: memory for guest ranges

    /// Where memory for `[lower, upper)` would continue a neighbouring segment.
    func preferredOffset(_ lower: UInt64, _ upper: UInt64) -> UInt64? {
        let i = segments.firstIndex(endingAfter: lower)
        if i < segments.count, segments.lowers[i] == upper, let offset = segments.values[i].memoryOffset, offset >= upper - lower {
            return offset - (upper - lower)
        }
        if i > 0, segments.uppers[i - 1] == lower, let offset = segments.values[i - 1].memoryOffset {
            return offset + (lower - segments.lowers[i - 1])
        }
        return nil
    }

    func allocate(_ lower: UInt64, _ upper: UInt64) throws(Errno) -> (offset: UInt64, isWarm: Bool) {
        // With very many segments contiguity matters more than warmth: the host merges what continues.
        try memoryFile.allocate(upper - lower, preferred: preferredOffset(lower, upper), allowWarm: segments.count < 8192)
    }
}
