import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// ioctl(2): what holds for every file; the rest is the file's own.
extension SystemCallFamilies {
    public static let ioctl: [SystemCallEntry] = [.init(16, "ioctl", sysIoctl)]

    private enum Generic {
        static let FIGETBSZ: UInt32 = 2
        static let FIOQSIZE: UInt32 = 0x5460
        static let FICLONE: UInt32 = 0x4004_9409
        static let FICLONERANGE: UInt32 = 0x4020_940d
        static let FIDEDUPERANGE: UInt32 = 0xc018_9436
        static let FS_IOC_FIEMAP: UInt32 = 0xc020_660b
        static let FIFREEZE: UInt32 = 0xc004_5877
        static let FITHAW: UInt32 = 0xc004_5878
    }

    @Sendable static func sysIoctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let number = a.int(0)
        let file = try current.file(number)
        let argument = a.address(2)
        switch a.uint(1) {
        case IoctlRequest.FIOCLEX: try current.files.setCloseOnExec(number, true)
        case IoctlRequest.FIONCLEX: try current.files.setCloseOnExec(number, false)
        case IoctlRequest.FIONBIO: try setFlag(.nonBlocking, of: file, current, argument)
        case IoctlRequest.FIOASYNC:
            guard file.operations.isPollable else { throw .ENOTTY }
            let wasOn = file.statusFlags.contains(.async)
            try setFlag(.async, of: file, current, argument)
            let isOn = file.statusFlags.contains(.async)
            if isOn != wasOn { AsyncSignal.set(isOn, on: file, descriptor: number, kernel: current.kernel) }
        case Generic.FIOQSIZE:
            switch file.type {
            case .regular, .directory, .symbolicLink:
                // What the file takes up, whatever the name says (inode_get_bytes).
                try current.memory.store(Int64(clamping: try file.attributes().blocks) * 512, at: argument)
            default: throw .ENOTTY
            }
        case Generic.FIGETBSZ:
            guard file.inode != nil else { throw .EINVAL }
            try current.memory.store(Int32(truncatingIfNeeded: try file.attributes().blockSize), at: argument)
        case FlagRequest.get, FlagRequest.set, FlagRequest.getExtended, FlagRequest.setExtended:
            try flagRequest(a.uint(1), file, argument, current)
        case Generic.FICLONE: try refuseClone(try current.file(Int32(truncatingIfNeeded: a.a2)), into: file)
        case Generic.FICLONERANGE, Generic.FIDEDUPERANGE, Generic.FS_IOC_FIEMAP: throw .EOPNOTSUPP
        case Generic.FIFREEZE, Generic.FITHAW: throw current.credentials.has(.sysAdmin) ? .EOPNOTSUPP : .EPERM
        case IoctlRequest.FIONREAD where file.type == .regular && file.operations.isSeekable && !file.operations.hasOwnPosition:
            let size = Int64(clamping: try file.attributes().size)
            let position = file.position.withLock { $0 }
            try current.memory.store(Int32(truncatingIfNeeded: size - position), at: argument)
        default:
            if file.denied.contains(.deviceControl) { throw .EACCES }
            return try file.operations.ioctl(a.uint(1), argument: a.a2, caller: current)
        }
        return 0
    }

    /// No file system here shares blocks between files; what is wrong with the arguments comes first (vfs_clone_file_range).
    private static func refuseClone(_ source: FileDescription, into target: FileDescription) throws(Errno) {
        guard let from = source.inode, let to = target.inode, from.fileSystem === to.fileSystem else { throw .EXDEV }
        if source.type == .directory || target.type == .directory { throw .EISDIR }
        guard source.type == .regular, target.type == .regular else { throw .EINVAL }
        guard source.isReadable, target.isWritable, !target.statusFlags.contains(.append) else { throw .EBADF }
        throw .EOPNOTSUPP
    }

    private static func setFlag(_ flag: OpenFlags, of file: FileDescription, _ current: CurrentTask, _ argument: GuestAddress)
        throws(Errno)
    {
        let isOn = try current.memory.load(Int32.self, at: argument) != 0
        let old = file.statusFlags
        try file.operations.statusFlagsChanged(isOn ? old.union(flag) : old.subtracting(flag))
        file.changeStatusFlags(set: isOn ? flag : [], clear: isOn ? [] : flag)
    }
}
