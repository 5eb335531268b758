import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// open(2) and its relatives, close(2), dup(2).
extension SystemCallFamilies {
    public static let openClose: [SystemCallEntry] = [
        .init(2, "open", sysOpen),
        .init(3, "close", sysClose),
        .init(32, "dup", sysDup),
        .init(33, "dup2", sysDup2),
        .init(85, "creat", sysCreat),
        .init(257, "openat", sysOpenat),
        .init(292, "dup3", sysDup3),
        .init(436, "close_range", sysCloseRange),
        .init(437, "openat2", sysOpenat2),
    ]

    /// VALID_OPEN_FLAGS of Linux: open(2) ignores others, openat2(2) refuses them.
    private static let validOpenFlags: UInt32 = 0o37777703

    @Sendable static func sysOpen(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try open(current, AtFlags.workingDirectory, a.address(0), a.uint(1), a.uint(2))
    }

    @Sendable static func sysOpenat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try open(current, a.int(0), a.address(1), a.uint(2), a.uint(3))
    }

    @Sendable static func sysCreat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags: OpenFlags = [.create, .writeOnly, .truncate]
        return try open(current, AtFlags.workingDirectory, a.address(0), flags.rawValue, a.uint(1))
    }

    private static func open(_ current: CurrentTask, _ directory: Int32, _ address: GuestAddress, _ rawFlags: UInt32, _ mode: UInt32)
        throws(Errno) -> Int
    {
        var flags = OpenFlags(rawValue: rawFlags & validOpenFlags)
        if flags.contains(.path) {
            flags.formIntersection([.path, .directory, .noFollow, .closeOnExec])
        } else {
            flags.insert(.largeFile)
        }
        let request = OpenRequest(flags: flags, permissions: UInt16(truncatingIfNeeded: mode & 0o7777))
        try request.validate()
        let path = try current.path(at: address)
        return try open(current, directory, path, request)
    }

    private static func open(_ current: CurrentTask, _ directory: Int32, _ path: [UInt8], _ request: OpenRequest) throws(Errno) -> Int {
        let isScoped = !request.resolve.isDisjoint(with: [.beneath, .inRoot])
        let base = isScoped ? try current.base(directory) : try current.base(directory, path)
        let file = try VFS.open(path, from: base, request, caller: current)
        return try current.install(file, closeOnExec: request.flags.contains(.closeOnExec))
    }

    /// openat2(2): a struct that may grow, whose unknown tail must be zero (E2BIG).
    @Sendable static func sysOpenat2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let how = try openHow(current, a.address(2), size: a.a3)
        guard how.flags & ~UInt64(validOpenFlags) == 0, how.resolve & ~LookupOptions.openat2Mask == 0 else { throw .EINVAL }
        var flags = OpenFlags(rawValue: UInt32(truncatingIfNeeded: how.flags))
        let resolve = LookupOptions(rawValue: UInt32(truncatingIfNeeded: how.resolve))
        if resolve.isSuperset(of: [.beneath, .inRoot]) { throw .EINVAL }
        if flags.contains(.create) || flags.contains(.temporaryFileBit) {
            guard how.mode & ~0o7777 == 0 else { throw .EINVAL }
        } else if how.mode != 0 {
            throw .EINVAL
        }
        if flags.contains(.path), !flags.subtracting([.path, .directory, .noFollow, .closeOnExec]).isEmpty { throw .EINVAL }
        if !flags.contains(.path) { flags.insert(.largeFile) }
        let request = OpenRequest(flags: flags, permissions: UInt16(truncatingIfNeeded: how.mode), resolve: resolve)
        try request.validate()
        let path = try current.path(at: a.address(1))
        return try open(current, a.int(0), path, request)
    }

    private static func openHow(_ current: CurrentTask, _ address: GuestAddress, size: UInt64) throws(Errno) -> OpenHow {
        guard size >= 24 else { throw .EINVAL }
        guard size <= Page.size else { throw .E2BIG }
        let tail = try current.memory.copyIn(address + 24 as GuestAddress, count: Int(size) - 24)
        let how = try current.memory.load(OpenHow.self, at: address)
        if tail.contains(where: { $0 != 0 }) { throw .E2BIG }
        return how
    }

    @Sendable static func sysClose(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        _ = try current.files.remove(a.int(0))
        return 0
    }

    @Sendable static func sysDup(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.install(try current.files.get(a.int(0)), closeOnExec: false)
    }

    @Sendable static func sysDup2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.int(0) == a.int(1) {
            _ = try current.files.get(a.int(0))
            return Int(a.int(0))
        }
        return try duplicate(current, a.int(0), a.int(1), closeOnExec: false)
    }

    @Sendable static func sysDup3(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(2) & ~OpenFlags.closeOnExec.rawValue == 0, a.int(0) != a.int(1) else { throw .EINVAL }
        return try duplicate(current, a.int(0), a.int(1), closeOnExec: a.uint(2) != 0)
    }

    private static func duplicate(_ current: CurrentTask, _ old: Int32, _ new: Int32, closeOnExec: Bool) throws(Errno) -> Int {
        let file = try current.files.get(old)
        _ = try current.files.replace(new, file, closeOnExec: closeOnExec, limit: current.descriptorLimit)
        return Int(new)
    }

    /// close_range(2).
    @Sendable static func sysCloseRange(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (first, last, flags) = (a.uint(0), a.uint(1), a.uint(2))
        let unshare: UInt32 = 2, closeOnExec: UInt32 = 4
        guard flags & ~(unshare | closeOnExec) == 0, first <= last else { throw .EINVAL }
        if flags & unshare != 0 { current.unshareFiles() }
        if flags & closeOnExec != 0 {
            current.files.setCloseOnExec(from: first, through: last)
        } else {
            _ = current.files.remove(from: first, through: last)
        }
        return 0
    }
}
