import LinuxABI
import Memory

/// Sizes of an address space in bytes, as status, stat and statm show them.
struct MemoryStatistics: Sendable {
    var size: UInt64 = 0
    var peakSize: UInt64 = 0
    /// Where the heap begins: an address.
    var breakStart: UInt64 = 0
    var resident: UInt64 = 0
    var anonymous: UInt64 = 0
    var file: UInt64 = 0
    var shared: UInt64 = 0
    var locked: UInt64 = 0
    /// Private writable mappings without the stack: VmData.
    var data: UInt64 = 0
    var stack: UInt64 = 0
    /// The program's code, whole pages.
    var code: UInt64 = 0
    /// Executable mappings that are not the program's.
    var libraries: UInt64 = 0

    init() {}

    init(_ regions: [AddressSpace.Region], code range: GuestRange) {
        var executable: UInt64 = 0
        for region in regions {
            let length = region.range.length
            size &+= length
            resident &+= region.residentBytes
            if region.isLocked { locked &+= length }
            if region.file != nil && !(region.protection.contains(.write) && !region.isShared) {
                file &+= region.residentBytes
            } else if region.isShared {
                shared &+= region.residentBytes
            } else {
                anonymous &+= region.residentBytes
            }
            if region.growsDown {
                stack &+= length
            } else if region.isShared == false && region.protection.contains(.write) {
                data &+= length
            } else if region.protection.contains(.execute) {
                executable &+= length
            }
        }
        if !range.isEmpty { code = (Page.up(range.end.rawValue) ?? range.end.rawValue) &- range.start.pageBase.rawValue }
        code = min(code, executable)
        libraries = executable &- code
    }

    /// Page tables: one page for each 2 MiB that are in use, and three levels above.
    var pageTables: UInt64 { (resident / (2 << 20) + 4) * Page.size }

    /// /proc/PID/statm: size, resident, shared, text, lib, data, dirty; in pages.
    var pagesLine: [UInt8] {
        var text = TextBuilder()
        for bytes in [size, resident, file &+ shared, code, 0, data &+ stack, 0] {
            if !text.bytes.isEmpty { text.space() }
            text.decimal(bytes / Page.size)
        }
        text.newline()
        return text.bytes
    }
}
