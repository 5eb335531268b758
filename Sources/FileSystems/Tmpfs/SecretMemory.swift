import LinuxABI
import Memory
import VirtualFileSystem

/// The open file of memfd_secret(2): it can be given a size once and be mapped, and nothing else.
public final class SecretFile: FileOperations {
    private let memory: SecretMemory
    init(_ memory: SecretMemory) { self.memory = memory }

    public var mappable: (any MemoryMappable)? { memory }
    public func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno) { throw .EOPNOTSUPP }
}

/// Its memory: that of an unnamed file, marked as secret.
final class SecretMemory: MemoryMappable {
    private let data: TmpfsData
    init(_ data: TmpfsData) { self.data = data }

    var isSecret: Bool { true }
    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { data.mappingIdentity }
    var mappableSize: UInt64 { data.mappableSize }
    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        try data.backing(offset: offset, length: length, forWriting: forWriting)
    }
    func addMapping(_ record: MappingRecord) { data.addMapping(record) }
    func removeMapping(_ record: MappingRecord) { data.removeMapping(record) }
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {}
}

extension AnonymousMemory {
    /// - Throws: ENOSPC.
    public static func makeSecretFile(_ memoryFile: MemoryFile, uid: UInt32, gid: UInt32) throws(Errno) -> FileDescription {
        let core = fileSystem(memoryFile).core
        try core.chargeInode()
        let number = core.newNumber()
        let data = TmpfsData(core: core, inodeNumber: number)
        let inode = TmpfsInode(
            core: core, number: number, content: .regular(data), mode: FileMode(.regular, 0o600), uid: uid, gid: gid, linkCount: 0)
        AddressSpace.noteSecretMemory()
        return FileDescription(
            operations: SecretFile(SecretMemory(data)), inode: inode, anonymousName: "/secretmem (deleted)",
            flags: [.readWrite, .largeFile])
    }
}
