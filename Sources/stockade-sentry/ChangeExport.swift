import FileSystems
import HostOS
import LinuxABI
import SandboxControl

/// Writes what the program changed in the root's writable layer to the file that the command line gave.
struct ChangeExport {
    let root: OverlayFileSystem
    /// A regular file or memory file.
    let descriptor: Int32
    private static let chunk = 1 << 18

    /// A file whose bytes the host does not give any more.
    private struct Unreadable: Error {
        var error: Errno
    }

    /// Returns a line for each change that is not in the archive, since the host does not tell any more what it is.
    /// - Throws: what writing throws; an archive without its end tells the reader.
    func write() throws(Errno) -> [String] {
        var missing: [String] = []
        func miss(_ path: [UInt8], _ error: Errno) { missing.append("\(Boot.text([UInt8(ascii: "/")] + path)): \(error)") }
        try root.forEachChange(unknown: miss) { (change) throws(Errno) in
            let start = try HostFileCalls.seek(descriptor, offset: 0, whence: 1)
            do {
                try write(change)
            } catch let unreadable as Unreadable {
                // Its header promised bytes.
                try HostFileCalls.truncate(descriptor, to: start)
                _ = try HostFileCalls.seek(descriptor, offset: start, whence: 0)
                miss(change.path, unreadable.error)
            } catch let error as Errno { throw error } catch { throw .EIO }
        }
        try HostIO.writeAll(descriptor, ChangeEntry.end)
        return missing
    }

    private func write(_ change: OverlayChange) throws {
        let entry = Self.entry(change)
        try HostIO.writeAll(descriptor, entry.headerBytes)
        guard entry.size > 0 else { return }
        var written: UInt64 = 0
        while written < entry.size {
            let bytes: [UInt8]
            do throws(Errno) {
                bytes = try change.read(at: written, count: Int(min(UInt64(Self.chunk), entry.size - written)))
                // The host's file became shorter.
                if bytes.isEmpty { throw .EIO }
            } catch { throw Unreadable(error: error) }
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
