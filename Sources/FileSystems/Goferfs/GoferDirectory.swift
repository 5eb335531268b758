import GoferProtocol
import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open directory of the host. Its entries are read once at the start and at each rewind, so that positions stay good while
/// names come and go (readdir(3) leaves open whether later changes show).
final class GoferDirectory: FileOperations {
    private let inode: GoferInode
    private let entries = Mutex<[DirectoryEntry]?>(nil)

    init(_ inode: GoferInode) { self.inode = inode }

    var isSeekable: Bool { true }

    func readDirectory(from position: Int64, caller: any Caller, _ emit: (DirectoryEntry) -> Bool) throws(Errno) -> Int64 {
        var known = entries.withLock { $0 }
        if position == 0 || known == nil {
            let fresh = try inode.entries()
            entries.withLock { $0 = fresh }
            known = fresh
        }
        guard let known, var index = Int(exactly: max(0, position)) else { return position }
        while index < known.count, emit(known[index]) { index += 1 }
        return Int64(max(index, Int(truncatingIfNeeded: max(0, position))))
    }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int { throw .EISDIR }

    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = current
        default: throw .EINVAL
        }
        let (result, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, result >= 0 else { throw .EINVAL }
        return result
    }

    func synchronize(dataOnly: Bool) throws(Errno) {
        _ = try inode.connection.call(SynchronizeRequest(node: try inode.handle().id, extent: dataOnly ? .data : .file))
    }
}
