import LinuxABI
import Memory
import VirtualFileSystem

/// One line of /proc/PID/maps (proc_pid_maps(5)).
struct MapsLine: Sendable {
    var range: GuestRange
    var protection: Protection
    var isShared: Bool
    var offset: UInt64 = 0
    var device = DeviceNumber(major: 0, minor: 0)
    var inode: UInt64 = 0
    var name: [UInt8] = []

    init(range: GuestRange, protection: Protection, isShared: Bool) {
        self.range = range
        self.protection = protection
        self.isShared = isShared
    }

    init(_ region: AddressSpace.Region, root: Path) {
        self.init(range: region.range, protection: region.protection, isShared: region.isShared)
        if let file = region.file {
            offset = region.fileOffset
            (device, inode) = region.identity
            let place = (file.owner as? FileDescription)?.path
            name = place?.procName(root: root) ?? file.owner.mappedPath
        } else {
            // Shared anonymous memory has the identity of the unnamed file that backs it, and its name as the label.
            offset = region.fileOffset
            (device, inode) = region.identity
            name = Array(region.label.utf8)
        }
    }

    /// Where names begin (show_vma_header_prefix).
    private static let nameColumn = 73

    func append(to text: inout TextBuilder) {
        let start = text.bytes.count
        text.hex(range.start.rawValue, width: 8)
        text.text("-")
        text.hex(range.end.rawValue, width: 8)
        text.space()
        text.text(protection.contains(.read) ? "r" : "-")
        text.text(protection.contains(.write) ? "w" : "-")
        text.text(protection.contains(.execute) ? "x" : "-")
        text.text(isShared ? "s " : "p ")
        text.hex(offset, width: 8)
        text.space()
        text.hex(UInt64(device.major), width: 2)
        text.text(":")
        text.hex(UInt64(device.minor), width: 2)
        text.space()
        text.decimal(inode)
        text.space()
        if !name.isEmpty {
            text.pad(to: Self.nameColumn, from: start)
            text.escaped(name, [0x0a])
        }
        text.newline()
    }
}
