import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// tmpfs: a file system that lives in the memory file.
public final class TmpfsFileSystem: FileSystem {
    /// linux/magic.h TMPFS_MAGIC.
    static let magic: UInt64 = 0x0102_1994

    public let typeName: String
    let core: TmpfsCore
    let rootNode: TmpfsInode
    let handles = TmpfsHandles()
    private let options: String
    public let userNamespace: UserNamespace?

    /// - Parameters:
    ///   - sizeLimit: bytes of file data; nil for half of the host's memory, as Linux.
    ///   - inodeLimit: nil for no limit.
    public init(
        memoryFile: MemoryFile, sizeLimit: UInt64? = nil, inodeLimit: Int? = nil, mode: UInt16 = 0o1777, uid: UInt32 = 0, gid: UInt32 = 0,
        typeName: String = "tmpfs", userNamespace: UserNamespace? = nil
    ) {
        self.userNamespace = userNamespace
        let size = sizeLimit ?? memoryFile.totalBytes / 2
        let pages = Int(size >> Page.shift) + (size & (Page.size - 1) == 0 ? 0 : 1)
        self.typeName = typeName
        core = TmpfsCore(memoryFile: memoryFile, limits: .init(pages: pages, inodes: inodeLimit ?? .max), lowerDevice: nil)
        let number = core.newNumber()
        rootNode = TmpfsInode(
            core: core, number: number, content: .directory(TmpfsDirectory(parentNumber: number)),
            mode: FileMode(.directory, mode), uid: uid, gid: gid)
        core.countInode()
        var options = sizeLimit == nil ? "" : "size=\(size / 1024)k"
        if let inodeLimit { options += (options.isEmpty ? "" : ",") + "nr_inodes=\(inodeLimit)" }
        if mode != 0o1777 { options += (options.isEmpty ? "" : ",") + "mode=" + String(mode, radix: 8) }
        if uid != 0 { options += (options.isEmpty ? "" : ",") + "uid=\(uid)" }
        if gid != 0 { options += (options.isEmpty ? "" : ",") + "gid=\(gid)" }
        self.options = options
        core.attach(self)
    }

    public var device: DeviceNumber { core.device }
    public var root: any Inode { rootNode }
    public var cachePolicy: CachePolicy { .exclusive }
    public var mountOptions: String { options }
    public func statistics() throws(Errno) -> FileSystemStatistics { core.statistics(magic: Self.magic) }
}

extension TmpfsCore {
    func statistics(magic: UInt64) -> FileSystemStatistics {
        var s = FileSystemStatistics(magic: magic)
        s.blocks = UInt64(limits.pages)
        s.freeBlocks = UInt64(max(0, limits.pages - usedPages))
        s.availableBlocks = s.freeBlocks
        // Without a limit, what Linux would take for the same size.
        s.files = limits.inodes == .max ? s.blocks : UInt64(limits.inodes)
        let used = UInt64(max(0, usedInodes))
        s.freeFiles = s.files > used ? s.files - used : 0
        return s
    }
}
