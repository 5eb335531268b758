import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/PID/pagemap (proc_pid_pagemap(5)): 64 bits for each page. There are no frame numbers: they are zero, as for those without
/// CAP_SYS_ADMIN.
final class PageMapFile: SyntheticInode {
    private let reference: ProcessReference
    let shared = InodeState()
    init(_ reference: ProcessReference) { self.reference = reference }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.files, ProcessFile.pagemap.index) }
    var mode: FileMode { FileMode(.regular, 0o400) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        _ = try reference.task()
        try reference.requireInspection(caller)
        return PageMapOperations(reference.memory)
    }
}

final class PageMapOperations: FileOperations {
    private let memory: AddressSpace?
    init(_ memory: AddressSpace?) { self.memory = memory }

    private enum Bit {
        static let exclusive: UInt64 = 1 << 56
        static let file: UInt64 = 1 << 61
        static let present: UInt64 = 1 << 63
    }
    /// Entries that one pass makes.
    private static let piece: UInt64 = 4096

    var isSeekable: Bool { true }
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        // mem_lseek: any position, but none from the end.
        switch whence {
        case 0: return offset
        case 1: return current &+ offset
        default: throw .EINVAL
        }
    }

    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        guard case .offset(let offset) = position else { throw .EINVAL }
        guard offset & 7 == 0, buffer.remaining & 7 == 0 else { throw .EINVAL }
        guard let memory else { return 0 }
        var page = UInt64(bitPattern: offset) / 8
        let end = AddressLimits.end.rawValue / Page.size + 1
        var done = 0
        while buffer.remaining >= 8 && page < end {
            let count = min(UInt64(buffer.remaining / 8), end - page, Self.piece)
            let entries = Self.entries(memory, from: page, count: Int(count))
            done += try buffer.put(entries.flatMap { entry in (0..<8).map { UInt8(truncatingIfNeeded: entry >> ($0 * 8)) } })
            page += count
        }
        return done
    }

    private static func entries(_ memory: AddressSpace, from page: UInt64, count: Int) -> [UInt64] {
        var entries = [UInt64](repeating: 0, count: count)
        let range = GuestRange(
            start: GuestAddress(page * Page.size), end: GuestAddress((page + UInt64(count)) * Page.size))
        for region in memory.regions(countingResident: false) {
            guard let part = region.range.intersection(range), let present = try? memory.residency(part.start, length: part.length)
            else { continue }
            let isFile = region.file != nil || region.isShared
            let first = Int((part.start - range.start) / Page.size)
            for (index, byte) in present.enumerated() where byte & 1 != 0 && first + index < count {
                entries[first + index] = Bit.present | (isFile ? Bit.file : Bit.exclusive)
            }
        }
        return entries
    }
}
