import HostOS
import LinuxABI
import Synchronization

/// A file that can be mapped: implemented by inodes of regular files (tmpfs, overlay, Gofer), memfd, shared-memory segments.
///
/// An address space asks for backing when it maps and when it faults, and registers each mapping so that the file can take it
/// back (truncate, copy-up): see `MappingRecord`.
///
/// Every requirement is called with the address space's lock held, so a file takes its own locks after that one. It follows that
/// a file must not hold a lock that it takes here while it copies from or to guest memory (`IOBuffer`), for a copy may fault on a
/// mapping of that very file: retain the memory-file range, drop the lock, copy, release.
public protocol MemoryMappable: AnyObject, Sendable {
    /// What lies behind `length` bytes from page-aligned `offset`, as a list that covers the range from its start (it may cover
    /// less; the caller asks again). With `forWriting`, the pieces are such that a store through a shared mapping changes the file:
    /// holes are filled. Memory-file pieces come retained for the caller.
    /// - Throws: ENOMEM, ENOSPC, EIO.
    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece]

    /// A mapping came into being; the file keeps the record (weakly held address space inside) until `removeMapping`.
    func addMapping(_ record: MappingRecord)
    func removeMapping(_ record: MappingRecord)

    /// For /proc/PID/maps: device, inode number.
    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { get }
    /// The file's size in bytes; accesses beyond the last page of it raise SIGBUS.
    var mappableSize: UInt64 { get }
    /// msync(2) MS_SYNC: writes the range to stable storage where there is any.
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno)
    /// madvise(2) MADV_REMOVE: makes a hole. Called without the address space's lock; the file invalidates its mappings.
    func punchHole(offset: UInt64, length: UInt64) throws(Errno)
    /// The file is sealed against writing. Asked after `addMapping`, so that a seal and a mapping made at the same time can't both
    /// succeed: the file refuses the seal when it has a record that may write.
    var refusesSharedWrites: Bool { get }
    /// Memory of memfd_secret(2).
    var isSecret: Bool { get }
}

extension MemoryMappable {
    public var refusesSharedWrites: Bool { false }
    public var isSecret: Bool { false }
    public func punchHole(offset: UInt64, length: UInt64) throws(Errno) { throw .EOPNOTSUPP }
}

/// A run of file pages and what holds them.
public enum MappablePiece: Sendable {
    case memoryFile(offset: UInt64, length: UInt64)
    case hostFile(SharedHostDescriptor, offset: UInt64, length: UInt64)
    /// A hole of the file: reads as zeroes; ask with `forWriting` to fill it.
    case hole(length: UInt64)
    /// At or past the end of the file (rounded up to a page): SIGBUS.
    case beyondEnd(length: UInt64)

    public var length: UInt64 {
        switch self {
        case .memoryFile(_, let n), .hostFile(_, _, let n), .hole(let n), .beyondEnd(let n): n
        }
    }
}

/// One mapping of a file, as the file knows it.
public final class MappingRecord: Sendable {
    public let space: AddressSpaceReference
    /// A shared mapping that is writable, or may be made so with mprotect(2).
    public let mayWrite: Bool
    public init(space: AddressSpaceReference, mayWrite: Bool = false) {
        self.space = space
        self.mayWrite = mayWrite
    }

    /// Drops the host mappings of `[offset, offset+length)` of the file in this address space, so that the next access asks for
    /// backing again. With `includingPrivate` false, pages already copied for a private mapping stay. The file calls this
    /// without holding the lock that `backing` takes.
    public func invalidate(offset: UInt64, length: UInt64, includingPrivate: Bool) {
        space.space?.invalidateMappings(of: self, offset: offset, length: length, includingPrivate: includingPrivate)
    }
}

/// A weak reference to an address space.
public final class AddressSpaceReference: Sendable {
    private struct Box: Sendable {
        weak var space: AddressSpace?
    }
    private let box = Mutex(Box())

    /// Nil once the address space is gone.
    public var space: AddressSpace? { box.withLock { $0.space } }
    public init() {}

    func set(_ space: AddressSpace) { box.withLock { $0.space = space } }
}
