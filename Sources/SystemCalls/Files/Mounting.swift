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
        static let unbindable: UInt32 = 1 << 17
        static let makePrivate: UInt32 = 1 << 18
        static let makeSlave: UInt32 = 1 << 19
        static let makeShared: UInt32 = 1 << 20
        static let propagation = unbindable | makePrivate | makeSlave | makeShared
        /// What stays with the mount.
        static let perMount = MountFlags([
            .readOnly, .noSetUserID, .noDevices, .noExecute, .noSymbolicLinks, .noAccessTime, .noDirectoryAccessTime,
            .relativeAccessTime,
        ])
    }

    @Sendable static func sysMount(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var raw = UInt32(truncatingIfNeeded: a.a3)
        // The magic number that old programs put into the upper half.
        if raw & 0xffff_0000 == 0xc0ed_0000 { raw &= 0xffff }
        let type = a.address(2).isNull ? [] : try current.memory.copyInString(a.address(2), limit: 4096)
        let source = a.address(0).isNull ? [] : try current.path(at: a.address(0))
        let options = a.address(4).isNull || raw & (Flag.bind | Flag.move | Flag.propagation) != 0 ? [] : try data(current, a.address(4))
        let place = try VFS.resolve(try current.path(at: a.address(1)), caller: current)
        guard current.mayChangeMounts else { throw .EPERM }
        let flags = MountFlags(rawValue: raw).intersection(Flag.perMount)
        let namespace = current.mountNamespace

        if raw & Flag.remount != 0 {
            guard place.dentry === place.mount.root else { throw .EINVAL }
            place.mount.flags = flags
            return 0
        }
        if raw & Flag.bind != 0 {
            if source.isEmpty { throw .EINVAL }
            let subtree = try VFS.resolve(source, caller: current)
            try namespace.bind(subtree, at: place, recursive: raw & Flag.recursive != 0)
            return 0
        }
        if raw & Flag.propagation != 0 {
            guard place.dentry === place.mount.root else { throw .EINVAL }
            // Mounts are private, always: only a change away from that can't be had.
            guard raw & (Flag.makeShared | Flag.unbindable) == 0 else { throw .EINVAL }
            return 0
        }
        if raw & Flag.move != 0 {
            if source.isEmpty { throw .EINVAL }
            let moved = try VFS.resolve(source, caller: current)
            guard moved.dentry === moved.mount.root else { throw .EINVAL }
            try namespace.move(moved.mount, to: place)
            return 0
        }
        if type.isEmpty { throw .EINVAL }
        let fileSystem = try namespace.fileSystemTypes.make(
            String(decoding: type, as: UTF8.self), source: source, options: options, caller: current)
        try namespace.mount(fileSystem, at: place, flags: flags, source: source.isEmpty ? type : source)
        return 0
    }

    /// The data argument: a page of bytes up to a NUL, or as far as it can be read.
    private static func data(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try current.memory.copyInString(address, limit: 4096)
        } catch {
            throw error == .ENAMETOOLONG ? .EINVAL : error
        }
    }

    @Sendable static func sysUmount2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let force: UInt32 = 1, detach: UInt32 = 2, expire: UInt32 = 4, noFollow: UInt32 = 8
        let flags = a.uint(1)
        guard flags & ~(force | detach | expire | noFollow) == 0 else { throw .EINVAL }
        // The path is let go before the mount is asked whether anybody uses it.
        let id = try mountID(current, a.address(0), follow: flags & noFollow == 0)
        guard current.mayChangeMounts else { throw .EPERM }
        if flags & expire != 0 { throw flags & (force | detach) != 0 ? .EINVAL : .EAGAIN }
        try current.mountNamespace.unmount(id: id, detach: flags & detach != 0)
        return 0
    }

    private static func mountID(_ current: CurrentTask, _ address: GuestAddress, follow: Bool) throws(Errno) -> Int32 {
        let place = try VFS.resolve(try current.path(at: address), follow ? [.follow] : [], caller: current)
        guard place.dentry === place.mount.root else { throw .EINVAL }
        return place.mount.id
    }

    @Sendable static func sysPivotRoot(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int { throw .EPERM }

    @Sendable static func sysSwapon(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int { throw .EPERM }
}
