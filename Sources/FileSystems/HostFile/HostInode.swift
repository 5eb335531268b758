import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// The file behind a host descriptor: what fstat(2) shows, and what opening /dev/stdin, /dev/stdout or /proc/self/fd/N opens.
final class HostInode: Inode {
    let descriptor: SharedHostDescriptor
    /// F_GETFL of the descriptor.
    let hostFlags: OpenFlags
    let type: FileType
    let number: UInt64
    let device: DeviceNumber
    let shared = InodeState()
    private let mappings = Mutex<[MappingRecord]>([])

    init(_ descriptor: SharedHostDescriptor) throws(Errno) {
        self.descriptor = descriptor
        hostFlags = try HostFileCalls.statusFlags(descriptor.number)
        let status = try HostFileStatus(of: descriptor.number)
        // Anonymous inodes of the host have no type.
        type = status.mode.type ?? .characterDevice
        number = status.inode
        device = status.device
    }

    var fileSystem: any FileSystem { HostStreamFileSystem.shared }
    /// The descriptor is open: nothing but its own access mode stands in the way.
    var opensItself: Bool { true }

    func attributes() throws(Errno) -> FileAttributes {
        var attributes = FileAttributes(try HostFileStatus(of: descriptor.number))
        if attributes.mode.type == nil { attributes.mode = FileMode(type, attributes.mode.permissions) }
        return attributes
    }

    func checkAccess(_ access: AccessMask, _ credentials: Credentials) throws(Errno) {
        // As the owner of the descriptor already passed the host's check.
        if access.contains(.execute) { throw .EACCES }
        if access.contains(.read), !hostFlags.isReadable { throw .EACCES }
        if access.contains(.write), !hostFlags.isWritable { throw .EACCES }
    }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        if flags.isReadable, !hostFlags.isReadable { throw .EACCES }
        if flags.isWritable, !hostFlags.isWritable { throw .EACCES }
        return HostFile(self, sharesPosition: false, appends: flags.contains(.append) && !hostFlags.contains(.append))
    }

    func truncate(to length: UInt64, caller: any Caller) throws(Errno) {
        guard let size = Int64(exactly: length) else { throw .EFBIG }
        try HostFileCalls.truncate(descriptor.number, to: size)
        let start = Page.up(length) ?? UInt64.max
        for record in mappings.withLock({ $0 }) {
            record.invalidate(offset: start, length: UInt64(Int64.max) - min(start, UInt64(Int64.max)), includingPrivate: true)
        }
    }
}

extension HostInode: MemoryMappable {
    func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        HostFilePieces.pieces(of: descriptor, size: try HostFileStatus(of: descriptor.number).size, offset: offset, length: length)
    }
    func addMapping(_ record: MappingRecord) { mappings.withLock { $0.append(record) } }
    func removeMapping(_ record: MappingRecord) {
        mappings.withLock { if let index = $0.firstIndex(where: { $0 === record }) { $0.remove(at: index) } }
    }
    var mappingIdentity: (device: DeviceNumber, inode: UInt64) { (device, number) }
    var mappableSize: UInt64 { (try? HostFileStatus(of: descriptor.number).size) ?? 0 }
    func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {
        try HostFileCalls.synchronize(descriptor.number, dataOnly: true)
    }
}

/// Where the inodes of host descriptors live. Nothing in it has a name.
final class HostStreamFileSystem: FileSystem {
    static let shared = HostStreamFileSystem()
    let typeName = "hostfd"
    let device = DeviceNumber(major: 0, minor: 2)
    let cachePolicy = CachePolicy.none
    /// Only a place holder: it is never mounted.
    var root: any Inode { Root() }
    func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x5049_5045) }

    private final class Root: Inode {
        let shared = InodeState()
        var fileSystem: any FileSystem { HostStreamFileSystem.shared }
        let number: UInt64 = 1
        let type = FileType.directory
        func attributes() throws(Errno) -> FileAttributes {
            FileAttributes(device: HostStreamFileSystem.shared.device, inode: 1, mode: FileMode(.directory, 0o555))
        }
    }
}
