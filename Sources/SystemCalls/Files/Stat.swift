import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// stat(2) and its relatives, statx(2), access(2).
extension SystemCallFamilies {
    public static let stat: [SystemCallEntry] = [
        .init(4, "stat", sysStat),
        .init(5, "fstat", sysFstat),
        .init(6, "lstat", sysLstat),
        .init(21, "access", sysAccess),
        .init(262, "newfstatat", sysNewfstatat),
        .init(269, "faccessat", sysFaccessat),
        .init(332, "statx", sysStatx),
        .init(439, "faccessat2", sysFaccessat2),
    ]

    @Sendable static func sysStat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let path = try VFS.resolve(try current.path(at: a.address(0)), caller: current)
        return try store(current, try path.node.attributes(), a.address(1))
    }

    @Sendable static func sysLstat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let path = try VFS.resolve(try current.path(at: a.address(0)), [], caller: current)
        return try store(current, try path.node.attributes(), a.address(1))
    }

    @Sendable static func sysFstat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try store(current, try current.files.get(a.int(0)).attributes(), a.address(1))
    }

    @Sendable static func sysNewfstatat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try current.flags(a.uint(3), allowed: [.symlinkNoFollow, .noAutomount, .emptyPath])
        let attributes = try attributes(current, a.int(0), a.address(1), flags)
        return try store(current, attributes, a.address(2))
    }

    /// With AT_EMPTY_PATH the path may be a null pointer.
    private static func attributes(_ current: CurrentTask, _ directory: Int32, _ address: GuestAddress, _ flags: AtFlags)
        throws(Errno) -> FileAttributes
    {
        let isEmptyAllowed = flags.contains(.emptyPath)
        let bytes = isEmptyAllowed && address.isNull ? [] : try current.path(at: address)
        if bytes.isEmpty && isEmptyAllowed && directory != AtFlags.workingDirectory {
            return try current.files.get(directory).attributes()
        }
        return try statPlace(current, directory, bytes, flags).node.attributes()
    }

    private static func statPlace(_ current: CurrentTask, _ directory: Int32, _ bytes: [UInt8], _ flags: AtFlags) throws(Errno) -> Path {
        if bytes.isEmpty && flags.contains(.emptyPath) { return try current.place(ofDescriptor: directory) }
        return try VFS.resolve(
            bytes, from: current.base(directory, bytes), flags.contains(.symlinkNoFollow) ? [] : [.follow], caller: current)
    }

    private static func store(_ current: CurrentTask, _ attributes: FileAttributes, _ address: GuestAddress) throws(Errno) -> Int {
        var buffer = StatBuffer()
        buffer.device = attributes.device.encoded
        buffer.inode = attributes.inode
        buffer.linkCount = UInt64(attributes.linkCount)
        buffer.mode = UInt32(attributes.mode.rawValue)
        buffer.uid = attributes.uid
        buffer.gid = attributes.gid
        if let space = current.innerUserNamespace {
            buffer.uid = space.shownUser(attributes.uid)
            buffer.gid = space.shownGroup(attributes.gid)
        }
        buffer.specialDevice = attributes.specialDevice.encoded
        buffer.size = Int64(clamping: attributes.size)
        buffer.blockSize = Int64(attributes.blockSize)
        buffer.blocks = Int64(clamping: attributes.blocks)
        buffer.accessTime = attributes.accessTime
        buffer.modificationTime = attributes.modificationTime
        buffer.changeTime = attributes.changeTime
        try current.memory.store(buffer, at: address)
        return 0
    }

    @Sendable static func sysStatx(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try current.flags(a.uint(2), allowed: [.symlinkNoFollow, .noAutomount, .emptyPath, .forceSync, .dontSync])
        guard a.uint(3) & StatxMask.reserved == 0, !flags.isSuperset(of: [.forceSync, .dontSync]) else { throw .EINVAL }
        let isEmptyAllowed = flags.contains(.emptyPath)
        let bytes = isEmptyAllowed && a.address(1).isNull ? [] : try current.path(at: a.address(1))
        let place = try statPlace(current, a.int(0), bytes, flags)
        // An anonymous file has attributes only as a description.
        let attributes: FileAttributes
        if bytes.isEmpty && a.int(0) != AtFlags.workingDirectory {
            attributes = try current.files.get(a.int(0)).attributes()
        } else {
            attributes = try place.node.attributes()
        }
        var buffer = StatxBuffer()
        buffer.mask = StatxMask.basic | StatxMask.mountID
        buffer.blockSize = attributes.blockSize
        buffer.linkCount = attributes.linkCount
        buffer.uid = attributes.uid
        buffer.gid = attributes.gid
        if let space = current.innerUserNamespace {
            buffer.uid = space.shownUser(attributes.uid)
            buffer.gid = space.shownGroup(attributes.gid)
        }
        buffer.mode = attributes.mode.rawValue
        buffer.inode = attributes.inode
        buffer.size = attributes.size
        buffer.blocks = attributes.blocks
        buffer.accessTime = StatxTimestamp(attributes.accessTime)
        buffer.changeTime = StatxTimestamp(attributes.changeTime)
        buffer.modificationTime = StatxTimestamp(attributes.modificationTime)
        if let birthTime = attributes.birthTime {
            buffer.mask |= StatxMask.birthTime
            buffer.birthTime = StatxTimestamp(birthTime)
        }
        buffer.specialDeviceMajor = attributes.specialDevice.major
        buffer.specialDeviceMinor = attributes.specialDevice.minor
        buffer.deviceMajor = attributes.device.major
        buffer.deviceMinor = attributes.device.minor
        if a.uint(3) & StatxMask.uniqueMountID != 0 {
            buffer.mask ^= StatxMask.mountID | StatxMask.uniqueMountID
            buffer.mountID = place.mount.uniqueID
        } else {
            buffer.mountID = UInt64(truncatingIfNeeded: place.mount.id)
        }
        buffer.attributesMask = StatxMask.attributeMountRoot
        if place.dentry === place.mount.root { buffer.attributes = StatxMask.attributeMountRoot }
        try current.memory.store(buffer, at: a.address(4))
        return 0
    }

    // MARK: access

    @Sendable static func sysAccess(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try access(current, AtFlags.workingDirectory, a.address(0), a.uint(1), [])
    }

    @Sendable static func sysFaccessat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try access(current, a.int(0), a.address(1), a.uint(2), [])
    }

    @Sendable static func sysFaccessat2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(2) & ~7 == 0 else { throw .EINVAL }
        let flags = try current.flags(a.uint(3), allowed: [.effectiveAccess, .symlinkNoFollow, .emptyPath])
        return try access(current, a.int(0), a.address(1), a.uint(2), flags)
    }

    private static func access(_ current: CurrentTask, _ directory: Int32, _ address: GuestAddress, _ mode: UInt32, _ flags: AtFlags)
        throws(Errno) -> Int
    {
        guard mode & ~7 == 0 else { throw .EINVAL }
        let own = current.credentials
        let credentials = flags.contains(.effectiveAccess) ? own : VFS.accessCredentials(own)
        let bytes = try current.path(at: address)
        let place: Path
        if bytes.isEmpty && flags.contains(.emptyPath) {
            place = try current.place(ofDescriptor: directory)
        } else {
            let options: LookupOptions = flags.contains(.symlinkNoFollow) ? [] : [.follow]
            place = try VFS.resolve(bytes, from: current.base(directory, bytes), options, caller: current, credentials: credentials)
        }
        try VFS.checkAccess(AccessMask(rawValue: UInt8(mode)), place, credentials)
        return 0
    }
}
