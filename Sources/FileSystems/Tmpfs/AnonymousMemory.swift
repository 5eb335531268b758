import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// Files without a name that live in the memory file: memfd_create(2), shared mappings of /dev/zero, shared anonymous memory. All of a
/// sandbox belong to one tmpfs that is never mounted, as on Linux.
public enum AnonymousMemory {
    private static let fileSystem = Mutex<TmpfsFileSystem?>(nil)

    static func fileSystem(_ memoryFile: MemoryFile) -> TmpfsFileSystem {
        fileSystem.withLock {
            if let found = $0, found.core.memoryFile === memoryFile { return found }
            let fresh = TmpfsFileSystem(memoryFile: memoryFile, sizeLimit: .max)
            $0 = fresh
            return fresh
        }
    }

    /// Memory of `size` bytes, all zeroes, that mappings share.
    public static func makeShared(_ memoryFile: MemoryFile, size: UInt64) -> any MemoryMappable {
        let core = fileSystem(memoryFile).core
        return TmpfsData(core: core, inodeNumber: core.newNumber(), size: size)
    }

    /// A file as memfd_create(2) makes it: readable, writable, without a name in any directory.
    /// - Throws: ENOSPC.
    public static func makeFile(
        _ memoryFile: MemoryFile, name: [UInt8], permissions: UInt16, uid: UInt32, gid: UInt32, seals: FileSeals
    ) throws(Errno) -> FileDescription {
        let core = fileSystem(memoryFile).core
        try core.chargeInode()
        let number = core.newNumber()
        let data = TmpfsData(core: core, inodeNumber: number, seals: seals)
        let inode = TmpfsInode(
            core: core, number: number, content: .regular(data), mode: FileMode(.regular, permissions), uid: uid, gid: gid, linkCount: 0)
        let flags: OpenFlags = [.readWrite, .largeFile]
        return FileDescription(
            operations: TmpfsFile(inode, data, flags, lower: nil), inode: inode,
            anonymousName: "/memfd:" + String(decoding: name, as: UTF8.self) + " (deleted)", flags: flags)
    }
}
