import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// file_getattr(2), file_setattr(2), and the requests of ioctl_iflags(2) that do the same.
extension SystemCallFamilies {
    public static let fileFlags: [SystemCallEntry] = [
        .init(468, "file_getattr", sysFileGetattr),
        .init(469, "file_setattr", sysFileSetattr),
    ]

    /// FS_XFLAGS_MASK: those that Linux knows.
    private static let knownExtended: UInt64 = 0x8003_ffff & ~0x4

    private static func place(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Path {
        let flags = try current.flags(a.uint(4), allowed: [.symlinkNoFollow, .emptyPath])
        if a[3] > Page.size { throw .E2BIG }
        if a[3] < 24 { throw .EINVAL }
        return try current.place(
            a.int(0), a.address(1), follow: !flags.contains(.symlinkNoFollow), emptyPath: flags.contains(.emptyPath))
    }

    @Sendable static func sysFileGetattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try VFS.flags(of: try place(current, a))
        var buffer = FileAttributeBuffer()
        buffer.flags = flags.extended
        try current.memory.store(buffer, at: a.address(2))
        // Fields that the kernel does not know are zero.
        if a[3] > 24 { try current.memory.copyOut([UInt8](repeating: 0, count: Int(a[3]) - 24), to: a.address(2) + 24) }
        return 0
    }

    @Sendable static func sysFileSetattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        _ = try current.flags(a.uint(4), allowed: [.symlinkNoFollow, .emptyPath])
        if a[3] > Page.size { throw .E2BIG }
        if a[3] < 24 { throw .EINVAL }
        let rest = try current.memory.copyIn(a.address(2) + 24, count: Int(a[3]) - 24)
        if rest.contains(where: { $0 != 0 }) { throw .E2BIG }
        let buffer = try current.memory.load(FileAttributeBuffer.self, at: a.address(2))
        guard buffer.flags & ~knownExtended == 0 else { throw .EINVAL }
        try set(
            extended: buffer.flags, others: buffer.extentSize | buffer.project | buffer.copyExtentSize, of: try place(current, a), current)
        return 0
    }

    /// Extent sizes and projects are not kept. - Throws: EOPNOTSUPP.
    private static func set(extended: UInt64, others: UInt32, of place: Path, _ current: CurrentTask) throws(Errno) {
        guard extended & ~FileFlags.commonExtended & ~0x8000_0000 == 0, others == 0 else { throw .EOPNOTSUPP }
        // Flags without an extended form stay.
        let kept = try VFS.flags(of: place).subtracting(FileFlags(extended: .max))
        try VFS.setFlags(FileFlags(extended: extended).union(kept), of: place, caller: current)
    }

    // MARK: ioctl

    enum FlagRequest {
        static let get: UInt32 = 0x8008_6601
        static let set: UInt32 = 0x4008_6602
        static let getExtended: UInt32 = 0x801c_581f
        static let setExtended: UInt32 = 0x401c_5820
    }

    /// - Throws: ENOTTY where the file system keeps no flags.
    static func flagRequest(_ request: UInt32, _ file: FileDescription, _ address: GuestAddress, _ current: CurrentTask) throws(Errno) {
        let place = file.location
        guard place.node.keepsFlags else { throw .ENOTTY }
        switch request {
        case FlagRequest.get: try current.memory.store(try VFS.flags(of: place).rawValue, at: address)
        case FlagRequest.set:
            try VFS.setFlags(FileFlags(rawValue: try current.memory.load(UInt32.self, at: address)), of: place, caller: current)
        case FlagRequest.getExtended:
            var buffer = ExtendedFlagsBuffer()
            buffer.flags = UInt32(truncatingIfNeeded: try VFS.flags(of: place).extended)
            try current.memory.store(buffer, at: address)
        default:
            let buffer = try current.memory.load(ExtendedFlagsBuffer.self, at: address)
            try set(
                extended: UInt64(buffer.flags), others: buffer.extentSize | buffer.project | buffer.copyExtentSize, of: place, current)
        }
    }
}
