import GoferProtocol
import HostOS
import LinuxABI

/// struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name with NULs.
struct DirectoryRecord {
    let inode: UInt64
    let type: UInt8
    let name: [UInt8]

    init(_ records: inout ByteReader) throws(Errno) {
        inode = try records.take(UInt64.self)
        _ = try records.take(Int64.self)
        let length = Int(try records.take(UInt16.self))
        type = try records.take(UInt8.self)
        var name = try records.takeBytes(length - 19)
        if let end = name.firstIndex(of: 0) { name.removeSubrange(end...) }
        self.name = name
    }
}

/// An open host directory, read record by record.
final class DirectoryStream {
    private let descriptor: SharedHostDescriptor
    private var records = ByteReader([])
    private var isAtEnd = false
    /// A record that was taken but did not fit into its reply.
    private var pending: ListedEntry?

    /// Whether all fits into few records, once the first are there.
    private var isSmall: Bool?
    /// In bytes of directory records: some thirty entries.
    private static let smallSize = 1024
    /// Names that do not show.
    private let hiddenNames: [[UInt8]]
    /// Names that show, and no more.
    private let refusedNames: [[UInt8]]
    private let hiddenFiles: [HiddenPaths.Identity: HiddenPaths.Rule]
    /// Names may be missing.
    var isFiltered: Bool { !hiddenNames.isEmpty }

    init(_ descriptor: consuming HostDescriptor, of node: Node, _ hiddenPaths: HiddenPaths) {
        self.descriptor = SharedHostDescriptor(descriptor)
        hiddenNames = node.hidden.filter { $0.components.count == 1 && $0.rule.kind == .absent }.compactMap { $0.components.first }
        refusedNames = node.hidden.filter { $0.components.count == 1 && $0.rule.kind == .refused }.compactMap { $0.components.first }
        hiddenFiles = hiddenPaths.files.filter { $0.value.kind == .absent }
    }

    private func isHidden(_ name: [UInt8], _ inode: UInt64) -> Bool {
        if hiddenNames.contains(name) { return true }
        guard !hiddenFiles.isEmpty, hiddenFiles.keys.contains(where: { $0.inode == inode }) else { return false }
        guard let status = try? HostFileStatus(of: name, in: descriptor.number) else { return true }
        return hiddenFiles[.init(device: status.device, inode: status.inode)] != nil
    }

    /// The next entry but `.` and `..`; nil at the end.
    func next(attributes: HandleWish, _ hiddenPaths: inout HiddenPaths) throws(Errno) -> ListedEntry? {
        if let entry = pending {
            pending = nil
            return entry
        }
        while true {
            if records.remaining == 0 {
                if isAtEnd { return nil }
                let bytes = try HostFileCalls.directoryRecords(descriptor.number, capacity: 32768)
                if bytes.isEmpty {
                    isAtEnd = true
                    return nil
                }
                // Whoever lists a small directory gets all attributes: asking for them afterwards costs more than looking at them here.
                isSmall = isSmall ?? (bytes.count <= Self.smallSize)
                records = ByteReader(bytes)
            }
            let record = try DirectoryRecord(&records)
            let (name, inode, type) = (record.name, record.inode, record.type)
            guard NameRule.isComponent(name), !isHidden(name, inode) else { continue }
            var status: HostFileStatus?
            var link: [UInt8] = []
            if !refusedNames.isEmpty && refusedNames.contains(name) {
                status = nil
            } else if attributes == .all
                || (attributes == .directories && (isSmall == true || type == 0 || type == FileType.directory.directoryEntryType))
            {
                // An entry that has vanished meanwhile is left to the client to find out.
                status = try? HostFileStatus(of: name, in: descriptor.number)
                if status?.mode.type == nil { status = nil }
                if let found = status, found.linkCount > 1, !found.mode.isDirectory, let rule = hiddenPaths.rule(for: found) {
                    if rule.kind == .absent { continue }
                    status = nil
                }
                if attributes == .all, status?.mode.type == .symbolicLink, status.map({ $0.size <= UInt64(ListedEntry.maximumLink) }) ?? false,
                    let target = try? HostNames.readLink(name, in: descriptor.number), target.count <= ListedEntry.maximumLink
                {
                    link = target
                }
            }
            return ListedEntry(name: name, inode: inode, type: type, status: status, link: link)
        }
    }

    func pushBack(_ entry: ListedEntry) { pending = entry }
}
