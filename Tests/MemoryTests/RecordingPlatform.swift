import HostOS
import LinuxABI
import Memory
import Platform
import Synchronization

/// A platform whose address spaces only record host mappings, so that tests can act as the guest: an access is made through the
/// recorded mapping, and a missing one is a fault.
final class RecordingPlatform: Platform {
    let name = "recording"
    let vdso: VDSOPlacement?

    init(vdso: VDSOPlacement? = nil) { self.vdso = vdso }

    func makeAddressSpace() throws(Errno) -> any PlatformAddressSpace { RecordingSpace() }
}

final class RecordingSpace: PlatformAddressSpace {
    struct HostMapping: Sendable {
        var range: GuestRange
        var protection: Protection
        var source: MappingSource
    }
    struct State: Sendable {
        var mappings: [HostMapping] = []
        var batches = 0
        var isDestroyed = false
    }
    let state = Mutex(State())

    func apply(_ changes: [MappingChange]) throws(Errno) {
        state.withLock { state in
            state.batches += 1
            for change in changes {
                switch change {
                case .map(let range, let protection, let source, _):
                    Self.cut(&state.mappings, range)
                    state.mappings.append(HostMapping(range: range, protection: protection, source: source))
                case .unmap(let range): Self.cut(&state.mappings, range)
                case .protect(let range, let protection):
                    for piece in Self.cut(&state.mappings, range) {
                        state.mappings.append(HostMapping(range: piece.range, protection: protection, source: piece.source))
                    }
                }
            }
        }
    }

    /// Takes what lies in `range` out and returns it.
    @discardableResult
    private static func cut(_ mappings: inout [HostMapping], _ range: GuestRange) -> [HostMapping] {
        var kept: [HostMapping] = []
        var taken: [HostMapping] = []
        func part(_ mapping: HostMapping, _ start: GuestAddress, _ end: GuestAddress) -> HostMapping? {
            guard start < end else { return nil }
            let distance = start - mapping.range.start
            let source: MappingSource =
                switch mapping.source {
                case .memoryFile(let offset): .memoryFile(offset: offset + distance)
                case .hostFile(let file, let offset): .hostFile(file, offset: offset + distance)
                }
            return HostMapping(range: GuestRange(start: start, end: end), protection: mapping.protection, source: source)
        }
        for mapping in mappings {
            guard mapping.range.overlaps(range) else {
                kept.append(mapping)
                continue
            }
            if let before = part(mapping, mapping.range.start, min(mapping.range.end, range.start)) { kept.append(before) }
            if let after = part(mapping, max(mapping.range.start, range.end), mapping.range.end) { kept.append(after) }
            if let inside = part(mapping, max(mapping.range.start, range.start), min(mapping.range.end, range.end)) {
                taken.append(inside)
            }
        }
        mappings = kept
        return taken
    }

    func mapping(at address: GuestAddress) -> HostMapping? {
        state.withLock { $0.mappings.first { $0.range.contains(address) } }
    }
    var batches: Int { state.withLock { $0.batches } }

    func makeContext() throws(Errno) -> any PlatformContext { throw .ENOSYS }
    func destroy() {
        state.withLock {
            $0.mappings = []
            $0.isDestroyed = true
        }
    }
}

/// What an access by guest code comes to.
enum GuestResult: Equatable {
    case byte(UInt8)
    case signal(Int32, code: Int32)

    static let accessError = GuestResult.signal(11, code: SignalInfo.SEGV_ACCERR)
    static let mapError = GuestResult.signal(11, code: SignalInfo.SEGV_MAPERR)
    static let busError = GuestResult.signal(7, code: SignalInfo.BUS_ADRERR)
}

extension AddressSpace {
    /// A load, or with `storing` a store, by guest code.
    func guest(_ address: GuestAddress, storing byte: UInt8? = nil, access: Fault.Access = .unknown) -> GuestResult {
        guard let space = platformSpace as? RecordingSpace else { return .mapError }
        for _ in 0..<8 {
            if let mapping = space.mapping(at: address), mapping.protection.contains(byte == nil ? .read : .write),
                case .memoryFile(let base) = mapping.source
            {
                let offset = base + (address - mapping.range.start)
                return .byte(
                    memoryFile.withMutableBytes(offset, 1) { bytes in
                        if let byte { bytes.storeBytes(of: byte, toByteOffset: 0, as: UInt8.self) }
                        return byte ?? 0
                    } | (byte == nil ? read(offset) : 0))
            }
            let info = SignalInfo(.SIGSEGV, code: SignalInfo.SEGV_MAPERR)
            if case .signal(let info) = handleFault(Fault(address: address, access: access, info: info)) {
                return .signal(info.signo, code: info.code)
            }
        }
        return .signal(0, code: 0)
    }

    private func read(_ offset: UInt64) -> UInt8 {
        memoryFile.withBytes(offset, 1) { $0.unsafeLoadByte() }
    }

    func anonymous(
        _ length: UInt64, at address: UInt64 = 0, _ protection: Protection = [.read, .write], _ flags: MapFlags = .private
    ) throws(Errno) -> GuestAddress {
        try map(
            MapRequest(
                address: GuestAddress(address), length: length, protection: protection, flags: flags.union(.anonymous)))
    }
}

extension RawSpan {
    func unsafeLoadByte() -> UInt8 { unsafe unsafeLoad(as: UInt8.self) }
}

/// A file in the memory file, as tmpfs has it.
final class TestFile: MemoryMappable, MappedFileOwner {
    struct State: Sendable {
        var size: UInt64
        var records: [MappingRecord] = []
        var isSealed = false
    }
    let memoryFile: MemoryFile
    let offset: UInt64
    let capacity: UInt64
    let state: Mutex<State>

    init(_ memoryFile: MemoryFile, size: UInt64, fill: UInt8) throws(Errno) {
        self.memoryFile = memoryFile
        capacity = 4 << 20
        offset = try memoryFile.allocate(capacity)
        state = Mutex(State(size: size))
        memoryFile.withMutableBytes(offset, Int(size)) { bytes in
            for i in 0..<bytes.byteCount { bytes.storeBytes(of: fill, toByteOffset: i, as: UInt8.self) }
        }
    }
    deinit { memoryFile.release(offset, capacity) }

    func truncate(to size: UInt64) {
        let records = state.withLock {
            $0.size = size
            return $0.records
        }
        let first = Page.up(size) ?? 0
        for record in records { record.invalidate(offset: first, length: .max, includingPrivate: true) }
    }

    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        let end = Page.up(state.withLock { $0.size }) ?? 0
        guard offset < end else { return [.beyondEnd(length: length)] }
        let present = min(length, end - offset)
        memoryFile.retain(self.offset + offset, present)
        return [.memoryFile(offset: self.offset + offset, length: present)]
    }
    func addMapping(_ record: MappingRecord) { state.withLock { $0.records.append(record) } }
    func removeMapping(_ record: MappingRecord) { state.withLock { $0.records.removeAll { $0 === record } } }
    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { (DeviceNumber(major: 0, minor: 9), 7) }
    var mappableSize: UInt64 { state.withLock { $0.size } }
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {}
    var mappedPath: [UInt8] { Array("/test".utf8) }

    func mapped(writable: Bool = true) -> MappedFile {
        MappedFile(mappable: self, owner: self, allowsSharedWrite: writable, allowsExecute: true)
    }
    var recordCount: Int { state.withLock { $0.records.count } }
}
