import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/PID/smaps and smaps_rollup (proc_pid_smaps(5)). How many processes share a page is not counted: what is resident in a
/// shared mapping is called shared, all else private, and the proportional share is the whole.
struct SmapsText: Sendable {
    /// Bytes.
    private var rss: UInt64 = 0
    private var sharedClean: UInt64 = 0
    private var sharedDirty: UInt64 = 0
    private var privateClean: UInt64 = 0
    private var privateDirty: UInt64 = 0
    private var anonymous: UInt64 = 0
    private var file: UInt64 = 0
    private var shmem: UInt64 = 0
    private var locked: UInt64 = 0

    private mutating func add(_ region: AddressSpace.Region) {
        let resident = region.residentBytes
        rss += resident
        if region.isLocked { locked += resident }
        if region.isShared {
            if region.file == nil { shmem += resident } else { file += resident }
            if region.protection.contains(.write) { sharedDirty += resident } else { sharedClean += resident }
        } else if region.file == nil || region.protection.contains(.write) {
            anonymous += resident
            privateDirty += resident
        } else {
            file += resident
            privateClean += resident
        }
    }

    private static func row(_ name: String, _ bytes: UInt64, _ text: inout TextBuilder) {
        text.text(name)
        text.text(":")
        for _ in 0..<max(0, 15 - name.utf8.count) { text.space() }
        text.decimal(bytes / 1024, width: 8)
        text.text(" kB\n")
    }

    private func rows(isRollup: Bool, _ text: inout TextBuilder) {
        Self.row("Rss", rss, &text)
        Self.row("Pss", rss, &text)
        Self.row("Pss_Dirty", sharedDirty + privateDirty, &text)
        if isRollup {
            Self.row("Pss_Anon", anonymous, &text)
            Self.row("Pss_File", file, &text)
            Self.row("Pss_Shmem", shmem, &text)
        }
        Self.row("Shared_Clean", sharedClean, &text)
        Self.row("Shared_Dirty", sharedDirty, &text)
        Self.row("Private_Clean", privateClean, &text)
        Self.row("Private_Dirty", privateDirty, &text)
        Self.row("Referenced", rss, &text)
        Self.row("Anonymous", anonymous, &text)
        for name in [
            "KSM", "LazyFree", "AnonHugePages", "ShmemPmdMapped", "FilePmdMapped", "Shared_Hugetlb", "Private_Hugetlb", "Swap",
            "SwapPss",
        ] { Self.row(name, 0, &text) }
        Self.row("Locked", locked, &text)
    }

    static func text(_ regions: [AddressSpace.Region], root: Path) -> [UInt8] {
        var text = TextBuilder(reserving: regions.count * 900)
        for region in regions {
            MapsLine(region, root: root).append(to: &text)
            row("Size", region.range.length, &text)
            row("KernelPageSize", Page.size, &text)
            row("MMUPageSize", Page.size, &text)
            var sums = SmapsText()
            sums.add(region)
            sums.rows(isRollup: false, &text)
            text.text("THPeligible:           0\nVmFlags: ")
            text.text(flags(region))
            text.newline()
        }
        return text.bytes
    }

    static func rollup(_ regions: [AddressSpace.Region]) -> [UInt8] {
        var text = TextBuilder(reserving: 1024)
        var sums = SmapsText()
        for region in regions { sums.add(region) }
        var line = MapsLine(
            range: GuestRange(start: regions.first?.range.start ?? .null, end: regions.last?.range.end ?? .null), protection: [],
            isShared: false)
        line.name = Array("[rollup]".utf8)
        line.append(to: &text)
        sums.rows(isRollup: true, &text)
        return text.bytes
    }

    /// Two-letter codes, each with a space behind it.
    private static func flags(_ region: AddressSpace.Region) -> String {
        var flags = ""
        if region.protection.contains(.read) { flags += "rd " }
        if region.protection.contains(.write) { flags += "wr " }
        if region.protection.contains(.execute) { flags += "ex " }
        if region.isShared { flags += "sh " }
        flags += "mr "
        if region.mayWrite { flags += "mw " }
        if region.mayExecute { flags += "me " }
        if region.isShared { flags += "ms " }
        if region.growsDown { flags += "gd " }
        if region.isLocked { flags += "lo " }
        if region.isExcludedFromFork { flags += "dc " }
        if !region.isShared && region.protection.contains(.write) { flags += "ac " }
        if region.isExcludedFromDump { flags += "dd " }
        return flags
    }
}
