import Kernel
import LinuxABI
import VirtualFileSystem

/// Nice values and I/O priorities.
extension SystemCallFamilies {
    public static let priorities: [SystemCallEntry] = [
        .init(140, "getpriority", sysGetpriority),
        .init(141, "setpriority", sysSetpriority),
        .init(251, "ioprio_set", sysIoprioSet),
        .init(252, "ioprio_get", sysIoprioGet),
    ]

    private enum Scope: Int32 { case process, group, user }

    /// The threads that (`scope`, `who`) names; 0 means the caller's own. Empty when there is none.
    private static func tasks(_ current: CurrentTask, _ scope: Scope, _ who: Int32) -> [Task] {
        switch scope {
        case .process:
            if who == 0 { return [current.task] }
            return current.findTask(who).map { [$0] } ?? []
        case .group:
            let group = who == 0 ? current.threadGroup.processGroup : current.findProcessGroup(who)
            return group?.threadGroups.flatMap(\.tasks) ?? []
        case .user:
            let uid = who == 0 ? current.credentials.realUID : current.credentials.kernelUser(UInt32(bitPattern: who))
            guard let uid else { return [] }
            return current.visibleThreadGroups.flatMap(\.tasks).filter { $0.credentials.realUID == uid }
        }
    }

    /// 20 - nice of the best thread: 1…40.
    @Sendable static func sysGetpriority(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let scope = Scope(rawValue: a.int(0)) else { throw .EINVAL }
        guard let nice = tasks(current, scope, a.int(1)).map(\.scheduling.nice).min() else { throw .ESRCH }
        return 20 - Int(nice)
    }

    @Sendable static func sysSetpriority(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let scope = Scope(rawValue: a.int(0)) else { throw .EINVAL }
        let nice = max(-20, min(19, a.int(2)))
        let caller = current.credentials
        var outcome = Errno.ESRCH
        var failed = false
        var changed = false
        for task in tasks(current, scope, a.int(1)) {
            let target = task.credentials
            if caller.effectiveUID != target.realUID && caller.effectiveUID != target.effectiveUID && !caller.has(.sysNice, in: target.userNamespace) {
                outcome = .EPERM
                failed = true
                continue
            }
            if nice < task.scheduling.nice && !mayNice(current, task, nice) {
                outcome = .EACCES
                failed = true
                continue
            }
            try task.changeScheduling { s throws(Errno) in s.nice = nice }
            changed = true
        }
        if failed || !changed { throw outcome }
        return 0
    }

    // MARK: I/O priorities

    private enum IOClass { static let none = 0, realTime = 1, bestEffort = 2, idle = 3 }

    private static func ioScope(_ number: Int32) throws(Errno) -> Scope {
        // IOPRIO_WHO_PROCESS is 1.
        guard let scope = Scope(rawValue: number &- 1) else { throw .EINVAL }
        return scope
    }

    @Sendable static func sysIoprioSet(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let value = UInt16(truncatingIfNeeded: a.uint(2))
        let level = Int(value & 7)
        let caller = current.credentials
        switch Int(value >> 13) {
        case IOClass.realTime: if !caller.has(.sysAdmin) && !caller.has(.sysNice) { throw .EPERM }
        case IOClass.bestEffort, IOClass.idle: break
        case IOClass.none: if level != 0 { throw .EINVAL }
        default: throw .EINVAL
        }
        let targets = tasks(current, try ioScope(a.int(0)), a.int(1))
        if targets.isEmpty { throw .ESRCH }
        for task in targets {
            let target = task.credentials
            if target.realUID != caller.effectiveUID && target.realUID != caller.realUID && !caller.has(.sysNice) { throw .EPERM }
            try task.changeScheduling { s throws(Errno) in s.ioPriority = value }
        }
        return 0
    }

    /// The highest priority among the threads: the lowest class, then the lowest level, "none" counting as best effort.
    @Sendable static func sysIoprioGet(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let scope = try ioScope(a.int(0))
        let targets = tasks(current, scope, a.int(1))
        if targets.isEmpty { throw .ESRCH }
        if scope == .process { return Int(targets[0].scheduling.ioPriority) }
        var best = Int.max
        for task in targets {
            let s = task.scheduling
            let effective = s.ioPriority >> 13 == 0 ? IOClass.bestEffort << 13 | Int(s.nice + 20) / 5 : Int(s.ioPriority)
            best = min(best, effective)
        }
        return best
    }
}
