import HostOS
import LinuxABI
import Platform
import Synchronization

/// A guest address space: VMAs, their backing, and the host mappings that follow from them (DESIGN §4). Linux's `mm_struct`.
///
/// One lock guards it all. Platform changes are made with it held; files' locks and then the memory file's come after it. See the
/// module's README.
public final class AddressSpace: Sendable {
    public let platformSpace: any PlatformAddressSpace
    public let memoryFile: MemoryFile
    let vdso: VDSOPlacement?
    private let lowestAddress: GuestAddress
    let reference = AddressSpaceReference()
    let state: HostMutex<AddressSpaceState>
    /// MEMBARRIER_CMD_REGISTER_* that were given.
    private let barriers = Atomic<UInt32>(0)

    /// An address space with nothing in it but the vDSO: what execve starts from.
    public init(platform: any Platform, memoryFile: MemoryFile, limits: MemoryLimits) throws(Errno) {
        let space = try platform.makeAddressSpace()
        platformSpace = space
        self.memoryFile = memoryFile
        vdso = platform.vdso
        lowestAddress = platform.lowestAddress
        state = HostMutex(
            AddressSpaceState(
                platformSpace: space, vdso: platform.vdso, memoryFile: memoryFile, limits: limits, lowest: platform.lowestAddress))
        reference.set(self)
        space.attach(reference)
    }

    public convenience init(platform: any Platform, memoryFile: MemoryFile) throws(Errno) {
        try self.init(platform: platform, memoryFile: memoryFile, limits: MemoryLimits())
    }

    deinit { tearDown() }

    /// The registrations of membarrier(2) so far. Children inherit them.
    public var barrierRegistrations: UInt32 { barriers.load(ordering: .sequentiallyConsistent) }
    public func registerBarriers(_ commands: UInt32) { barriers.bitwiseOr(commands, ordering: .sequentiallyConsistent) }

    /// Runs `body` under the lock. File mappings that lost their last area go after it: the last reference to a file does work of its own.
    func locked<R: Sendable>(_ body: (inout AddressSpaceState) throws(Errno) -> R) throws(Errno) -> R {
        var garbage: [FileMapping] = []
        defer { if !garbage.isEmpty { garbage.removeAll() } }
        return try state.withLock { state throws(Errno) in
            defer { if !state.garbage.isEmpty { swap(&garbage, &state.garbage) } }
            return try body(&state)
        }
    }

    /// A copy for fork(2): private mappings copy-on-write in both, shared mappings shared, MADV_DONTFORK left out.
    /// - Throws: ENOMEM, EAGAIN.
    public func fork(platform: any Platform) throws(Errno) -> AddressSpace {
        let child = try AddressSpace(platform: platform, memoryFile: memoryFile)
        child.registerBarriers(barrierRegistrations)
        // The child exists, locked, before its mappings register with their files: a file that takes pages back meanwhile
        // waits here and finds them.
        try locked { parent throws(Errno) in
            try child.state.withLock { state throws(Errno) in try parent.fork(into: &state, child.reference) }
        }
        return child
    }

    /// Drops everything and gives the stub back. Called when the last task leaves (exit, execve). No task runs in it any more.
    public func tearDown() {
        var garbage: [FileMapping] = []
        state.withLock { state in
            guard !state.isDestroyed else { return }
            state.isDestroyed = true
            // First the stub, then the memory it could reach.
            platformSpace.destroy()
            var ranges = state.stranded
            for i in 0..<state.segments.count {
                if let offset = state.segments.values[i].memoryOffset {
                    ranges.append(MemoryRange(offset: offset, length: state.segments.uppers[i] - state.segments.lowers[i]))
                }
            }
            ranges.append(contentsOf: state.dropped)
            state.dropped = []
            state.stranded = []
            state.changes = []
            if state.pins.isEmpty {
                ranges.append(contentsOf: state.quarantine.map(\.range))
                state.quarantine = []
                memoryFile.release(ranges)
            } else {
                for range in ranges { state.quarantine.append((range, state.nextPin)) }
            }
            state.releaseHeapReserve()
            for i in 0..<state.areas.count {
                if let mapping = state.areas.values[i].mapping { garbage.append(mapping) }
            }
            garbage.append(contentsOf: state.garbage)
            state.garbage = []
            state.segments.removeAll()
            state.areas.removeAll()
            state.segmentsChanged()
            state.virtualBytes = 0
            state.dataBytes = 0
            state.lockedBytes = 0
        }
        garbage.removeAll()
    }

