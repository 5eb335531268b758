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
    /// As /proc/mounts shows them.
    private let shown: Mutex<TmpfsShownOptions>
    private let memoryBytes: UInt64
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
        memoryBytes = memoryFile.totalBytes
        shown = Mutex(TmpfsShownOptions(size: sizeLimit.map { _ in size }, inodes: inodeLimit, mode: mode, uid: uid, gid: gid))
        core.attach(self)
    }

    public var device: DeviceNumber { core.device }
    public var root: any Inode { rootNode }
    public var cachePolicy: CachePolicy { .exclusive }
    public var mountOptions: String { shown.withLock { $0.text } }

    /// A remount: size and number of files may change, but not to less than is in use; the rest is the first mount's.
    public func reconfigure(_ options: [UInt8], caller: any Caller) throws(Errno) {
        let wanted = try TmpfsMountOptions(options, memory: memoryBytes)
        var limits = core.limits
        if let size = wanted.size {
            limits.pages = Int(clamping: size >> Page.shift) + (size & (Page.size - 1) == 0 ? 0 : 1)
            guard limits.pages >= core.usedPages else { throw .EINVAL }
        }
        if let inodes = wanted.inodes {
            guard inodes >= core.usedInodes else { throw .EINVAL }
            limits.inodes = inodes
        }
        core.limits = limits
        shown.withLock {
            if let size = wanted.size { $0.size = size }
            if let inodes = wanted.inodes { $0.inodes = inodes }
        }
    }
    public func statistics() throws(Errno) -> FileSystemStatistics { core.statistics(magic: Self.magic) }
}

/// What /proc/mounts shows of an instance's options.
struct TmpfsShownOptions: Sendable {
    var size: UInt64?
    var inodes: Int?
    var mode: UInt16
    var uid: UInt32
    var gid: UInt32

    var text: String {
        var words: [String] = []
        if let size { words.append("size=\(size / 1024)k") }
        if let inodes { words.append("nr_inodes=\(inodes)") }
        if mode != 0o1777 { words.append("mode=" + String(mode, radix: 8)) }
        if uid != 0 { words.append("uid=\(uid)") }
        if gid != 0 { words.append("gid=\(gid)") }
        return words.joined(separator: ",")
    }
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
