import Kernel
import LinuxABI
import VirtualFileSystem

/// name_to_handle_at(2) and open_by_handle_at(2).
extension SystemCallFamilies {
    public static let fileHandles: [SystemCallEntry] = [
        .init(303, "name_to_handle_at", sysNameToHandleAt),
        .init(304, "open_by_handle_at", sysOpenByHandleAt),
    ]

    private enum HandleFlag {
        static let uniqueMountID: UInt32 = 1
        static let connectable: UInt32 = 2
        static let identifierOnly: UInt32 = 0x200
    }
    /// MAX_HANDLE_SZ.
    private static let largest: UInt32 = 128

    /// do_sys_name_to_handle. - Throws: EOPNOTSUPP where files cannot be found again, EOVERFLOW with the size that it takes.
    @Sendable static func sysNameToHandleAt(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let own = a.uint(4) & (HandleFlag.uniqueMountID | HandleFlag.connectable | HandleFlag.identifierOnly)
        let flags = try current.flags(a.uint(4) & ~own, allowed: [.symlinkFollow, .emptyPath])
        if own & (HandleFlag.connectable | HandleFlag.identifierOnly) == HandleFlag.connectable | HandleFlag.identifierOnly {
            throw .EINVAL
        }
        let place = try current.place(
            a.int(0), a.address(1), follow: flags.contains(.symlinkFollow), emptyPath: flags.contains(.emptyPath))
        let isIdentifier = own & HandleFlag.identifierOnly != 0
        // Handles that lead to a path of their own are not made.
        if own & HandleFlag.connectable != 0 { throw .EOPNOTSUPP }
        let found = place.mount.fileSystem.handle(of: place.node) ?? (isIdentifier ? FileHandle(identifying: place.node) : nil)
        guard let handle = found else { throw .EOPNOTSUPP }
        let room = try current.memory.load(UInt32.self, at: a.address(2))
        guard room <= largest else { throw .EINVAL }
        let fits = Int(room) >= handle.bytes.count
        if own & HandleFlag.uniqueMountID != 0 {
            try current.memory.store(UInt64(UInt32(bitPattern: place.mount.id)), at: a.address(3))
        } else {
            try current.memory.store(place.mount.id, at: a.address(3))
        }
        try current.memory.store(UInt32(handle.bytes.count), at: a.address(2))
        guard fits else { throw .EOVERFLOW }
        try current.memory.store(handle.type, at: a.address(2) + 4)
        try current.memory.copyOut(handle.bytes, to: a.address(2) + 8)
        return 0
    }

    /// - Throws: EINVAL, EPERM without CAP_DAC_READ_SEARCH, ESTALE for a handle that names nothing, and what opening gives.
    @Sendable static func sysOpenByHandleAt(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let count = try current.memory.load(UInt32.self, at: a.address(1))
        let type = try current.memory.load(Int32.self, at: a.address(1) + 4)
        guard count > 0, count <= largest, type >= 0, type & ~0x3_ffff == 0 else { throw .EINVAL }
        let anchor = try current.place(ofDescriptor: a.int(0))
        guard current.credentials.has(.dacReadSearch) else { throw .EPERM }
        let handle = FileHandle(type: type & 0xffff, bytes: try current.memory.copyIn(a.address(1) + 8, count: Int(count)))
        guard let inode = anchor.mount.fileSystem.inode(of: handle) else { throw .ESTALE }
        let flags = OpenFlags(rawValue: a.uint(2)).union(.largeFile)
        let file = try VFS.open(anchor.mount.place(of: inode), flags, caller: current)
        return try current.install(file, closeOnExec: flags.contains(.closeOnExec))
    }
}
