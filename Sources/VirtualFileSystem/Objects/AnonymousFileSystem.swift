import LinuxABI
import Synchronization

/// The home of files that have no place in any tree: Linux's anon_inodefs, pipefs and sockfs in one. Nothing in it can be looked up.
final class AnonymousFileSystem: FileSystem {
    static let shared = AnonymousFileSystem()

    let typeName = "anon_inodefs"
    let device = DeviceNumber(major: 0, minor: 1)
    let cachePolicy = CachePolicy.none
    var root: any Inode { AnonymousInode(name: "") }
    func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x0904_1934) }

    /// A place for `description`, with its own mount and dentry: two places of one file are not the same path, as two names of one
    /// inode are not.
    static func place(for description: FileDescription) -> Path {
        let inode = description.inode ?? AnonymousInode(name: description.anonymousName)
        return place(of: inode, named: description.anonymousName)
    }

    static func place(of inode: any Inode, named name: String) -> Path {
        let dentry = Dentry(detached: inode, name: FileName(name))
        return Path(mount: Mount(id: 0, fileSystem: inode.fileSystem, root: dentry), dentry: dentry)
    }

    /// What fstat(2) gives, from a name of the form `pipe:[17]`.
    static func attributes(named name: String) -> FileAttributes {
        let digits = name.utf8.filter { $0 >= 0x30 && $0 <= 0x39 }
        var number: UInt64 = 0
        for digit in digits { number = number &* 10 &+ UInt64(digit - 0x30) }
        // anon_inode files have mode 0600 and no type bits.
        var mode = FileMode(rawValue: 0o600)
        if name.hasPrefix("pipe:") { mode = FileMode(.fifo, 0o600) }
        if name.hasPrefix("socket:") { mode = FileMode(.socket, 0o777) }
        return FileAttributes(device: shared.device, inode: number == 0 ? 1 : number, mode: mode)
    }
}

final class AnonymousInode: Inode {
    let name: String
    let shared = InodeState()
    init(name: String) { self.name = name }

    var fileSystem: any FileSystem { AnonymousFileSystem.shared }
    var number: UInt64 { AnonymousFileSystem.attributes(named: name).inode }
    /// Only decides how the VFS opens it: as a socket node, with ENXIO.
    var type: FileType { .socket }
    func attributes() throws(Errno) -> FileAttributes { AnonymousFileSystem.attributes(named: name) }
}
