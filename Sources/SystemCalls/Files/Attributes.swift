import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Mode, owner, times and size of files.
extension SystemCallFamilies {
    public static let fileAttributes: [SystemCallEntry] = [
        .init(76, "truncate", sysTruncate),
        .init(77, "ftruncate", sysFtruncate),
        .init(90, "chmod", sysChmod),
        .init(91, "fchmod", sysFchmod),
        .init(92, "chown", sysChown),
        .init(93, "fchown", sysFchown),
        .init(94, "lchown", sysLchown),
        .init(132, "utime", sysUtime),
        .init(235, "utimes", sysUtimes),
        .init(260, "fchownat", sysFchownat),
        .init(261, "futimesat", sysFutimesat),
        .init(268, "fchmodat", sysFchmodat),
        .init(280, "utimensat", sysUtimensat),
        .init(452, "fchmodat2", sysFchmodat2),
    ]

    private static let here = AtFlags.workingDirectory

    // MARK: mode

    private static func changeMode(_ current: CurrentTask, _ place: Path, _ mode: UInt32) throws(Errno) -> Int {
        try VFS.changeMode(place, UInt16(truncatingIfNeeded: mode & 0o7777), caller: current)
        return 0
    }
    @Sendable static func sysChmod(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try changeMode(current, try current.place(here, a.address(0), follow: true), a.uint(1))
    }
    @Sendable static func sysFchmod(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try changeMode(current, try current.file(a.int(0)).location, a.uint(1))
    }
    @Sendable static func sysFchmodat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try changeMode(current, try current.place(a.int(0), a.address(1), follow: true), a.uint(2))
    }
    @Sendable static func sysFchmodat2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try current.flags(a.uint(3), allowed: [.symlinkNoFollow, .emptyPath])
        let place = try current.place(
            a.int(0), a.address(1), follow: !flags.contains(.symlinkNoFollow), emptyPath: flags.contains(.emptyPath))
        return try changeMode(current, place, a.uint(2))
    }

    // MARK: owner

    private static func changeOwner(_ current: CurrentTask, _ place: Path, _ uid: UInt32, _ gid: UInt32) throws(Errno) -> Int {
        // -1 leaves an id alone.
        let c = current.credentials
        let (user, group) = (c.kernelUser(uid), c.kernelGroup(gid))
        guard uid == .max || user != nil, gid == .max || group != nil else { throw .EINVAL }
        try VFS.changeOwner(place, uid: user, gid: group, caller: current)
        return 0
    }
    @Sendable static func sysChown(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try changeOwner(current, try current.place(here, a.address(0), follow: true), a.uint(1), a.uint(2))
    }
    @Sendable static func sysLchown(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try changeOwner(current, try current.place(here, a.address(0), follow: false), a.uint(1), a.uint(2))
    }
    @Sendable static func sysFchown(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try changeOwner(current, try current.file(a.int(0)).location, a.uint(1), a.uint(2))
    }
    @Sendable static func sysFchownat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = try current.flags(a.uint(4), allowed: [.symlinkNoFollow, .emptyPath])
        let place = try current.place(
            a.int(0), a.address(1), follow: !flags.contains(.symlinkNoFollow), emptyPath: flags.contains(.emptyPath))
        return try changeOwner(current, place, a.uint(2), a.uint(3))
    }

    // MARK: times

    /// What a pair of times asks for; nil for "both now", which write permission allows.
    private struct TimesRequest {
        var access: AttributeChange.TimeChange?
        var modification: AttributeChange.TimeChange?

        init(_ access: AttributeChange.TimeChange?, _ modification: AttributeChange.TimeChange?) {
            self.access = access
            self.modification = modification
        }
    }

    private static func changeTimes(_ current: CurrentTask, _ place: Path, _ request: TimesRequest?) throws(Errno) -> Int {
        try VFS.changeTimes(
            place, access: request == nil ? .now : request?.access, modification: request == nil ? .now : request?.modification,
            isExplicit: request != nil, caller: current)
        return 0
    }

    @Sendable static func sysUtimensat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var request: TimesRequest?
        if !a.address(2).isNull {
            let times = try current.memory.loadArray(Timespec.self, at: a.address(2), count: 2)
            if times[0].nanoseconds == UtimeSpecial.omit && times[1].nanoseconds == UtimeSpecial.omit { return 0 }
            request = TimesRequest(try change(times[0]), try change(times[1]))
            if times[0].nanoseconds == UtimeSpecial.now && times[1].nanoseconds == UtimeSpecial.now { request = nil }
        }
        if a.address(1).isNull && a.int(0) != here {
            // futimens(3)
            guard a.uint(3) == 0 else { throw .EINVAL }
            return try changeTimes(current, try current.file(a.int(0)).location, request)
        }
        let flags = try current.flags(a.uint(3), allowed: [.symlinkNoFollow, .emptyPath])
        let place = try current.place(
            a.int(0), a.address(1), follow: !flags.contains(.symlinkNoFollow), emptyPath: flags.contains(.emptyPath))
        return try changeTimes(current, place, request)
    }

    private static func change(_ time: Timespec) throws(Errno) -> AttributeChange.TimeChange? {
        switch time.nanoseconds {
        case UtimeSpecial.omit: return nil
        case UtimeSpecial.now: return .now
        case 0...999_999_999: return .set(time)
        default: throw .EINVAL
        }
    }

    @Sendable static func sysUtime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var request: TimesRequest?
        if !a.address(1).isNull {
            let times = try current.memory.load(UtimeBuffer.self, at: a.address(1))
            request = TimesRequest(
                .set(Timespec(seconds: times.accessTime, nanoseconds: 0)), .set(Timespec(seconds: times.modificationTime, nanoseconds: 0)))
        }
        return try changeTimes(current, try current.place(here, a.address(0), follow: true), request)
    }

    @Sendable static func sysUtimes(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let request = try timevals(current, a.address(1))
        return try changeTimes(current, try current.place(here, a.address(0), follow: true), request)
    }

    @Sendable static func sysFutimesat(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let request = try timevals(current, a.address(2))
        if a.address(1).isNull && a.int(0) != here {
            return try changeTimes(current, try current.file(a.int(0)).location, request)
        }
        return try changeTimes(current, try current.place(a.int(0), a.address(1), follow: true), request)
    }

    private static func timevals(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> TimesRequest? {
        if address.isNull { return nil }
        let times = try current.memory.loadArray(Timeval.self, at: address, count: 2)
        for time in times where time.microseconds < 0 || time.microseconds >= 1_000_000 { throw .EINVAL }
        return TimesRequest(
            .set(Timespec(seconds: times[0].seconds, nanoseconds: times[0].microseconds * 1000)),
            .set(Timespec(seconds: times[1].seconds, nanoseconds: times[1].microseconds * 1000)))
    }

    // MARK: size

    @Sendable static func sysTruncate(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.long(1) >= 0 else { throw .EINVAL }
        try VFS.truncate(try current.place(here, a.address(0), follow: true), to: a.long(1), caller: current)
        return 0
    }

    @Sendable static func sysFtruncate(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.long(1) >= 0 else { throw .EINVAL }
        let file = try current.file(a.int(0))
        guard let inode = file.inode, file.type == .regular, file.isWritable else { throw .EINVAL }
        if inode.flags.contains(.appendOnly) { throw .EPERM }
        if file.denied.contains(.truncate) { throw .EACCES }
        // Secret memory gets its size once.
        if file.operations is SecretFile, try file.attributes().size != 0 { throw .EINVAL }
        try VFS.truncate(inode, to: a.long(1), caller: current)
        FileNotice.post(.modify, file)
        return 0
    }
}
