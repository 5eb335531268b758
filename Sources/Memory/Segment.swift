import HostOS
import LinuxABI
import Platform

/// What lies behind a run of guest pages at the moment: Linux's page-table entries, as runs. A segment repeats the protection
/// of its area, so that user copy needs no second look-up; it may go on in a neighbouring area of the same protection.
struct Segment: RangeValue {
    var source: MappingSource
    /// Of the area.
    var protection: Protection
    /// A store may go straight to the source. False: copy-on-write (private), or the file must be asked first (shared).
    var isWritable: Bool
    /// The host mapping exists in the stub.
    var isMapped: Bool
    /// The source belongs to the mapped file, not to this address space alone.
    var isFilePage: Bool

    func advanced(by distance: UInt64) -> Segment {
        var copy = self
        copy.source = source.advanced(by: distance)
        return copy
    }

    func joins(_ next: Segment, after length: UInt64) -> Bool {
        protection == next.protection && isWritable == next.isWritable && isMapped == next.isMapped
            && isFilePage == next.isFilePage && source.isContinued(by: next.source, after: length)
    }

    /// The protection of the host mapping. Reading comes with any access, as on x86 without protection keys.
    var hostProtection: Protection {
        var result = protection.intersection(Area.accessMask)
        if result.isEmpty { return result }
        result.insert(.read)
        if !isWritable { result.remove(.write) }
        return result
    }
    var isReadable: Bool { !protection.isDisjoint(with: Area.accessMask) }

    var memoryOffset: UInt64? {
        if case .memoryFile(let offset) = source { return offset }
        return nil
    }
}

extension MappingSource {
    func advanced(by distance: UInt64) -> MappingSource {
        switch self {
        case .memoryFile(let offset): .memoryFile(offset: offset &+ distance)
        case .hostFile(let file, let offset): .hostFile(file, offset: offset &+ distance)
        }
    }

    func isContinued(by next: MappingSource, after length: UInt64) -> Bool {
        switch (self, next) {
        case (.memoryFile(let a), .memoryFile(let b)): a &+ length == b
        case (.hostFile(let f, let a), .hostFile(let g, let b)): f === g && a &+ length == b
        default: false
        }
    }
}
