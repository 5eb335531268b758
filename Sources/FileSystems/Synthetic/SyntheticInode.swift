import LinuxABI
import VirtualFileSystem

/// An inode whose contents the kernel makes up: procfs and sysfs. An inode is made at each look-up and holds no state.
protocol SyntheticInode: Inode {
    var mode: FileMode { get }
    var owner: SyntheticOwner { get }
    /// `st_size`.
    var size: UInt64 { get }
    var linkCount: UInt32 { get }
    /// All three times of stat(2).
    var time: Timespec { get }
}

struct SyntheticOwner: Sendable, Equatable {
    var uid: UInt32 = 0
    var gid: UInt32 = 0
}

extension SyntheticInode {
    var type: FileType { mode.type ?? .regular }
    var owner: SyntheticOwner { SyntheticOwner() }
    var size: UInt64 { 0 }
    var linkCount: UInt32 { mode.isDirectory ? 2 : 1 }

    func syntheticAttributes() -> FileAttributes {
        let owner = owner
        var result = FileAttributes(
            device: fileSystem.device, inode: number, mode: mode, linkCount: linkCount, uid: owner.uid, gid: owner.gid)
        result.size = size
        result.blockSize = fileSystem.cachePolicy == .none ? 1024 : 4096
        let time = time
        result.accessTime = time
        result.modificationTime = time
        result.changeTime = time
        return result
    }
    func attributes() throws(Errno) -> FileAttributes { syntheticAttributes() }
    /// O_TRUNC succeeds and does nothing: `echo … > /proc/self/comm`.
    func truncate(to length: UInt64, caller: any Caller) throws(Errno) {}
    /// The kernel alone makes names here.
    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) { throw .EPERM }
}
