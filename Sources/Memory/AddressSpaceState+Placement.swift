import LinuxABI

/// Where mappings go: Linux's arch_get_unmapped_area_topdown on x86-64.
extension AddressSpaceState {
    static let maximum = AddressLimits.maximum.rawValue

    /// Where the area at `index` begins for its lower neighbours: a stack keeps a gap below it.
    private func effectiveStart(_ index: Int) -> UInt64 {
        let start = areas.lowers[index]
        guard areas.values[index].flags.contains(.growsDown) else { return start }
        return start > Self.stackGuardGap ? start - Self.stackGuardGap : 0
    }

    /// Whether `[lower, upper)` is free, with the guard gap of a stack above it.
    func isFree(_ lower: UInt64, _ upper: UInt64) -> Bool {
        let i = areas.firstIndex(endingAfter: lower)
        return i == areas.count || effectiveStart(i) >= upper
    }

    /// An address for `length` bytes, all pages.
    /// - Throws: ENOMEM.
    mutating func findAddress(_ length: UInt64, hint: UInt64, below4G: Bool) throws(Errno) -> UInt64 {
        guard length <= Self.maximum - minimum else { throw .ENOMEM }
        var wanted = Page.down(hint)
        if wanted != 0 {
            wanted = max(wanted, minimum)
            if wanted <= Self.maximum - length && (!below4G || wanted + length <= 0x8000_0000) && isFree(wanted, wanted + length) {
                return wanted
            }
        }
        if below4G {
            guard let found = lowest(length, from: 0x4000_0000, to: 0x8000_0000) else { throw .ENOMEM }
            return found
        }
        if let found = highest(length) { return found }
        if searchStart < layout.mmapBase.rawValue {
            resetSearch()
            if let found = highest(length) { return found }
        }
        // Linux falls back to a bottom-up search when nothing is left below the base.
        if let found = lowest(length, from: Self.maximum / 3, to: Self.maximum) { return found }
        if let found = lowest(length, from: minimum, to: Self.maximum) { return found }
        throw .ENOMEM
    }

    private mutating func highest(_ length: UInt64) -> UInt64? {
        let base = layout.mmapBase.rawValue
        if length < searchLength || searchLength == 0 { resetSearch() }
        var high = searchStart
        // The last area that begins below `high`.
        var i = areas.firstIndex(endingAfter: high - 1)
        if i < areas.count && areas.lowers[i] >= high { high = min(high, max(effectiveStart(i), minimum)) }
        if i == areas.count || areas.lowers[i] >= high { i -= 1 }
        while i >= 0 {
            let gapStart = areas.uppers[i]
            if gapStart < high && high - gapStart >= length && gapStart >= minimum { break }
            high = min(high, effectiveStart(i))
            i -= 1
        }
        if i < 0 && (high < minimum || high - minimum < length) { return nil }
        // Nothing this long was found above `high`.
        searchStart = min(high, base)
        searchLength = length
        return high - length
    }

    private func lowest(_ length: UInt64, from start: UInt64, to end: UInt64) -> UInt64? {
        var low = start
        var i = areas.firstIndex(endingAfter: low)
        while i < areas.count {
            let gapEnd = min(effectiveStart(i), end)
            if gapEnd > low && gapEnd - low >= length { return low }
            low = max(low, areas.uppers[i])
            i += 1
        }
        return low <= end && end - low >= length ? low : nil
    }

    // MARK: limits

    /// - Throws: ENOMEM past RLIMIT_AS or RLIMIT_DATA, or when the host's memory could never hold it.
    func checkRoom(_ length: UInt64, isData: Bool, isAccountable: Bool) throws(Errno) {
        let (total, overflow) = virtualBytes.addingReportingOverflow(length)
        if overflow || total > limits.addressSpace { throw .ENOMEM }
        if isData {
            let (data, overflow) = dataBytes.addingReportingOverflow(length)
            if overflow || data > limits.data { throw .ENOMEM }
        }
        // vm.overcommit_memory 0 refuses what exceeds all memory by itself.
        if isAccountable && length > memoryFile.totalBytes { throw .ENOMEM }
    }

    /// Whether `more` bytes may be locked.
    func mayLock(_ more: UInt64) -> Bool {
        if limits.mayLockAny { return true }
        let (total, overflow) = lockedBytes.addingReportingOverflow(more)
        return !overflow && total <= limits.lockedMemory
    }

    var mayLockAtAll: Bool { limits.mayLockAny || limits.lockedMemory != 0 }
}
