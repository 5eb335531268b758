import HostOS
import LinuxABI
import VirtualFileSystem

extension FileAttributes {
    /// As the host reports them, for a file of the Gofer's with the owners that the sandbox has for the host's.
    init(_ s: HostFileStatus, _ connection: GoferConnection? = nil) {
        self.init(
            device: s.device, inode: s.inode, mode: s.mode, linkCount: s.linkCount, uid: connection?.userInside(s.uid) ?? s.uid,
            gid: connection?.groupInside(s.gid) ?? s.gid)
        specialDevice = s.specialDevice
        size = s.size
        blockSize = s.blockSize == 0 ? 4096 : s.blockSize
        blocks = s.blocks
        accessTime = s.accessTime
        modificationTime = s.modificationTime
        changeTime = s.changeTime
        birthTime = s.birthTime
    }
}

extension FileSystemStatistics {
    init(_ s: HostFileSystemStatus) {
        self.init(magic: s.magic)
        blockSize = s.blockSize
        blocks = s.blocks
        freeBlocks = s.freeBlocks
        availableBlocks = s.availableBlocks
        files = s.files
        freeFiles = s.freeFiles
        nameLength = s.nameLength
    }
}

extension FileType {
    /// From `d_type`; nil for DT_UNKNOWN and DT_WHT.
    init?(directoryEntryType type: UInt8) { self.init(rawValue: UInt16(type) << 12) }
}
