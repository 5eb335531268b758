import FileSystems
import HostOS
import LinuxABI
import SandboxControl

/// Writes what the program changed in the root's writable layer to the file that the command line gave.
struct ChangeExport {
    let root: OverlayFileSystem
    let descriptor: Int32
    private static let chunk = 1 << 18

    /// - Throws: what writing throws; an archive without its end tells the reader.
    func write() throws(Errno) {
        try root.forEachChange { (change) throws(Errno) in try write(change) }
        try HostIO.writeAll(descriptor, ChangeEntry.end)
    }

    private func write(_ change: OverlayChange) throws(Errno) {
        let entry = Self.entry(change)
        try HostIO.writeAll(descriptor, entry.headerBytes)
        guard entry.size > 0 else { return }
        var written: UInt64 = 0
        while written < entry.size {
            var bytes = try change.read(at: written, count: Int(min(UInt64(Self.chunk), entry.size - written)))
            // The header promised so many.
            if bytes.isEmpty { bytes = [UInt8](repeating: 0, count: Int(min(UInt64(Self.chunk), entry.size - written))) }
            try HostIO.writeAll(descriptor, bytes)
            written += UInt64(bytes.count)
        }
        try HostIO.writeAll(descriptor, [UInt8](repeating: 0, count: ChangeEntry.padding(entry.size)))
    }

    private static func entry(_ change: OverlayChange) -> ChangeEntry {
        let kind: ChangeEntry.Kind
        switch change.type {
        case .regular, .socket: kind = .file
        case .directory: kind = .directory
        case .symbolicLink: kind = .symbolicLink
        case .characterDevice: kind = .characterDevice
        case .blockDevice: kind = .blockDevice
        case .fifo: kind = .fifo
        }
        let mark: ChangeEntry.Change =
            switch change.kind {
            case .created: .created
            case .modified: .modified
            case .deleted: .deleted
            }
        var entry = ChangeEntry(path: change.path, kind: change.earlierName == nil ? kind : .hardLink, change: mark)
        guard change.kind != .deleted else { return entry }
        let a = change.attributes
        entry.isOpaque = change.isOpaque
        entry.permissions = a.mode.permissions
        entry.uid = a.uid
        entry.gid = a.gid
        entry.modificationTime = a.modificationTime
        entry.link = change.earlierName ?? change.link
        entry.deviceMajor = a.specialDevice.major
        entry.deviceMinor = a.specialDevice.minor
        if change.earlierName == nil {
            entry.size = change.type == .regular ? a.size : 0
            entry.extendedAttributes = change.extendedAttributes
        }
        return entry
    }
}
