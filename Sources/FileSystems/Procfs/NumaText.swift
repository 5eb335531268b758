import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/PID/numa_maps (numa(7)). There is one node; what is dirty is what is private and written.
enum NumaText {
    static func text(_ regions: [AddressSpace.Region], root: Path) -> [UInt8] {
        var text = TextBuilder(reserving: regions.count * 100)
        for region in regions {
            text.hex(region.range.start.rawValue, width: 8)
            text.text(" default")
            let pages = region.residentBytes / Page.size
            if region.file != nil || region.isShared {
                text.text(" file=")
                text.escaped(MapsLine(region, root: root).name, [0x0a, 0x09, 0x20])
            } else if region.label == "[heap]" {
                text.text(" heap")
            } else if region.label == "[stack]" {
                text.text(" stack")
            }
            if pages > 0 && !region.label.hasPrefix("[v") {
                let isAnonymous = !region.isShared && (region.file == nil || region.protection.contains(.write))
                if isAnonymous {
                    text.text(" anon=\(pages) dirty=\(pages)")
                } else {
                    if region.isShared && region.protection.contains(.write) { text.text(" dirty=\(pages)") } else { text.text(" mapped=\(pages)") }
                }
                text.text(" N0=\(pages) kernelpagesize_kB=4")
            }
            text.newline()
        }
        return text.bytes
    }
}
