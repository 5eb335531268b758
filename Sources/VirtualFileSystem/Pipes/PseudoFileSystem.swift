import HostOS
import LinuxABI
import Synchronization

/// A file system without names, whose inodes are reached through descriptors alone: pipefs and sockfs.
public final class PseudoFileSystem: FileSystem {
    public let typeName: String
    public let device: DeviceNumber
    private let magic: UInt64

    init(_ typeName: String, magic: UInt64, minor: UInt32) {
        self.typeName = typeName
        self.magic = magic
        device = DeviceNumber(major: 0, minor: minor)
    }

    public var root: any Inode { PseudoInode(self, FileMode(.directory, 0o755), credentials: nil) }
    public var cachePolicy: CachePolicy { .exclusive }
    public func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: magic) }

    private static let lastInode = Atomic<UInt64>(0x1000)
    /// A number no other pipe or socket has.
    static func nextInodeNumber() -> UInt64 { lastInode.add(1, ordering: .relaxed).newValue }
}

extension PseudoFileSystem {
    public static let pipes = PseudoFileSystem("pipefs", magic: 0x5049_5045, minor: 13)
    public static let sockets = PseudoFileSystem("sockfs", magic: 0x534f_434b, minor: 8)
}

/// The inode of an unnamed pipe or a socket: attributes, and for a pipe the pipe, so that /proc/PID/fd/N opens it anew.
public final class PseudoInode: Inode {
    private let owner: PseudoFileSystem
    public let number: UInt64
    public let type: FileType
    public let pipe: Pipe?
    public let shared = InodeState()
    private let kept: Mutex<FileAttributes>

    public init(_ owner: PseudoFileSystem, _ mode: FileMode, credentials: Credentials?, pipe: Pipe? = nil) {
        self.owner = owner
        self.pipe = pipe
        number = PseudoFileSystem.nextInodeNumber()
        type = mode.type ?? .fifo
        var attributes = FileAttributes(
            device: owner.device, inode: number, mode: mode, uid: credentials?.fileSystemUID ?? 0, gid: credentials?.fileSystemGID ?? 0)
        let now = HostClock.realtimeCoarse.timespec
        attributes.accessTime = now
        attributes.modificationTime = now
        attributes.changeTime = now
        kept = Mutex(attributes)
    }

    public var fileSystem: any FileSystem { owner }
    public func attributes() throws(Errno) -> FileAttributes { kept.withLock { $0 } }

    public func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        let now = HostClock.realtime.timespec
        func time(_ change: AttributeChange.TimeChange) -> Timespec {
            switch change {
            case .now: now
            case .set(let value): value
            }
        }
        kept.withLock {
            if let permissions = change.permissions { $0.mode.permissions = permissions }
            if let uid = change.uid { $0.uid = uid }
            if let gid = change.gid { $0.gid = gid }
            if let access = change.accessTime { $0.accessTime = time(access) }
            if let modification = change.modificationTime { $0.modificationTime = time(modification) }
            $0.changeTime = now
        }
    }

    public func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        guard pipe != nil else { throw .ENXIO }
        return try Pipe.openFIFO(inode: self, flags: flags, caller: caller)
    }
}

extension PseudoInode {
    /// `pipe:[N]` or `socket:[N]`, as /proc/PID/fd shows it.
    public var displayName: String { pipe != nil ? "pipe:[\(number)]" : "socket:[\(number)]" }
}
