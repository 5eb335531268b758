import GoferProtocol
import HostOS
import LinuxABI
import VirtualFileSystem

/// A granted host tree that does not change while the sandbox runs: what all its nodes share.
final class GoferLowerTree: Sendable {
    let connection: GoferConnection
    /// Handles of directories; others need none, they are named within their directory.
    let handles: ClockCache<NodeHandle>
    /// Directories listed with attributes, weighed by entries: about 300 bytes each.
    let listings = ClockCache<LowerListing>(capacity: 65536)

    init(_ connection: GoferConnection) {
        self.connection = connection
        // The Gofer must have room for other trees and for directory streams.
        handles = ClockCache(capacity: max(8, min(4096, Int(connection.hello.nodeLimit) / 4)))
    }
}

/// A whole directory with attributes.
final class LowerListing: Sendable {
    let entries: [ListedEntry]
    private let index: [FileName: Int]
    /// A name that is missing may be hidden: the Gofer says which rule did it.
    let isFiltered: Bool
    let opens = OpenAhead()
    let attributeNames = AttributeNamesAhead()

    init(_ entries: [ListedEntry], isFiltered: Bool) {
        self.isFiltered = isFiltered
        self.entries = entries
        var index: [FileName: Int] = [:]
        index.reserveCapacity(entries.count)
        for (position, entry) in entries.enumerated() { index[FileName(entry.name)] = position }
        self.index = index
    }

    subscript(_ name: FileName) -> ListedEntry? { index[name].map { entries[$0] } }
    func place(_ name: FileName) -> Int? { index[name] }

    /// Entries that can be opened ahead, by their places.
    func openCandidates() -> [OpenAhead.Candidate?] {
        entries.map { entry in
            let type = entry.status?.mode.type ?? FileType(directoryEntryType: entry.type)
            return type == .regular ? .init(name: entry.name, inode: entry.status?.inode ?? entry.inode) : nil
        }
    }

    var lowerEntries: [LowerEntry] {
        entries.compactMap { entry in
            guard let type = entry.status?.mode.type ?? FileType(directoryEntryType: entry.type) else { return nil }
            return LowerEntry(name: FileName(entry.name), inode: entry.status?.inode ?? entry.inode, type: type)
        }
    }
}
