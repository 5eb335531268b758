import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// mount(2), umount2(2), pivot_root(2), and swapping, which no sandbox does.
extension SystemCallFamilies {
    public static let mounts: [SystemCallEntry] = [
        .init(155, "pivot_root", sysPivotRoot),
        .init(165, "mount", sysMount),
        .init(166, "umount2", sysUmount2),
        .init(167, "swapon", sysSwapon),
        .init(168, "swapoff", sysSwapon),
    ]

    private enum Flag {
        static let remount: UInt32 = 32
        static let bind: UInt32 = 4096
        static let move: UInt32 = 8192
        static let recursive: UInt32 = 16384
        static let silent: UInt32 = 32768
        static let strictAccessTime: UInt32 = 1 << 24
        static let noUser: UInt32 = 1 << 31
        static let propagation = UInt32(
            MountPropagation.unbindable.rawValue | MountPropagation.isPrivate.rawValue | MountPropagation.slave.rawValue
                | MountPropagation.shared.rawValue)
    }

    /// may_mount. - Throws: EPERM.
    static func requireMounting(_ current: CurrentTask) throws(Errno) {
        guard current.credentials.has(.sysAdmin, in: current.mountNamespace.owner), current.mountsMayChange else { throw .EPERM }
    }

    @Sendable static func sysMount(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var raw = UInt32(truncatingIfNeeded: a.a3)
        let type = a.address(2).isNull ? nil : try word(current, a.address(2))
        let source = a.address(0).isNull ? nil : try word(current, a.address(0))
        let options = a.address(4).isNull ? [] : try data(current, a.address(4))
        let place = try VFS.resolve(try current.path(at: a.address(1)), caller: current)
        // The magic number that old programs put into the upper half.
        if raw & 0xffff_0000 == 0xc0ed_0000 { raw &= 0xffff }
        try requireMounting(current)
        if raw & Flag.noUser != 0 { throw .EINVAL }
        let flags = mountFlags(raw, of: place)
        let namespace = current.mountNamespace

        switch raw & (Flag.remount | Flag.bind) {
        case Flag.remount | Flag.bind:
            try namespace.setFlags(flags, of: place)
            return 0
        case Flag.remount:
            try remount(current, place, flags, readOnly: raw & MountFlags.readOnly.rawValue != 0, options)
            return 0
        case Flag.bind:
            guard let source, !source.isEmpty else { throw .EINVAL }
            let subtree = try VFS.resolve(source, caller: current)
            if let inner = NamespaceFile.namespace(of: subtree), inner.kind == .mnt, inner.number <= namespace.number { throw .EINVAL }
            try namespace.bind(subtree, at: place, recursive: raw & Flag.recursive != 0)
            return 0
        default: break
        }
        if raw & Flag.propagation != 0 {
            // One type, and nothing else with it.
            guard raw & ~(Flag.propagation | Flag.recursive | Flag.silent) == 0,
                let propagation = MountPropagation(rawValue: UInt64(raw & Flag.propagation))
            else { throw .EINVAL }
            try namespace.setPropagation(propagation, of: place, recursive: raw & Flag.recursive != 0)
            return 0
        }
        if raw & Flag.move != 0 {
            guard let source, !source.isEmpty else { throw .EINVAL }
            let moved = try VFS.resolve(source, caller: current)
            guard moved.dentry === moved.mount.root else { throw .EINVAL }
            try namespace.move(moved.mount, to: place)
            return 0
        }
        guard let type else { throw .EINVAL }
        let name = String(decoding: type, as: UTF8.self)
        let (fileSystem, kept) = try newFileSystem(current, name, source: source ?? [], options: options, flags: flags)
        try namespace.mount(
            fileSystem, at: place, flags: flags.union(kept), source: source ?? Array("none".utf8),
            readOnly: raw & MountFlags.readOnly.rawValue != 0)
        return 0
    }

    /// An instance that the caller may mount, and the flags that its mount must have. - Throws: ENODEV, EPERM, EINVAL.
    static func newFileSystem(_ current: CurrentTask, _ name: String, source: [UInt8], options: [UInt8], flags: MountFlags) throws(Errno)
        -> (any FileSystem, MountFlags)
    {
        let namespace = current.mountNamespace
        let types = namespace.fileSystemTypes
        let traits = try types.traits(name)
        let c = current.credentials
        guard traits.contains(.userNamespaces) ? c.hasInside(.sysAdmin) : c.has(.sysAdmin) else { throw .EPERM }
        var kept: MountFlags = []
        if traits.contains(.revealing) && namespace.owner != UserNamespace.initial {
            guard let locked = namespace.visibleInstanceFlags(name, wanted: flags) else { throw .EPERM }
            kept = locked
        }
        return (try types.make(name, source: source, options: options, caller: current), kept)
    }

