import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Writing to stable storage, space, and advice about access.
extension SystemCallFamilies {
    public static let fileSynchronization: [SystemCallEntry] = [
        .init(74, "fsync", sysFsync),
        .init(75, "fdatasync", sysFdatasync),
        .init(162, "sync", sysSync),
        .init(187, "readahead", sysReadahead),
        .init(221, "fadvise64", sysFadvise64),
        .init(277, "sync_file_range", sysSyncFileRange),
        .init(285, "fallocate", sysFallocate),
        .init(306, "syncfs", sysSyncfs),
        .init(451, "cachestat", sysCachestat),
    ]

    private static func synchronize(_ current: CurrentTask, _ number: Int32, dataOnly: Bool) throws(Errno) -> Int {
        let file = try current.file(number)
        do throws(Errno) {
            try file.operations.synchronize(dataOnly: dataOnly)
        } catch {
            // Directories of file systems that keep no dirty state of their own.
            guard error == .EINVAL, file.type == .directory, let inode = file.inode else { throw error }
            try inode.fileSystem.synchronize()
        }
        return 0
    }
    @Sendable static func sysFsync(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try synchronize(current, a.int(0), dataOnly: false)
    }
    @Sendable static func sysFdatasync(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try synchronize(current, a.int(0), dataOnly: true)
    }

    /// sync(2) reports no errors.
    @Sendable static func sysSync(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var done: Set<ObjectIdentifier> = []
        for mount in current.mountNamespace.mounts where done.insert(ObjectIdentifier(mount.fileSystem)).inserted {
            try? mount.fileSystem.synchronize()
        }
        return 0
    }

    @Sendable static func sysSyncfs(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.file(a.int(0)).location.mount.fileSystem.synchronize()
        return 0
    }

    @Sendable static func sysSyncFileRange(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        let (offset, length) = (a.long(1), a.long(2))
        guard a.uint(3) & ~7 == 0, offset >= 0, length >= 0, !offset.addingReportingOverflow(length).overflow else { throw .EINVAL }
        switch file.type {
        case .regular, .blockDevice, .directory, .symbolicLink: break
        default: throw .ESPIPE
        }
        if a.uint(3) != 0 { try file.operations.synchronize(dataOnly: true) }
        return 0
    }

    // MARK: space

    @Sendable static func sysFallocate(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        let (mode, offset, length) = (a.int(1), a.long(2), a.long(3))
        let keepSize: Int32 = 1, punchHole: Int32 = 2, collapse: Int32 = 8, zero: Int32 = 0x10, insert: Int32 = 0x20, unshare: Int32 = 0x40
        guard offset >= 0, length > 0 else { throw .EINVAL }
        guard mode & ~0x7b == 0 else { throw .EOPNOTSUPP }
        switch mode & ~keepSize {
        case 0, zero, unshare: break
        case punchHole: guard mode & keepSize != 0 else { throw .EOPNOTSUPP }
        case collapse, insert: guard mode & keepSize == 0 else { throw .EINVAL }
        default: throw .EOPNOTSUPP
        }
        guard file.isWritable else { throw .EBADF }
        if let flags = file.inode?.flags, !flags.isDisjoint(with: .privileged) {
            if flags.contains(.immutable) || mode & ~keepSize != 0 { throw .EPERM }
        }
        switch file.type {
        case .regular, .blockDevice: break
        case .fifo: throw .ESPIPE
        case .directory: throw .EISDIR
        default: throw .ENODEV
        }
        let (end, overflow) = offset.addingReportingOverflow(length)
        if overflow { throw .EFBIG }
        if mode & keepSize == 0 && UInt64(end) > current.fileSizeLimit {
            current.raise(.SIGXFSZ)
            throw .EFBIG
        }
        if let inode = file.inode { try VFS.removePrivileges(inode, caller: current) }
        try file.operations.allocate(mode: mode, offset: offset, length: length, caller: current)
        FileNotice.post(.modify, file)
        return 0
    }

    // MARK: advice. Advisory by their manual pages: after the checks there is nothing to do.

    @Sendable static func sysReadahead(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        guard file.isReadable else { throw .EBADF }
        guard file.type == .regular || file.type == .blockDevice else { throw .EINVAL }
        return 0
    }

    @Sendable static func sysFadvise64(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        if file.type == .fifo { throw .ESPIPE }
        // POSIX_FADV_NORMAL…POSIX_FADV_NOREUSE
        guard a.long(2) >= 0, (0...5).contains(a.int(3)) else { throw .EINVAL }
        return 0
    }

    /// cachestat(2): files live in memory; no page of them is dirty or evicted.
    @Sendable static func sysCachestat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        let range = try current.memory.load(CachestatRange.self, at: a.address(1))
        guard file.type == .regular else { throw .EOPNOTSUPP }
        guard a.uint(3) == 0 else { throw .EINVAL }
        let size = try file.attributes().size
        let end = range.length == 0 ? size : min(size, range.offset.addingReportingOverflow(range.length).partialValue)
        var result = CachestatBuffer()
        if end > range.offset { result.cached = (end - 1) / Page.size - range.offset / Page.size + 1 }
        try current.memory.store(result, at: a.address(2))
        return 0
    }
}