    /// See `MappingRecord.invalidate`.
    func invalidateMappings(of record: MappingRecord, offset: UInt64, length: UInt64, includingPrivate: Bool) {
        let first = Page.down(offset)
        let (sum, overflow) = offset.addingReportingOverflow(length)
        let last = overflow ? UInt64.max : Page.up(sum) ?? .max
        _ = try? locked { state throws(Errno) in
            for i in 0..<state.areas.count {
                let area = state.areas.values[i]
                guard let mapping = area.mapping, mapping.record === record else { continue }
                let lower = state.areas.lowers[i]
                let size = state.areas.uppers[i] - lower
                let start = max(first, area.offset)
                let end = min(last, area.offset.addingReportingOverflow(size).overflow ? .max : area.offset + size)
                guard start < end else { continue }
                let from = lower + (start - area.offset)
                let to = lower + (end - area.offset)
                for j in state.segments.isolate(from, to).reversed()
                where includingPrivate || state.segments.values[j].isFilePage {
                    state.dropSegments(state.segments.lowers[j], state.segments.uppers[j])
                }
                do throws(Errno) { try state.flush() } catch { state.recover(from, to) }
            }
        }
    }

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
    public func map(_ request: MapRequest) throws(Errno) -> GuestAddress {
        let checked = try AddressSpaceState.check(request, lowest: lowestAddress.rawValue)
        var mapping: FileMapping?
        if let file = request.file {
            mapping = FileMapping(file, reference)
            if checked.isShared && file.allowsSharedWrite && file.mappable.refusesSharedWrites { throw .EPERM }
        } else if checked.isShared {
            if !checked.flags.contains(.noReserve) && checked.length > memoryFile.totalBytes { throw .ENOMEM }
            mapping = FileMapping(anonymous: try AnonymousSharedObject(memoryFile, length: checked.length), reference)
        }
        return GuestAddress(try locked { state throws(Errno) in try state.map(checked, mapping) })
    }

    /// munmap(2). - Throws: EINVAL, ENOMEM at the limit of areas, EPERM for sealed memory and the vDSO.
    public func unmap(_ address: GuestAddress, length: UInt64) throws(Errno) {
        let rounded = try AddressSpaceState.checkUnmap(address.rawValue, length)
        try locked { state throws(Errno) in try state.unmap(address.rawValue, address.rawValue + rounded) }
    }

    /// mprotect(2), PROT_GROWSDOWN included. - Throws: EINVAL, ENOMEM, EACCES, EPERM.
    public func protect(_ address: GuestAddress, length: UInt64, _ protection: Protection) throws(Errno) {
        try locked { state throws(Errno) in try state.protect(address.rawValue, length, protection) }
    }

    /// mremap(2). Returns where the mapping is now. - Throws: EINVAL, EFAULT, ENOMEM, EAGAIN, EPERM.
    public func remap(
        _ address: GuestAddress, oldLength: UInt64, newLength: UInt64, flags: RemapFlags, newAddress: GuestAddress
    ) throws(Errno) -> GuestAddress {
        GuestAddress(
            try locked { state throws(Errno) in
                try state.remap(address.rawValue, oldLength, newLength, flags, newAddress.rawValue)
            })
    }

    /// remap_file_pages(2), emulated by mapping anew as Linux does since 4.0. `page` is the file offset in pages.
    /// - Throws: EINVAL, ENOMEM.
    public func remapFilePages(_ address: GuestAddress, length: UInt64, page: UInt64) throws(Errno) {
        let start = Page.down(address.rawValue)
        let size = Page.down(length)
        guard size != 0, !start.addingReportingOverflow(size).overflow,
            !page.addingReportingOverflow(size >> Page.shift).overflow, page <= UInt64.max >> Page.shift
        else { throw .EINVAL }
        try locked { state throws(Errno) in
            guard let (_, upper, area) = state.area(containing: start), area.isShared, let mapping = area.mapping,
                start + size <= upper
            else { throw .EINVAL }
            var flags: MapFlags = [.shared, .fixed, .populate]
            if area.flags.contains(.locked) { flags.insert(.locked) }
            let request = AddressSpaceState.CheckedRequest(
                address: start, length: size, protection: area.protection, flags: flags, isShared: true, isFixed: true,
                offset: page << Page.shift)
            _ = try state.map(request, mapping)
        }
    }

    /// mseal(2). - Throws: EINVAL, ENOMEM for holes.
    public func seal(_ address: GuestAddress, length: UInt64) throws(Errno) {
        guard address.isPageAligned, let rounded = Page.up(length), let end = address.adding(rounded) else { throw .EINVAL }
        guard rounded != 0 else { return }
        try locked { state throws(Errno) in
            guard state.areas.contains(address.rawValue, end.rawValue) else { throw .ENOMEM }
            for i in state.areas.isolate(address.rawValue, end.rawValue) {
                var area = state.areas.values[i]
                area.flags.insert(.sealed)
                state.setArea(area, at: i)
            }
            state.areas.join(address.rawValue, end.rawValue)
        }
    }