    /// Flags of the mount from MS_*: atime as path_mount has it.
    private static func mountFlags(_ raw: UInt32, of place: Path) -> MountFlags {
        var flags = MountFlags(rawValue: raw).intersection(.perMount)
        if !flags.contains(.noAccessTime) { flags.insert(.relativeAccessTime) } else { flags.remove(.relativeAccessTime) }
        if raw & Flag.strictAccessTime != 0 { flags.subtract([.relativeAccessTime, .noAccessTime]) }
        let named = raw & (MountFlags.accessTimes.rawValue | Flag.strictAccessTime)
        if raw & Flag.remount != 0 && named == 0 {
            flags.subtract(.accessTimes)
            flags.formUnion(place.mount.flags.intersection(.accessTimes))
        }
        return flags
    }

    /// MS_REMOUNT: the file system's options, and the mount's flags.
    private static func remount(_ current: CurrentTask, _ place: Path, _ flags: MountFlags, readOnly: Bool, _ options: [UInt8]) throws(Errno) {
        guard place.dentry === place.mount.root, current.mountNamespace.contains(place.mount) else { throw .EINVAL }
        try place.mount.checkChange(to: flags)
        try reconfigure(current, place.mount, readOnly: readOnly, options)
        try current.mountNamespace.setFlags(flags, of: place)
    }

    /// - Throws: EPERM for a file system of another user namespace, EINVAL for options it does not know.
    static func reconfigure(_ current: CurrentTask, _ mount: Mount, readOnly: Bool?, _ options: [UInt8]) throws(Errno) {
        guard current.credentials.has(.sysAdmin, in: mount.fileSystem.userNamespace ?? .initial) else { throw .EPERM }
        try mount.fileSystem.reconfigure(options, caller: current)
        if let readOnly { mount.superblock.isReadOnly = readOnly }
    }

    /// A string argument. - Throws: EFAULT, EINVAL when it is longer than a page.
    private static func word(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try current.memory.copyInString(address, limit: 4096)
        } catch { throw error == .ENAMETOOLONG ? .EINVAL : error }
    }

    /// The data argument: a page of bytes up to a NUL, or as far as it can be read.
    private static func data(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try current.memory.copyInString(address, limit: 4096)
        } catch {
            guard error == .ENAMETOOLONG else { throw error }
            return try current.memory.copyIn(address, count: 4095)
        }
    }

    @Sendable static func sysUmount2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = UnmountFlags(rawValue: a.uint(1))
        guard flags.subtracting(.all).isEmpty else { throw .EINVAL }
        // The path is let go before the mount is asked whether anybody uses it.
        let id = try mountID(current, a.address(0), flags)
        try current.mountNamespace.unmount(id: id, flags)
        return 0
    }

    /// can_umount.
    private static func mountID(_ current: CurrentTask, _ address: GuestAddress, _ flags: UnmountFlags) throws(Errno) -> Int32 {
        var options: LookupOptions = .unmounting
        if !flags.contains(.noFollow) { options.insert(.follow) }
        let found = try VFS.resolve(try current.path(at: address), options, caller: current)
        let place = current.mountNamespace.top(of: found)
        try requireMounting(current)
        guard place.dentry === place.mount.root, current.mountNamespace.contains(place.mount) else { throw .EINVAL }
        if flags.contains(.force) && !current.credentials.has(.sysAdmin, in: place.mount.fileSystem.userNamespace ?? .initial) {
            throw .EPERM
        }
        if flags.contains(.expire) && current.root.mount === place.mount { throw .EINVAL }
        return place.mount.id
    }

    @Sendable static func sysPivotRoot(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try requireMounting(current)
        let new = try VFS.resolve(try current.path(at: a.address(0)), [.follow, .directory], caller: current)
        let old = try VFS.resolve(try current.path(at: a.address(1)), [.follow, .directory], caller: current)
        let root = current.root
        try current.mountNamespace.pivot(to: new, putting: old, root: root)
        current.kernel.moveRoots(from: root, to: new)
        return 0
    }

    @Sendable static func sysSwapon(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int { throw .EPERM }
}
