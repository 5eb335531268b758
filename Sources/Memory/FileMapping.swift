import LinuxABI

/// What a VMA maps when that is not private anonymous memory: a file, or a shared anonymous object. Made once per mmap (and per
/// fork); VMAs cut from the mapping share it. It registers with the file for as long as it lives.
final class FileMapping: Sendable {
    let mappable: any MemoryMappable
    /// Nil for anonymous shared memory.
    let file: MappedFile?
    let record: MappingRecord

    init(_ file: MappedFile, _ reference: AddressSpaceReference) {
        self.file = file
        mappable = file.mappable
        record = MappingRecord(space: reference, mayWrite: file.allowsSharedWrite)
        mappable.addMapping(record)
    }

    init(anonymous object: AnonymousSharedObject, _ reference: AddressSpaceReference) {
        file = nil
        mappable = object
        record = MappingRecord(space: reference)
    }

    /// The same for a forked address space.
    init(copying other: FileMapping, _ reference: AddressSpaceReference) {
        file = other.file
        mappable = other.mappable
        record = MappingRecord(space: reference, mayWrite: other.record.mayWrite)
        if file != nil { mappable.addMapping(record) }
    }

    deinit { if file != nil { mappable.removeMapping(record) } }

    /// Whether a VMA of `other` may continue one of `self`.
    func isSameFile(as other: FileMapping) -> Bool {
        if self === other { return true }
        guard let file, let theirs = other.file else { return false }
        return file.owner === theirs.owner && mappable === other.mappable
    }
}

/// Shared anonymous memory: Linux's shmem file behind MAP_SHARED | MAP_ANONYMOUS. Its pages are reserved at once and stay until the
/// last mapping goes, whichever process holds it.
final class AnonymousSharedObject: MemoryMappable {
    let memoryFile: MemoryFile
    let offset: UInt64
    let length: UInt64
    let inode: UInt64

    init(_ memoryFile: MemoryFile, length: UInt64) throws(Errno) {
        offset = try memoryFile.allocate(length)
        self.memoryFile = memoryFile
        self.length = length
        // Unique among live objects: each starts at its own page of the memory file.
        inode = offset / Page.size + 1
    }

    deinit { memoryFile.release(offset, length) }

    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        guard offset < self.length else { return [.beyondEnd(length: length)] }
        let present = min(length, self.length - offset)
        memoryFile.retain(self.offset + offset, present)
        var pieces: [MappablePiece] = [.memoryFile(offset: self.offset + offset, length: present)]
        if present < length { pieces.append(.beyondEnd(length: length - present)) }
        return pieces
    }

    func addMapping(_ record: MappingRecord) {}
    func removeMapping(_ record: MappingRecord) {}
    /// As Linux's internal shmem mount shows: device 0:1.
    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { (DeviceNumber(major: 0, minor: 1), inode) }
    var mappableSize: UInt64 { length }
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {}

    func punchHole(offset: UInt64, length: UInt64) throws(Errno) {
        guard offset < self.length else { return }
        memoryFile.decommit(self.offset + offset, min(length, self.length - offset))
    }
}
