import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open directory.
final class TmpfsDirectoryFile: FileOperations {
    private let inode: TmpfsInode
    private let directory: TmpfsDirectory
    private let updatesAccessTime: Bool
    /// Entries taken from the directory at a time: the lock is not held while they are handed on.
    private static let batch = 128

    init(_ inode: TmpfsInode, _ directory: TmpfsDirectory, _ flags: OpenFlags) {
        self.inode = inode
        self.directory = directory
        updatesAccessTime = !flags.contains(.noAccessTime)
    }

    var isSeekable: Bool { true }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int { throw .EISDIR }

    func readDirectory(from position: Int64, caller: any Caller, _ emit: (DirectoryEntry) -> Bool) throws(Errno) -> Int64 {
        var position = max(0, position)
        let directoryType = FileType.directory.directoryEntryType
        if position == 0 {
            guard emit(DirectoryEntry(name: [0x2e], inode: inode.number, type: directoryType, nextPosition: 1)) else { return 0 }
            position = 1
        }
        if position == 1 {
            let parent = directory.parentNumber
            guard emit(DirectoryEntry(name: [0x2e, 0x2e], inode: parent, type: directoryType, nextPosition: 2)) else { return 1 }
            position = 2
        }
        try directory.complete(inode.core)
        if updatesAccessTime { inode.touchAccessed() }
        while true {
            let entries = directory.state.withLock { $0.entries(from: position, limit: Self.batch) }
            for entry in entries {
                guard emit(entry) else { return position }
                position = entry.nextPosition
            }
            if entries.count < Self.batch { return position }
        }
    }

    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = current
        default: throw .EINVAL
        }
        let (sum, overflow) = base.addingReportingOverflow(offset)
        if overflow || sum < 0 { throw .EINVAL }
        return sum
    }

    func synchronize(dataOnly: Bool) throws(Errno) {}
}

extension TmpfsDirectory.State {
    /// Live names in order of their cookies, from `position` on.
    func entries(from position: Int64, limit: Int) -> [DirectoryEntry] {
        var result: [DirectoryEntry] = []
        var index = self.position(of: position)
        while index < order.count && result.count < limit {
            let listed = order[index]
            index += 1
            guard let name = listed.name, let child = children[name] else { continue }
            let (number, type): (UInt64, FileType)
            switch child.content {
            case .node(let node): (number, type) = (node.number, node.type)
            case .lower(let weak, let listed, let kind): (number, type) = weak.node.map { ($0.number, $0.type) } ?? (listed, kind)
            case .whiteout: continue
            }
            result.append(
                DirectoryEntry(
                    name: name.bytes, inode: number, type: type.directoryEntryType, nextPosition: listed.cookie + 1))
        }
        return result
    }
}
