import LinuxABI

/// What procfs shows.
extension AddressSpace {
    public struct Region: Sendable {
        public var range: GuestRange
        public var protection: Protection
        public var isShared: Bool
        public var fileOffset: UInt64
        public var file: MappedFile?
        /// `[heap]`, `[stack]`, `[vdso]`, or empty.
        public var label: String
        public var isLocked: Bool
        public var residentBytes: UInt64
        /// For the VmFlags of smaps.
        public var mayWrite: Bool
        public var mayExecute: Bool
        public var growsDown: Bool
        public var isExcludedFromFork: Bool
        public var isExcludedFromDump: Bool
        /// Device and inode of the mapped object; zero for private anonymous memory.
        public var identity: (device: DeviceNumber, inode: UInt64)
    }

    /// All regions in order of address. Counting what is resident asks the host; /proc/PID/maps does without.
    public func regions(countingResident: Bool = true) -> [Region] {
        // Identities and paths are the file's business: asked after the lock.
        let found = state.withLock { $0.regions(countingResident) }
        return found.map { region, mapping in
            var region = region
            if let mapping { region.identity = mapping.mappable.mappingIdentity }
            return region
        }
    }

    /// Bytes present, for ru_maxrss.
    public var residentBytes: UInt64 { state.withLock { $0.residentBytes(0, .max, filesOnly: false) } }

    /// Totals in bytes.
    public struct Statistics: Sendable {
        public var virtualBytes: UInt64 = 0
        public var peakVirtualBytes: UInt64 = 0
        public var residentBytes: UInt64 = 0
        /// The highest resident total that was ever asked for.
        public var peakResidentBytes: UInt64 = 0
        /// The part of the resident total that belongs to files and shared memory.
        public var residentSharedBytes: UInt64 = 0
        public var lockedBytes: UInt64 = 0
        /// Private writable memory but stacks.
        public var dataBytes: UInt64 = 0
        public var stackBytes: UInt64 = 0
        /// Executable file mappings.
        public var textBytes: UInt64 = 0
        public var breakStart = GuestAddress.null
        public var breakEnd = GuestAddress.null
        public var stackAddress = GuestAddress.null
    }

    public func statistics(countingResident: Bool = true) -> Statistics {
        state.withLock { $0.statistics(countingResident) }
    }
}

extension AddressSpaceState {
    func regions(_ countingResident: Bool) -> [(AddressSpace.Region, FileMapping?)] {
        (0..<areas.count).map { i in
            let area = areas.values[i]
            let lower = areas.lowers[i]
            let upper = areas.uppers[i]
            let region = AddressSpace.Region(
                range: GuestRange(start: GuestAddress(lower), end: GuestAddress(upper)), protection: area.protection,
                isShared: area.isShared, fileOffset: area.mapping == nil ? 0 : area.offset, file: area.mapping?.file,
                label: label(area, lower, upper), isLocked: area.flags.contains(.locked),
                residentBytes: countingResident ? residentBytes(lower, upper, filesOnly: false) : 0,
                mayWrite: area.flags.contains(.mayWrite), mayExecute: area.flags.contains(.mayExecute),
                growsDown: area.flags.contains(.growsDown), isExcludedFromFork: area.flags.contains(.dontFork),
                isExcludedFromDump: area.flags.contains(.dontDump), identity: (DeviceNumber(major: 0, minor: 0), 0))
            return (region, area.mapping)
        }
    }

    private func label(_ area: Area, _ lower: UInt64, _ upper: UInt64) -> String {
        if area.flags.contains(.vdsoCode) { return "[vdso]" }
        if area.flags.contains(.vdsoData) { return "[vvar]" }
        if let mapping = area.mapping { return mapping.file == nil ? "/dev/zero (deleted)" : "" }
        if lower < breakEnd && upper > breakStart && breakStart != 0 { return "[heap]" }
        if let stackAddress, lower <= stackAddress, stackAddress < upper { return "[stack]" }
        return ""
    }

    func residentBytes(_ lower: UInt64, _ upper: UInt64, filesOnly: Bool) -> UInt64 {
        var total: UInt64 = 0
        for i in segments.indices(overlapping: lower, upper) {
            let segment = segments.values[i]
            if filesOnly && !segment.isFilePage { continue }
            let from = max(lower, segments.lowers[i])
            let length = min(upper, segments.uppers[i]) - from
            if let offset = segment.memoryOffset {
                total += memoryFile.residentBytes(offset + (from - segments.lowers[i]), length)
            } else {
                total += length
            }
        }
        return total
    }

    mutating func statistics(_ countingResident: Bool) -> AddressSpace.Statistics {
        var result = AddressSpace.Statistics()
        result.virtualBytes = virtualBytes
        result.peakVirtualBytes = peakBytes
        result.lockedBytes = lockedBytes
        result.dataBytes = dataBytes
        result.breakStart = GuestAddress(breakStart)
        result.breakEnd = GuestAddress(breakEnd)
        result.stackAddress = GuestAddress(stackAddress ?? 0)
        for i in 0..<areas.count {
            let area = areas.values[i]
            let length = areas.uppers[i] - areas.lowers[i]
            if area.flags.contains(.growsDown) { result.stackBytes += length }
            if area.protection.contains(.execute) && !area.isWritable && area.mapping != nil { result.textBytes += length }
        }
        if countingResident {
            result.residentBytes = residentBytes(0, .max, filesOnly: false)
            result.residentSharedBytes = residentBytes(0, .max, filesOnly: true)
            peakResident = max(peakResident, result.residentBytes)
        }
        result.peakResidentBytes = peakResident
        return result
    }
}
