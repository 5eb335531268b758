import HostOS
import LinuxABI
import Platform

/// A guest address space: VMAs, their backing, and the host mappings that follow from them (DESIGN §4). Linux's `mm_struct`.
public final class AddressSpace: Sendable {
    public let platformSpace: any PlatformAddressSpace
    public let memoryFile: MemoryFile

    public init(platform: any Platform, memoryFile: MemoryFile) throws(Errno) {
        self.platformSpace = try platform.makeAddressSpace()
        self.memoryFile = memoryFile
    }

    /// A copy for fork(2): private mappings copy-on-write in both, shared mappings shared, MADV_DONTFORK left out.
    public func fork(platform: any Platform) throws(Errno) -> AddressSpace { throw .ENOSYS }

    /// Drops everything and gives the stub back. Called when the last task leaves (exit, execve).
    public func tearDown() {}

    func invalidateMappings(of record: MappingRecord, offset: UInt64, length: UInt64, includingPrivate: Bool) {}

    // MARK: mappings

    public struct MapRequest: Sendable {
        public var address: GuestAddress
        public var length: UInt64
        public var protection: Protection
        public var flags: MapFlags
        /// Nil for anonymous memory.
        public var file: MappedFile?
        public var offset: UInt64
        public init(
            address: GuestAddress, length: UInt64, protection: Protection, flags: MapFlags, file: MappedFile? = nil, offset: UInt64 = 0
        ) {
            self.address = address
            self.length = length
            self.protection = protection
            self.flags = flags
            self.file = file
            self.offset = offset
        }
    }

    /// mmap(2), all flags and errors except those that concern the descriptor's access mode (EACCES), which the system call checks.
    public func map(_ request: MapRequest) throws(Errno) -> GuestAddress { throw .ENOSYS }
    public func unmap(_ address: GuestAddress, length: UInt64) throws(Errno) { throw .ENOSYS }
    public func protect(_ address: GuestAddress, length: UInt64, _ protection: Protection) throws(Errno) { throw .ENOSYS }
    /// brk(2): the new break, or the old one when the request can't be met.
    public func setBreak(_ address: GuestAddress) -> GuestAddress { address }
    /// Where the heap starts; set by the loader.
    public func initializeBreak(_ address: GuestAddress) {}

    /// Resolves a fault taken by guest code, or says which signal it raises (with siginfo filled in).
    public func handleFault(_ fault: Fault) -> FaultOutcome { .signal(fault.info) }

    public enum FaultOutcome: Sendable {
        case resolved
        case signal(SignalInfo)
    }

    // MARK: what procfs shows

    public struct Region: Sendable {
        public var range: GuestRange
        public var protection: Protection
        public var isShared: Bool
        public var fileOffset: UInt64
        public var file: MappedFile?
        /// `[heap]`, `[stack]`, `[vdso]`, or empty.
        public var label: String
        public var isLocked: Bool
        public var residentBytes: UInt64
    }
    /// All regions in order of address.
    public func regions() -> [Region] { [] }

    // MARK: words shared with the guest

    /// Identity of a futex word: private ones by address space and address, shared ones by what backs them.
    public func futexKey(_ address: GuestAddress, shared: Bool) throws(Errno) -> FutexKey { throw .EFAULT }
    /// Sequentially consistent operations on an aligned 32-bit guest word. They fault pages in as guest code would.
    /// - Throws: EFAULT, EINVAL when misaligned.
    public func atomicLoad(_ address: GuestAddress) throws(Errno) -> UInt32 { throw .EFAULT }
    /// Returns the value found; equal to `expected` when the exchange was made.
    public func atomicCompareExchange(_ address: GuestAddress, expected: UInt32, desired: UInt32) throws(Errno) -> UInt32 {
        throw .EFAULT
    }

    // MARK: user copy. All throw EFAULT where the guest itself could not access the page.

    public func load<T: GuestData>(_ type: T.Type, at address: GuestAddress) throws(Errno) -> T { throw .EFAULT }
    public func store<T: GuestData>(_ value: T, at address: GuestAddress) throws(Errno) { throw .EFAULT }
    public func loadArray<T: GuestData>(_ type: T.Type, at address: GuestAddress, count: Int) throws(Errno) -> [T] { throw .EFAULT }
    public func storeArray<T: GuestData>(_ values: [T], at address: GuestAddress) throws(Errno) { throw .EFAULT }
    public func copyIn(_ address: GuestAddress, count: Int) throws(Errno) -> [UInt8] { throw .EFAULT }
    public func copyOut(_ bytes: [UInt8], to address: GuestAddress) throws(Errno) { throw .EFAULT }
    public func copyOut(_ bytes: RawSpan, to address: GuestAddress) throws(Errno) { throw .EFAULT }
    public func zero(_ address: GuestAddress, count: UInt64) throws(Errno) { throw .EFAULT }
    /// A NUL-terminated string, without the NUL.
    /// - Throws: ENAMETOOLONG when no NUL lies within `limit` bytes.
    public func copyInString(_ address: GuestAddress, limit: Int) throws(Errno) -> [UInt8] { throw .EFAULT }
}

/// A file as a VMA holds it: the mappable, and the open file (its path shows in /proc/PID/maps, its reference keeps it open).
public struct MappedFile: Sendable {
    public var mappable: any MemoryMappable
    /// Keeps the file description alive and names it; a `FileDescription` in practice.
    public var owner: any MappedFileOwner
    /// Whether a shared mapping may be (made) writable: the description was opened for writing.
    public var allowsSharedWrite: Bool
    /// Whether PROT_EXEC is allowed: false on a noexec mount.
    public var allowsExecute: Bool
    public init(mappable: any MemoryMappable, owner: any MappedFileOwner, allowsSharedWrite: Bool, allowsExecute: Bool) {
        self.mappable = mappable
        self.owner = owner
        self.allowsSharedWrite = allowsSharedWrite
        self.allowsExecute = allowsExecute
    }
}

public protocol MappedFileOwner: AnyObject, Sendable {
    /// The path for /proc/PID/maps, with ` (deleted)` where due.
    var mappedPath: [UInt8] { get }
}

public struct FutexKey: Hashable, Sendable {
    /// Identity of the address space (private) or of the file that backs the word (shared).
    public var object: ObjectIdentifier
    public var offset: UInt64
    public init(object: ObjectIdentifier, offset: UInt64) {
        self.object = object
        self.offset = offset
    }
}