    /// brk(2): the new break, or the old one when the request can't be met.
    public func setBreak(_ address: GuestAddress) -> GuestAddress {
        guard let result = try? locked({ state throws(Errno) in state.setBreak(address.rawValue) }) else { return .null }
        return GuestAddress(result)
    }

    /// Where the heap starts; set by the loader.
    public func initializeBreak(_ address: GuestAddress) {
        state.withLock {
            $0.breakStart = address.rawValue
            $0.breakEnd = address.rawValue
        }
    }

    /// An address in the initial stack, so that procfs can tell `[stack]`. Without this call the first MAP_GROWSDOWN mapping is it.
    public func initializeStack(_ address: GuestAddress) { state.withLock { $0.stackAddress = address.rawValue } }

    /// Where the loader should put things.
    public var layout: AddressLayout { state.withLock { $0.layout } }

    /// Where the vDSO's ELF header lies, for AT_SYSINFO_EHDR; nil where the platform has none.
    public var vdsoAddress: GuestAddress? { vdso?.code.start }

    /// The limits that hold from now on.
    public var limits: MemoryLimits {
        get { state.withLock { $0.limits } }
        set { state.withLock { $0.limits = newValue } }
    }

    /// Resolves a fault taken by guest code, or says which signal it raises (with siginfo filled in).
    public func handleFault(_ fault: Fault) -> FaultOutcome {
        let outcome = try? locked { state throws(Errno) in state.resolve(fault) }
        return outcome ?? .signal(fault.info)
    }

    public enum FaultOutcome: Sendable {
        case resolved
        case signal(SignalInfo)
    }

    // MARK: advice, residency, locks

    /// madvise(2). - Throws: EINVAL, ENOMEM for holes, EACCES, EPERM, EFAULT, and the file's errors for MADV_REMOVE.
    public func advise(_ address: GuestAddress, length: UInt64, advice: Int32) throws(Errno) {
        let pieces = try locked { state throws(Errno) in try state.advise(address.rawValue, length, advice) }
        for piece in pieces { try piece.mapping.mappable.punchHole(offset: piece.offset, length: piece.length) }
    }

    /// mincore(2) for whole pages: one byte per page, 1 when present. - Throws: ENOMEM for holes.
    public func residency(_ address: GuestAddress, length: UInt64) throws(Errno) -> [UInt8] {
        guard address.adding(length) != nil else { throw .ENOMEM }
        return try locked { state throws(Errno) in try state.residency(address.rawValue, length) }
    }

    /// msync(2) for whole pages. - Throws: ENOMEM for holes (after the rest was done), EBUSY, EIO.
    public func synchronize(_ address: GuestAddress, length: UInt64, invalidating: Bool, waiting: Bool) throws(Errno) {
        guard let end = address.adding(length) else { throw .ENOMEM }
        let found = try locked { state throws(Errno) in
            try state.sharedPieces(address.rawValue, end.rawValue, invalidating: invalidating)
        }
        if waiting {
            for piece in found.pieces { try piece.mapping.mappable.synchronizeMapping(offset: piece.offset, length: piece.length) }
        }
        if found.hasHoles { throw .ENOMEM }
    }

    /// mlock(2) and mlock2(2). - Throws: EPERM, ENOMEM, EINVAL, EAGAIN.
    public func lock(_ address: GuestAddress, length: UInt64, onFault: Bool) throws(Errno) {
        try locked { state throws(Errno) in try state.lock(address.rawValue, length, onFault: onFault) }
    }
    public func unlock(_ address: GuestAddress, length: UInt64) throws(Errno) {
        try locked { state throws(Errno) in try state.unlock(address.rawValue, length) }
    }
    /// mlockall(2). - Throws: EPERM, ENOMEM.
    public func lockAll(current: Bool, future: Bool, onFault: Bool) throws(Errno) {
        try locked { state throws(Errno) in try state.lockAll(current: current, future: future, onFault: onFault) }
    }
    public func unlockAll() { state.withLock { $0.unlockAll() } }
}

/// A file as a VMA holds it: the mappable, and the open file (its path shows in /proc/PID/maps, its reference keeps it open).
public struct MappedFile: Sendable {
    public var mappable: any MemoryMappable
    /// Keeps the file description alive and names it; a `FileDescription` in practice.
    public var owner: any MappedFileOwner
    /// Whether the mapping is shared and may be (made) writable: the description was opened for writing, and the file is not sealed
    /// against it.
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
