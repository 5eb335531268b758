import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// xattr(7).
extension SystemCallFamilies {
    public static let extendedAttributes: [SystemCallEntry] = [
        .init(188, "setxattr", sysSetxattr),
        .init(189, "lsetxattr", sysLsetxattr),
        .init(190, "fsetxattr", sysFsetxattr),
        .init(191, "getxattr", sysGetxattr),
        .init(192, "lgetxattr", sysLgetxattr),
        .init(193, "fgetxattr", sysFgetxattr),
        .init(194, "listxattr", sysListxattr),
        .init(195, "llistxattr", sysLlistxattr),
        .init(196, "flistxattr", sysFlistxattr),
        .init(197, "removexattr", sysRemovexattr),
        .init(198, "lremovexattr", sysLremovexattr),
        .init(199, "fremovexattr", sysFremovexattr),
        .init(463, "setxattrat", sysSetxattrat),
        .init(464, "getxattrat", sysGetxattrat),
        .init(465, "listxattrat", sysListxattrat),
        .init(466, "removexattrat", sysRemovexattrat),
    ]

    private static let here = AtFlags.workingDirectory
    /// XATTR_SIZE_MAX and XATTR_LIST_MAX.
    private static let maximumSize = 65536

    private static func path(_ current: CurrentTask, _ address: GuestAddress, follow: Bool) throws(Errno) -> Path {
        try current.place(here, address, follow: follow)
    }
    private static func file(_ current: CurrentTask, _ number: Int32) throws(Errno) -> Path { try current.file(number).location }

    /// The place of the *xattrat calls; an empty path with AT_EMPTY_PATH means a descriptor, which must not be O_PATH.
    private static func place(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Path {
        let flags = try current.flags(a.uint(2), allowed: [.symlinkNoFollow, .emptyPath])
        return try current.place(
            a.int(0), a.address(1), follow: !flags.contains(.symlinkNoFollow), emptyPath: flags.contains(.emptyPath))
    }

    /// - Throws: ERANGE when empty or over 255 bytes, EFAULT.
    private static func name(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            let name = try current.memory.copyInString(address, limit: 256)
            if name.isEmpty { throw .ERANGE }
            return name
        } catch {
            throw error == .ENAMETOOLONG ? .ERANGE : error
        }
    }

    // MARK: set

    /// The arguments are read before the path is walked, as Linux does.
    private struct NewValue {
        let name: [UInt8]
        let value: [UInt8]
        let flags: Int32

        init(_ current: CurrentTask, _ name: GuestAddress, _ value: GuestAddress, _ size: UInt64, _ flags: Int32) throws(Errno) {
            guard flags & ~3 == 0 else { throw .EINVAL }
            self.name = try SystemCallFamilies.name(current, name)
            guard size <= UInt64(maximumSize) else { throw .E2BIG }
            self.value = size == 0 ? [] : try current.memory.copyIn(value, count: Int(size))
            self.flags = flags
        }

        func set(_ current: CurrentTask, _ place: Path) throws(Errno) -> Int {
            try VFS.setExtendedAttribute(name, value, flags: flags, of: place, caller: current)
            return 0
        }
    }

