import Kernel
import LinuxABI
import Memory

/// kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2), rt_tgsigqueueinfo(2).
extension SystemCallFamilies {
    public static let signalSending: [SystemCallEntry] = [
        .init(62, "kill", sysKill),
        .init(129, "rt_sigqueueinfo", sysRtSigqueueinfo),
        .init(200, "tkill", sysTkill),
        .init(234, "tgkill", sysTgkill),
        .init(297, "rt_tgsigqueueinfo", sysRtTgsigqueueinfo),
    ]

    /// siginfo as from kill(2), without signal number.
    static func userInfo(_ current: CurrentTask, code: Int32) -> SignalInfo {
        var info = SignalInfo()
        info.code = code
        info.pid = current.threadGroup.ownID
        info.uid = current.credentials.shownUser(current.credentials.realUID)
        return info
    }

    @Sendable static func sysKill(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (pid, number) = (a.int(0), a.int(1))
        guard (0...64).contains(number) else {
            // The target is looked up first.
            if pid > 0 && current.findTask(pid) == nil { throw .ESRCH }
            throw .EINVAL
        }
        try current.kill(pid, Signal(rawValue: number))
        return 0
    }

    @Sendable static func sysTkill(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.int(0) > 0 else { throw .EINVAL }
        return try sendToThread(current, group: nil, thread: a.int(0), number: a.int(1), userInfo(current, code: SignalInfo.SI_TKILL))
    }

    @Sendable static func sysTgkill(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.int(0) > 0, a.int(1) > 0 else { throw .EINVAL }
        return try sendToThread(
            current, group: a.int(0), thread: a.int(1), number: a.int(2), userInfo(current, code: SignalInfo.SI_TKILL))
    }

    private static func sendToThread(_ current: CurrentTask, group: Int32?, thread: Int32, number: Int32, _ info: SignalInfo)
        throws(Errno) -> Int
    {
        guard let task = current.findTask(thread), group == nil || current.number(of: task.threadGroup) == group else { throw .ESRCH }
        guard (0...64).contains(number) else { throw .EINVAL }
        var info = info
        info.signo = number
        try current.send(info, Signal(rawValue: number), to: task)
        return 0
    }

    @Sendable static func sysRtSigqueueinfo(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var info = try current.memory.load(SignalInfo.self, at: a.address(2))
        let (pid, number) = (a.int(0), a.int(1))
        info.signo = number
        // Nobody may pretend to be the kernel or kill(2) towards others.
        if (info.code >= 0 || info.code == SignalInfo.SI_TKILL) && current.threadGroup.ownID != pid { throw .EPERM }
        guard pid > 0, let task = current.findTask(pid) else { throw .ESRCH }
        guard (0...64).contains(number) else { throw .EINVAL }
        try current.send(info, Signal(rawValue: number), to: task.threadGroup)
        return 0
    }

    @Sendable static func sysRtTgsigqueueinfo(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let info = try current.memory.load(SignalInfo.self, at: a.address(3))
        guard a.int(0) > 0, a.int(1) > 0 else { throw .EINVAL }
        if (info.code >= 0 || info.code == SignalInfo.SI_TKILL) && current.task.ownID != a.int(1) { throw .EPERM }
        return try sendToThread(current, group: a.int(0), thread: a.int(1), number: a.int(2), info)
    }
}
