import Kernel
import LinuxABI
import VirtualFileSystem

/// timerfd_create(2) and kin.
extension SystemCallFamilies {
    public static let timerFiles: [SystemCallEntry] = [
        .init(283, "timerfd_create", sysTimerfdCreate),
        .init(286, "timerfd_settime", sysTimerfdSettime),
        .init(287, "timerfd_gettime", sysTimerfdGettime),
    ]

    @Sendable static func sysTimerfdCreate(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: a.uint(1))
        guard flags.subtracting([.closeOnExec, .nonBlocking]).isEmpty else { throw .EINVAL }
        let file = try TimerFile(clockID: a.int(0), service: current.kernel.timers)
        if file.isAlarm && !current.credentials.has(.wakeAlarm) { throw .EPERM }
        let description = FileDescription(
            operations: file, anonymousName: "anon_inode:[timerfd]",
            flags: flags.contains(.nonBlocking) ? [.readWrite, .nonBlocking] : .readWrite)
        return try current.install(description, closeOnExec: flags.contains(.closeOnExec))
    }

    private static func timerFile(_ current: CurrentTask, _ number: Int32) throws(Errno) -> TimerFile {
        guard let file = try current.file(number).operations as? TimerFile else { throw .EINVAL }
        return file
    }

    @Sendable static func sysTimerfdSettime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let setting = try current.memory.load(Itimerspec.self, at: a.address(2))
        let flags = a.int(1)
        guard flags & ~(TimerFile.absolute | TimerFile.cancelOnSet) == 0, setting.isValid else { throw .EINVAL }
        let file = try timerFile(current, a.int(0))
        if file.isAlarm && !current.credentials.has(.wakeAlarm) { throw .EPERM }
        let old = file.set(setting, flags: flags)
        if !a.address(3).isNull { try current.memory.store(old, at: a.address(3)) }
        return 0
    }

    @Sendable static func sysTimerfdGettime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.memory.store(try timerFile(current, a.int(0)).get(), at: a.address(1))
        return 0
    }
}
