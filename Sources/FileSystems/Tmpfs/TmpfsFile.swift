import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open regular file.
final class TmpfsFile: FileOperations {
    let inode: TmpfsInode
    let data: TmpfsData
    /// Kept open while the description lives, so that reads of lower data need not ask for it.
    private let lower: SharedHostDescriptor?
    private let isWritable: Bool
    private let updatesAccessTime: Bool

    init(_ inode: TmpfsInode, _ data: TmpfsData, _ flags: OpenFlags, lower: SharedHostDescriptor?) {
        self.inode = inode
        self.data = data
        self.lower = lower
        isWritable = flags.isWritable
        updatesAccessTime = !flags.contains(.noAccessTime)
    }

    var splicing: Splicing { [.source, .target] }
    var isSeekable: Bool { true }
    var mappable: (any MemoryMappable)? {
        if isWritable && data.lower != nil {
            inode.pin()
            data.prepareForWritableMapping()
        }
        return data
    }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        guard case .offset(let offset) = position, let start = UInt64(exactly: offset) else { throw .EINVAL }
        let count = try data.read(&buffer, at: start, lower: lower)
        if updatesAccessTime { inode.touchAccessed() }
        return count
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        var start: UInt64?
        switch position {
        case .offset(let offset):
            guard let offset = UInt64(exactly: offset) else { throw .EINVAL }
            start = offset
        case .end: start = nil
        case .stream: throw .EINVAL
        }
        inode.pin()
        let (count, end) = try data.write(&buffer, at: start, limit: caller.fileSizeLimit) { caller.raise(.SIGXFSZ) }
        if count > 0 { inode.touchModified(.data) }
        return (count, Int64(truncatingIfNeeded: end))
    }

    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = current
        case 2: base = Int64(truncatingIfNeeded: data.size)
        case 3, 4:
            guard let start = UInt64(exactly: offset) else { throw .ENXIO }
            return Int64(truncatingIfNeeded: try data.seek(start, toData: whence == 3))
        default: throw .EINVAL
        }
        let (sum, overflow) = base.addingReportingOverflow(offset)
        if overflow { throw .EOVERFLOW }
        if sum < 0 { throw .EINVAL }
        return sum
    }

    func synchronize(dataOnly: Bool) throws(Errno) {}

    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        switch request {
        // FICLONE, FICLONERANGE, FIDEDUPERANGE, FS_IOC_FIEMAP: known to Linux, not to this file system.
        case 0x4004_9409, 0x4020_940d, 0xc018_9436, 0xc020_660b: throw .EOPNOTSUPP
        default: throw .ENOTTY
        }
    }

    func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno) {
        guard let start = UInt64(exactly: offset), let count = UInt64(exactly: length), count > 0 else { throw .EINVAL }
        let end = start + count
        if mode & 1 == 0 && end > data.size && end > caller.fileSizeLimit {
            caller.raise(.SIGXFSZ)
            throw .EFBIG
        }
        inode.pin()
        try data.allocateSpace(mode: mode, offset: start, length: count)
        inode.touchModified(.data)
    }

    func released() { if isWritable { data.dropReserve() } }

    /// The overlay stands for a disk file system, where files have no seals.
    var seals: FileSeals? { data.core.hasLower ? nil : data.seals }

    func addSeals(_ seals: FileSeals) throws(Errno) {
        if data.core.hasLower { throw .EINVAL }
        var seals = seals
        // memfd_create(2): a file whose execute bits are fixed while some are set is fixed in content too.
        if seals.contains(.execute), inode.state.withLock({ $0.mode.permissions & 0o111 != 0 }) {
            seals.formUnion([.shrink, .grow, .write, .futureWrite])
        }
        try data.addSeals(seals)
    }
}
