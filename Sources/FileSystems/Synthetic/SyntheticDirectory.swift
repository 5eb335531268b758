import LinuxABI
import VirtualFileSystem

/// One name of a synthetic directory.
struct SyntheticEntry: Sendable {
    var name: [UInt8]
    var number: UInt64
    var type: FileType
    /// Place in the listing, 2 or more; it does not change as long as the name exists, so that a listing goes on rightly after
    /// others have come and gone.
    var position: Int64
}

/// A directory whose names the kernel makes up.
protocol SyntheticDirectory: SyntheticInode {
    var parentNumber: UInt64 { get }
    /// The entries from `position` on, in the order of their positions, without `.` and `..`.
    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry]
    /// Checks at open(2) beyond the permission bits.
    func willOpen(caller: any Caller) throws(Errno)
}

extension SyntheticDirectory {
    func willOpen(caller: any Caller) throws(Errno) {}
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        try willOpen(caller: caller)
        return SyntheticDirectoryOperations(self)
    }
}

final class SyntheticDirectoryOperations: FileOperations {
    private let directory: any SyntheticDirectory
    init(_ directory: any SyntheticDirectory) { self.directory = directory }

    func readDirectory(from position: Int64, caller: any Caller, _ emit: (DirectoryEntry) -> Bool) throws(Errno) -> Int64 {
        var position = position
        let directoryType = FileType.directory.directoryEntryType
        for (dots, number) in [(".", directory.number), ("..", directory.parentNumber)] {
            guard position == Int64(dots.utf8.count) - 1 else { continue }
            let entry = DirectoryEntry(name: Array(dots.utf8), inode: number, type: directoryType, nextPosition: position + 1)
            guard emit(entry) else { return position }
            position += 1
        }
        for entry in try directory.entries(from: position, caller: caller) {
            let next = entry.position &+ 1
            let shown = DirectoryEntry(
                name: entry.name, inode: entry.number, type: entry.type.directoryEntryType, nextPosition: next)
            guard emit(shown) else { return position }
            position = next
        }
        return position
    }
}
