import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open regular file of the host: reads and writes go to donated descriptors at explicit offsets, so that the descriptors'
/// own positions, which opens share, never matter.
final class GoferFile: FileOperations {
    private let inode: GoferInode
    private let readable: SharedHostDescriptor?
    private let writable: SharedHostDescriptor?

    init(_ inode: GoferInode, readable: SharedHostDescriptor?, writable: SharedHostDescriptor?) {
        self.inode = inode
        self.readable = readable
        self.writable = writable
    }

    private var any: SharedHostDescriptor? { readable ?? writable }

    var isSeekable: Bool { true }
    var splicing: Splicing { [.source, .target] }
    var mappable: (any MemoryMappable)? { inode }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        guard let readable else { throw .EBADF }
        guard case .offset(let offset) = position, offset >= 0 else { throw .EINVAL }
        return try buffer.fill(fromHost: readable.number, offset: offset)
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        guard let writable else { throw .EBADF }
        defer { inode.changed() }
        switch position {
        case .stream: throw .EINVAL
        case .offset(let offset):
            guard offset >= 0 else { throw .EINVAL }
            try limit(&buffer, at: UInt64(offset), caller)
            let count = try buffer.drain(toHost: writable.number, offset: offset)
            return (count, offset &+ Int64(count))
        case .end:
            if caller.fileSizeLimit < UInt64(Int64.max) {
                try limit(&buffer, at: try HostFileStatus(of: writable.number).size, caller)
            }
            return try inode.appending.withLock { _ throws(Errno) in
                let count = try buffer.drain(toHost: writable.number, offset: 0, flags: HostIOFlags.append)
                return (count, Int64(truncatingIfNeeded: try HostFileStatus(of: writable.number).size))
            }
        }
    }

    /// RLIMIT_FSIZE: writes end there; one that starts there fails (write(2)).
    private func limit(_ buffer: inout IOBuffer, at offset: UInt64, _ caller: any Caller) throws(Errno) {
        let limit = caller.fileSizeLimit
        guard limit < UInt64(Int64.max), buffer.remaining > 0 else { return }
        if offset >= limit {
            caller.raise(.SIGXFSZ)
            throw .EFBIG
        }
        let room = limit - offset
        if UInt64(buffer.remaining) > room { buffer.truncate(to: Int(truncatingIfNeeded: room)) }
    }

    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        guard let file = any else { throw .EBADF }
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = current
        case 2: base = Int64(truncatingIfNeeded: try HostFileStatus(of: file.number).size)
        // The position that lseek leaves behind is nobody's.
        case 3, 4: return try HostFileCalls.seek(file.number, offset: offset, whence: whence)
        default: throw .EINVAL
        }
        let (result, overflow) = base.addingReportingOverflow(offset)
        guard !overflow else { throw .EOVERFLOW }
        guard result >= 0 else { throw .EINVAL }
        return result
    }

    func copy(from offset: Int64, _ count: Int, to target: any FileOperations, at position: Int64, caller: any Caller) throws(Errno) -> Int? {
        guard let target = target as? GoferFile, let from = readable, let to = target.writable else { return nil }
        let (end, overflow) = position.addingReportingOverflow(Int64(count))
        guard !overflow, UInt64(end) <= caller.fileSizeLimit else { return nil }
        defer { target.inode.changed() }
        do throws(Errno) {
            return try HostFileCalls.copyRange(from: from.number, at: offset, to: to.number, at: position, count: count)
        } catch {
            switch error {
            case .EXDEV, .EINVAL, .EOPNOTSUPP, .ENOSYS, .EBADF: return nil
            default: throw error
            }
        }
    }

    func synchronize(dataOnly: Bool) throws(Errno) {
        guard let file = any else { throw .EBADF }
        try HostFileCalls.synchronize(file.number, dataOnly: dataOnly)
    }

    func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno) {
        guard let writable else { throw .EBADF }
        let (end, overflow) = offset.addingReportingOverflow(length)
        guard offset >= 0, length > 0, !overflow else { throw overflow ? .EFBIG : .EINVAL }
        // FALLOC_FL_KEEP_SIZE (1) does not make the file longer.
        if mode & 1 == 0, UInt64(end) > caller.fileSizeLimit, try HostFileStatus(of: writable.number).size < UInt64(end) {
            caller.raise(.SIGXFSZ)
            throw .EFBIG
        }
        defer { inode.changed() }
        try HostFileCalls.allocate(writable.number, mode: mode, offset: offset, length: length)
    }
}

/// RWF_* of preadv2(2).
enum HostIOFlags {
    static let noWait: Int32 = 0x08
    static let append: Int32 = 0x10
}
