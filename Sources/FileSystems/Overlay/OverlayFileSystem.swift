import HostOS
import LinuxABI
import Memory
import VirtualFileSystem

/// A writable layer in the memory file over a read-only lower tree, in one: every inode shows its lower node until it is changed.
public final class OverlayFileSystem: FileSystem {
    /// linux/magic.h OVERLAYFS_SUPER_MAGIC.
    static let magic: UInt64 = 0x794c_7630

    let core: TmpfsCore
    let rootNode: TmpfsInode

    /// - Parameters:
    ///   - root: the lower root; must be a directory.
    ///   - sizeLimit: bytes that the writable layer may hold; nil for half of the host's memory.
    /// - Throws: ENOTDIR, and what asking `root` throws.
    public init(lower root: any LowerNode, memoryFile: MemoryFile, sizeLimit: UInt64? = nil) throws(Errno) {
        guard root.type == .directory else { throw .ENOTDIR }
        let attributes = try root.attributes()
        let size = sizeLimit ?? memoryFile.totalBytes / 2
        let pages = Int(size >> Page.shift) + (size & (Page.size - 1) == 0 ? 0 : 1)
        core = TmpfsCore(memoryFile: memoryFile, limits: .init(pages: pages, inodes: .max), lowerDevice: attributes.device)
        let number = core.number(forHost: attributes.inode, device: attributes.device)
        rootNode = TmpfsInode(
            core: core, lower: root, attributes: attributes,
            content: .directory(TmpfsDirectory(lower: root, device: attributes.device, parentNumber: number)),
            identity: nil, isPinned: true)
        core.attach(self)
    }

    public var typeName: String { "overlay" }
    public var device: DeviceNumber { core.device }
    public var root: any Inode { rootNode }
    public var cachePolicy: CachePolicy { .exclusive }
    public func statistics() throws(Errno) -> FileSystemStatistics { core.statistics(magic: Self.magic) }
}