    @Sendable static func sysSetxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let new = try NewValue(current, a.address(1), a.address(2), a.a3, a.int(4))
        return try new.set(current, try path(current, a.address(0), follow: true))
    }
    @Sendable static func sysLsetxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let new = try NewValue(current, a.address(1), a.address(2), a.a3, a.int(4))
        return try new.set(current, try path(current, a.address(0), follow: false))
    }
    @Sendable static func sysFsetxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let place = try file(current, a.int(0))
        return try NewValue(current, a.address(1), a.address(2), a.a3, a.int(4)).set(current, place)
    }
    @Sendable static func sysSetxattrat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let arguments = try arguments(current, a.address(4), size: a.a5)
        let new = try NewValue(
            current, a.address(3), GuestAddress(arguments.value), UInt64(arguments.size), Int32(bitPattern: arguments.flags))
        return try new.set(current, try place(current, a))
    }

    private static func arguments(_ current: CurrentTask, _ address: GuestAddress, size: UInt64) throws(Errno) -> ExtendedAttributeArguments {
        guard size >= 16 else { throw .EINVAL }
        guard size <= Page.size else { throw .E2BIG }
        let tail = try current.memory.copyIn(address + UInt64(16), count: Int(size) - 16)
        if tail.contains(where: { $0 != 0 }) { throw .E2BIG }
        return try current.memory.load(ExtendedAttributeArguments.self, at: address)
    }

    // MARK: get

    private static func get(_ current: CurrentTask, _ place: Path, _ name: [UInt8], _ buffer: GuestAddress, _ size: UInt64)
        throws(Errno) -> Int
    {
        let value = try VFS.extendedAttribute(name, of: place, caller: current)
        return try deliver(current, value, buffer, size)
    }

    /// A size of 0 asks how much there is.
    private static func deliver(_ current: CurrentTask, _ bytes: [UInt8], _ buffer: GuestAddress, _ size: UInt64) throws(Errno) -> Int {
        if size != 0 {
            if UInt64(bytes.count) > size { throw .ERANGE }
            try current.memory.copyOut(bytes, to: buffer)
        }
        return bytes.count
    }

    @Sendable static func sysGetxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try name(current, a.address(1))
        return try get(current, try path(current, a.address(0), follow: true), name, a.address(2), a.a3)
    }
    @Sendable static func sysLgetxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try name(current, a.address(1))
        return try get(current, try path(current, a.address(0), follow: false), name, a.address(2), a.a3)
    }
    @Sendable static func sysFgetxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let place = try file(current, a.int(0))
        return try get(current, place, try name(current, a.address(1)), a.address(2), a.a3)
    }
    @Sendable static func sysGetxattrat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let arguments = try arguments(current, a.address(4), size: a.a5)
        guard arguments.flags == 0 else { throw .EINVAL }
        let name = try name(current, a.address(3))
        return try get(current, try place(current, a), name, GuestAddress(arguments.value), UInt64(arguments.size))
    }

    // MARK: list

    private static func list(_ current: CurrentTask, _ place: Path, _ buffer: GuestAddress, _ size: UInt64) throws(Errno) -> Int {
        var bytes: [UInt8] = []
        for name in try VFS.extendedAttributeNames(of: place, caller: current) {
            bytes += name
            bytes.append(0)
        }
        if bytes.count > maximumSize { throw .E2BIG }
        return try deliver(current, bytes, buffer, size)
    }

    @Sendable static func sysListxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try list(current, try path(current, a.address(0), follow: true), a.address(1), a.a2)
    }
    @Sendable static func sysLlistxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try list(current, try path(current, a.address(0), follow: false), a.address(1), a.a2)
    }
    @Sendable static func sysFlistxattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try list(current, try file(current, a.int(0)), a.address(1), a.a2)
    }
    @Sendable static func sysListxattrat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try list(current, try place(current, a), a.address(3), a.a4)
    }

    // MARK: remove

    private static func remove(_ current: CurrentTask, _ place: Path, _ name: [UInt8]) throws(Errno) -> Int {
        try VFS.removeExtendedAttribute(name, of: place, caller: current)
        return 0
    }

    @Sendable static func sysRemovexattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try name(current, a.address(1))
        return try remove(current, try path(current, a.address(0), follow: true), name)
    }
    @Sendable static func sysLremovexattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try name(current, a.address(1))
        return try remove(current, try path(current, a.address(0), follow: false), name)
    }
    @Sendable static func sysFremovexattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let place = try file(current, a.int(0))
        return try remove(current, place, try name(current, a.address(1)))
    }
    @Sendable static func sysRemovexattrat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let name = try name(current, a.address(3))
        return try remove(current, try place(current, a), name)
    }
}
