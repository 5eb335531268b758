import HostOS
import Kernel
import LinuxABI

/// POSIX timers: timer_create(2) and kin.
extension SystemCallFamilies {
    public static let timers: [SystemCallEntry] = [
        .init(222, "timer_create", sysTimerCreate),
        .init(223, "timer_settime", sysTimerSettime),
        .init(224, "timer_gettime", sysTimerGettime),
        .init(225, "timer_getoverrun", sysTimerGetoverrun),
        .init(226, "timer_delete", sysTimerDelete),
    ]

    @Sendable static func sysTimerCreate(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let clock = try Clock(a.int(0))
        if !clock.hasTimers { throw .EOPNOTSUPP }
        var request = TimerSet.NotificationRequest.signal(.SIGALRM, thread: nil, value: nil)
        if !a.address(1).isNull { request = try notification(current, try current.memory.load(SignalEvent.self, at: a.address(1))) }
        let source: TimerClockRequest
        switch clock {
        case .host(let host): source = TimerClockRequest(host)
        case .alarm(let host):
            if !current.credentials.has(.wakeAlarm) { throw .EPERM }
            source = TimerClockRequest(host)
        case .processor(let id, let perThread, let kind, _):
            source = TimerClockRequest(
                try ProcessorClock(id: id, perThread: perThread, kind: kind, current: current, isReading: false))
        }
        try current.threadGroup.timers.create(source, request, for: current) { id throws(Errno) in
            try current.memory.store(id, at: a.address(2))
        }
        return 0
    }

    /// Linux's good_sigevent. - Throws: EINVAL.
    private static func notification(_ current: CurrentTask, _ event: SignalEvent) throws(Errno) -> TimerSet.NotificationRequest {
        var thread: Task?
        switch event.notify {
        case SignalEvent.none: return .none
        case SignalEvent.threadID:
            guard let task = current.findTask(event.threadID), task.threadGroup === current.threadGroup else {
                throw .EINVAL
            }
            thread = task
        case SignalEvent.signal, SignalEvent.thread: break
        default: throw .EINVAL
        }
        guard let signal = Signal(rawValue: event.signo) else { throw .EINVAL }
        return .signal(signal, thread: thread, value: event.value)
    }

    @Sendable static func sysTimerSettime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.address(2).isNull { throw .EINVAL }
        let setting = try current.memory.load(Itimerspec.self, at: a.address(2))
        guard setting.isValid else { throw .EINVAL }
        let old = try current.threadGroup.timers.set(a.int(0), setting, isAbsolute: a.int(1) & 1 != 0)
        if !a.address(3).isNull { try current.memory.store(old, at: a.address(3)) }
        return 0
    }

    @Sendable static func sysTimerGettime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.memory.store(try current.threadGroup.timers.get(a.int(0)), at: a.address(1))
        return 0
    }
    @Sendable static func sysTimerGetoverrun(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        Int(try current.threadGroup.timers.overrun(a.int(0)))
    }
    @Sendable static func sysTimerDelete(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.threadGroup.timers.delete(a.int(0))
        return 0
    }
}
