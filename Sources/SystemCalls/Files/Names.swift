import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Making, removing and renaming names.
extension SystemCallFamilies {
    public static let names: [SystemCallEntry] = [
        .init(82, "rename", sysRename),
        .init(83, "mkdir", sysMkdir),
        .init(84, "rmdir", sysRmdir),
        .init(86, "link", sysLink),
        .init(87, "unlink", sysUnlink),
        .init(88, "symlink", sysSymlink),
        .init(89, "readlink", sysReadlink),
        .init(133, "mknod", sysMknod),
        .init(258, "mkdirat", sysMkdirat),
        .init(259, "mknodat", sysMknodat),
        .init(263, "unlinkat", sysUnlinkat),
        .init(264, "renameat", sysRenameat),
        .init(265, "linkat", sysLinkat),
        .init(266, "symlinkat", sysSymlinkat),
        .init(267, "readlinkat", sysReadlinkat),
        .init(316, "renameat2", sysRenameat2),
    ]

    private static let here = AtFlags.workingDirectory

    // MARK: mkdir, mknod

    @Sendable static func sysMkdir(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try makeDirectory(current, here, a.address(0), a.uint(1))
    }
    @Sendable static func sysMkdirat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try makeDirectory(current, a.int(0), a.address(1), a.uint(2))
    }
    private static func makeDirectory(_ current: CurrentTask, _ directory: Int32, _ address: GuestAddress, _ mode: UInt32)
        throws(Errno) -> Int
    {
        let path = try current.path(at: address)
        try VFS.createNode(
            path, from: current.base(directory, path), .directory, permissions: UInt16(truncatingIfNeeded: mode & 0o1777),
            caller: current)
        return 0
    }

    @Sendable static func sysMknod(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try makeNode(current, here, a.address(0), a.uint(1), a.uint(2))
    }
    @Sendable static func sysMknodat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try makeNode(current, a.int(0), a.address(1), a.uint(2), a.uint(3))
    }
    private static func makeNode(
        _ current: CurrentTask, _ directory: Int32, _ address: GuestAddress, _ mode: UInt32, _ device: UInt32
    ) throws(Errno) -> Int {
        let number = DeviceNumber(encoded: UInt64(device))
        let kind: NodeKind
        switch UInt16(truncatingIfNeeded: mode) & 0o170000 {
        case 0, FileType.regular.rawValue: kind = .regular
        case FileType.fifo.rawValue: kind = .fifo
        case FileType.socket.rawValue: kind = .socket
        case FileType.characterDevice.rawValue: kind = .device(.characterDevice, number)
        case FileType.blockDevice.rawValue: kind = .device(.blockDevice, number)
        case FileType.directory.rawValue: throw .EPERM
        default: throw .EINVAL
        }
        let path = try current.path(at: address)
        // Anybody may make a whiteout: the character device 0:0.
        let isWhiteout = if case .device(.characterDevice, _) = kind { number.encoded == 0 } else { false }
        if case .device = kind, !isWhiteout, !current.credentials.has(.mknod) {
            // What stands in the way of the name comes first.
            let base = try current.base(directory, path)
            if (try? VFS.resolve(path, from: base, [], caller: current)) != nil { throw .EEXIST }
            throw .EPERM
        }
        try VFS.createNode(
            path, from: current.base(directory, path), kind, permissions: UInt16(truncatingIfNeeded: mode & 0o7777), caller: current)
        return 0
    }

    // MARK: unlink, rmdir

    @Sendable static func sysUnlink(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try VFS.unlink(try current.path(at: a.address(0)), caller: current)
        return 0
    }
    @Sendable static func sysRmdir(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try VFS.removeDirectory(try current.path(at: a.address(0)), caller: current)
        return 0
    }
    @Sendable static func sysUnlinkat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try current.flags(a.uint(2), allowed: [.removeDirectory])
        let path = try current.path(at: a.address(1))
        let base = try current.base(a.int(0), path)
        if flags.contains(.removeDirectory) {
            try VFS.removeDirectory(path, from: base, caller: current)
        } else {
            try VFS.unlink(path, from: base, caller: current)
        }
        return 0
    }

    // MARK: rename

    @Sendable static func sysRename(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try rename(current, here, a.address(0), here, a.address(1), [])
    }
    @Sendable static func sysRenameat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try rename(current, a.int(0), a.address(1), a.int(2), a.address(3), [])
    }
    @Sendable static func sysRenameat2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(4) & ~7 == 0 else { throw .EINVAL }
        return try rename(current, a.int(0), a.address(1), a.int(2), a.address(3), RenameFlags(rawValue: a.uint(4)))
    }
    private static func rename(
        _ current: CurrentTask, _ oldDirectory: Int32, _ old: GuestAddress, _ newDirectory: Int32, _ new: GuestAddress,
        _ flags: RenameFlags
    ) throws(Errno) -> Int {
        let from = try current.path(at: old)
        let to = try current.path(at: new)
        try VFS.rename(
            from, from: current.base(oldDirectory, from), to: to, from: current.base(newDirectory, to), flags, caller: current)
        return 0
    }

    // MARK: links

    @Sendable static func sysLink(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try link(current, here, a.address(0), here, a.address(1), [])
    }
    @Sendable static func sysLinkat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try current.flags(a.uint(4), allowed: [.symlinkFollow, .emptyPath])
        return try link(current, a.int(0), a.address(1), a.int(2), a.address(3), flags)
    }
    private static func link(
        _ current: CurrentTask, _ oldDirectory: Int32, _ old: GuestAddress, _ newDirectory: Int32, _ new: GuestAddress, _ flags: AtFlags
    ) throws(Errno) -> Int {
        let place = try current.place(
            oldDirectory, old, follow: flags.contains(.symlinkFollow), emptyPath: flags.contains(.emptyPath))
        let path = try current.path(at: new)
        try VFS.link(place, to: path, from: current.base(newDirectory, path), caller: current)
        return 0
    }

    @Sendable static func sysSymlink(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try symlink(current, a.address(0), here, a.address(1))
    }
    @Sendable static func sysSymlinkat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try symlink(current, a.address(0), a.int(1), a.address(2))
    }
    private static func symlink(_ current: CurrentTask, _ target: GuestAddress, _ directory: Int32, _ address: GuestAddress)
        throws(Errno) -> Int
    {
        let text = try current.path(at: target)
        if text.isEmpty { throw .ENOENT }
        let path = try current.path(at: address)
        try VFS.createNode(
            path, from: current.base(directory, path), .symbolicLink(target: text), permissions: 0o777, caller: current)
        return 0
    }

    @Sendable static func sysReadlink(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try readlink(current, here, a.address(0), a.address(1), a.int(2))
    }
    @Sendable static func sysReadlinkat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try readlink(current, a.int(0), a.address(1), a.address(2), a.int(3))
    }
    private static func readlink(
        _ current: CurrentTask, _ directory: Int32, _ address: GuestAddress, _ buffer: GuestAddress, _ size: Int32
    ) throws(Errno) -> Int {
        guard size > 0 else { throw .EINVAL }
        let bytes = try current.path(at: address)
        // An empty path means the descriptor itself, which then must be a link opened with O_PATH and O_NOFOLLOW.
        let place: Path
        if bytes.isEmpty && directory != here {
            place = try current.place(ofDescriptor: directory)
        } else {
            place = try VFS.resolve(bytes, from: current.base(directory, bytes), [], caller: current)
        }
        guard place.dentry.type == .symbolicLink else { throw bytes.isEmpty ? .ENOENT : .EINVAL }
        let target = try place.node.readLink(caller: current)
        let count = min(target.count, Int(size))
        try current.memory.copyOut(count == target.count ? target : Array(target[..<count]), to: buffer)
        return count
    }
}
