import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Reading directories; root, working directory and umask.
extension SystemCallFamilies {
    public static let directories: [SystemCallEntry] = [
        .init(78, "getdents", sysGetdents),
        .init(79, "getcwd", sysGetcwd),
        .init(80, "chdir", sysChdir),
        .init(81, "fchdir", sysFchdir),
        .init(95, "umask", sysUmask),
        .init(161, "chroot", sysChroot),
        .init(217, "getdents64", sysGetdents64),
    ]

    @Sendable static func sysGetdents64(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try readDirectory(current, a) { entry, record in
            // d_ino, d_off, d_reclen, d_type, d_name with its NUL, to a multiple of 8.
            let length = (19 + entry.name.count + 1 + 7) & ~7
            record.append(entry.inode)
            record.append(UInt64(bitPattern: entry.nextPosition))
            record.append(UInt16(truncatingIfNeeded: length))
            record.bytes.append(entry.type)
            record.bytes += entry.name
            return length
        }
    }

    /// The old form: d_type lies in the last byte of the record.
    @Sendable static func sysGetdents(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try readDirectory(current, a) { entry, record in
            let length = (18 + entry.name.count + 2 + 7) & ~7
            let start = record.bytes.count
            record.append(entry.inode)
            record.append(UInt64(bitPattern: entry.nextPosition))
            record.append(UInt16(truncatingIfNeeded: length))
            record.bytes += entry.name
            record.pad(to: start + length - 1)
            record.bytes.append(entry.type)
            return length
        }
    }

    private struct Records {
        var bytes: [UInt8] = []
        mutating func append<T: FixedWidthInteger>(_ value: T) {
            for shift in stride(from: 0, to: T.bitWidth, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> T(shift))) }
        }
        mutating func pad(to count: Int) {
            while bytes.count < count { bytes.append(0) }
        }
    }

    private static func readDirectory(
        _ current: CurrentTask, _ a: SystemCallArguments, _ put: (DirectoryEntry, inout Records) -> Int
    ) throws(Errno) -> Int {
        let file = try current.file(a.int(0))
        guard file.type == .directory else { throw .ENOTDIR }
        let capacity = Int(a.uint(2))
        return try file.position.withLock { position throws(Errno) in
            if file.path?.dentry.isDeleted == true { throw .ENOENT }
            var records = Records()
            records.bytes.reserveCapacity(min(capacity, 32 << 10))
            var isTooSmall = false
            let next = try file.operations.readDirectory(from: position, caller: current) { entry in
                let start = records.bytes.count
                let length = put(entry, &records)
                guard start + length <= capacity else {
                    records.bytes.removeSubrange(start...)
                    isTooSmall = start == 0
                    return false
                }
                records.pad(to: start + length)
                // A call fills what one page-cache read would; huge buffers do not hold the lock for a whole large directory.
                return records.bytes.count < 256 << 10
            }
            FileNotice.post(.access, file)
            if isTooSmall { throw .EINVAL }
            try current.memory.copyOut(records.bytes, to: a.address(1))
            position = next
            return records.bytes.count
        }
    }

    // MARK: root, working directory, umask

    @Sendable static func sysGetcwd(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let directory = current.workingDirectory
        if directory.isUnlinked { throw .ENOENT }
        let name = directory.displayName(root: current.root) + [0]
        guard UInt64(name.count) <= a.a1 else { throw .ERANGE }
        if name.count > 4096 { throw .ENAMETOOLONG }
        try current.memory.copyOut(name, to: a.address(0))
        return name.count
    }

    @Sendable static func sysChdir(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let path = try VFS.resolve(try current.path(at: a.address(0)), [.follow, .directory], caller: current)
        try path.node.checkAccess(.execute, current.credentials)
        current.fileSystem.state.withLock { $0.workingDirectory = path }
        return 0
    }

    @Sendable static func sysFchdir(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        // An O_PATH descriptor will do.
        let file = try current.files.get(a.int(0))
        guard let path = file.path, path.dentry.isDirectory else { throw .ENOTDIR }
        try path.node.checkAccess(.execute, current.credentials)
        current.fileSystem.state.withLock { $0.workingDirectory = path }
        return 0
    }

    @Sendable static func sysChroot(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let path = try VFS.resolve(try current.path(at: a.address(0)), [.follow, .directory], caller: current)
        let credentials = current.credentials
        try path.node.checkAccess(.execute, credentials)
        guard credentials.hasInside(.sysChroot) else { throw .EPERM }
        current.fileSystem.state.withLock { $0.root = path }
        return 0
    }

    @Sendable static func sysUmask(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let new = UInt16(truncatingIfNeeded: a.uint(0) & 0o777)
        return current.fileSystem.state.withLock { state in
            let old = state.umask
            state.umask = new
            return Int(old)
        }
    }
}
