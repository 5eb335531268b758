import Kernel
import LinuxABI
import VirtualFileSystem

/// inotify(7).
extension SystemCallFamilies {
    public static let inotify: [SystemCallEntry] = [
        .init(253, "inotify_init") { current, _ throws(Errno) in try makeInstance(current, flags: []) },
        .init(254, "inotify_add_watch", sysInotifyAddWatch),
        .init(255, "inotify_rm_watch", sysInotifyRmWatch),
        .init(294, "inotify_init1") { current, a throws(Errno) in
            try makeInstance(current, flags: OpenFlags(rawValue: a.uint(0)))
        },
    ]

    private static func makeInstance(_ current: CurrentTask, flags: OpenFlags) throws(Errno) -> Int {
        guard flags.isSubset(of: [.closeOnExec, .nonBlocking]) else { throw .EINVAL }
        let instance = try InotifyFile(kernel: current.kernel, user: current.credentials.realUID)
        let description = FileDescription(
            operations: instance, anonymousName: "anon_inode:inotify", flags: flags.subtracting(.closeOnExec))
        return try current.install(description, closeOnExec: flags.contains(.closeOnExec))
    }

    /// inotify_add_watch(2), in the order of Linux's checks.
    @Sendable static func sysInotifyAddWatch(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let request = WatchEvents(rawValue: a.uint(2))
        guard request.isSubset(of: .known), !request.isEmpty else { throw .EINVAL }
        let file = try current.file(a.int(0))
        guard !request.isSuperset(of: [.maskAdd, .maskCreate]) else { throw .EINVAL }
        guard let instance = file.operations as? InotifyFile else { throw .EINVAL }
        var options: LookupOptions = request.contains(.dontFollow) ? [] : [.follow]
        if request.contains(.onlyDirectory) { options.insert(.directory) }
        let place = try VFS.resolve(try current.path(at: a.address(1)), options, caller: current)
        try VFS.checkAccess(.read, place, current.credentials)
        return Int(try instance.watch(place, request))
    }

    @Sendable static func sysInotifyRmWatch(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let instance = try current.file(a.int(0)).operations as? InotifyFile else { throw .EINVAL }
        try instance.removeWatch(a.int(1))
        return 0
    }
}
