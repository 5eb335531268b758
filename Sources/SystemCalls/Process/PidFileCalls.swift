import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), process_mrelease(2).
extension SystemCallFamilies {
    public static let pidFiles: [SystemCallEntry] = [
        .init(424, "pidfd_send_signal", sysPidfdSendSignal),
        .init(434, "pidfd_open", sysPidfdOpen),
        .init(438, "pidfd_getfd", sysPidfdGetfd),
        .init(448, "process_mrelease", sysProcessMrelease),
    ]

    @Sendable static func sysPidfdOpen(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let nonBlocking: UInt32 = 0o4000
        // PIDFD_THREAD is O_EXCL.
        let oneThread: UInt32 = 0o200
        guard a.uint(1) & ~(nonBlocking | oneThread) == 0, a.int(0) > 0 else { throw .EINVAL }
        guard let task = current.findTask(a.int(0)) else { throw .ESRCH }
        let thread = a.uint(1) & oneThread != 0 ? task : nil
        guard task.isLeader || thread != nil else { throw .ENOENT }
        let description = PidFile.makeDescription(task.threadGroup, thread: thread, nonBlocking: a.uint(1) & nonBlocking != 0)
        return try current.install(description, closeOnExec: true)
    }

    @Sendable static func sysPidfdSendSignal(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let scope = try signalScope(a.uint(3))
        let description = try current.files.get(a.int(0))
        // A descriptor of /proc/PID does as well (pidfd_send_signal(2)), and names no thread.
        let group: ThreadGroup
        let thread: Task?
        if let process = ProcessPlace.process(of: description) {
            group = process
            thread = nil
        } else {
            let file = try pidFile(description)
            group = file.threadGroup
            thread = file.thread
        }
        let number = a.int(1)
        let toThread = scope == .thread || (scope == nil && thread != nil)
        var info: SignalInfo
        if a.address(2).isNull {
            info = userInfo(current, code: toThread ? SignalInfo.SI_TKILL : SignalInfo.SI_USER)
            info.signo = number
        } else {
            info = try current.memory.load(SignalInfo.self, at: a.address(2))
            guard info.signo == number else { throw .EINVAL }
            let isForeign = group !== current.threadGroup || scope == .processGroup
            if (info.code >= 0 || info.code == SignalInfo.SI_TKILL) && isForeign { throw .EPERM }
        }
        guard (0...64).contains(number) else { throw .EINVAL }
        guard current.kernel.processes.threadGroup(group.id) === group, current.number(of: group) != 0 else { throw .ESRCH }
        let signal = Signal(rawValue: number)
        if scope == .processGroup {
            try current.sendToGroup(info, signal, current.kernel.processes.processGroup(group.id))
        } else if toThread {
            guard let target = thread ?? group.leader, !target.isExiting || target.isLeader else { throw .ESRCH }
            try current.send(info, signal, to: target)
        } else {
            try current.send(info, signal, to: group)
        }
        return 0
    }

    private enum SignalScope: UInt32 {
        case thread = 1
        case process = 2
        case processGroup = 4
    }
    /// One of PIDFD_SIGNAL_*, or none for what the descriptor stands for. - Throws: EINVAL.
    private static func signalScope(_ flags: UInt32) throws(Errno) -> SignalScope? {
        if flags == 0 { return nil }
        guard let scope = SignalScope(rawValue: flags) else { throw .EINVAL }
        return scope
    }

    /// process_mrelease(2): waits until the address space of a process that is being killed is gone.
    @Sendable static func sysProcessMrelease(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(1) == 0 else { throw .EINVAL }
        let group = try pidFile(current.files.get(a.int(0))).threadGroup
        guard group.memory != nil else { throw .ESRCH }
        guard group.isExiting else { throw .EINVAL }
        // Every thread that ends gives up its address space before it tells of its end.
        return try current.wait(on: group.exitEvents) { () throws(Errno) -> Int? in group.memory == nil ? 0 : nil }
    }

    @Sendable static func sysPidfdGetfd(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(2) == 0 else { throw .EINVAL }
        let file = try pidFile(current.files.get(a.int(0)))
        let group = file.threadGroup
        guard let task = file.thread ?? group.tasks.first(where: { $0.files != nil }) else { throw .ESRCH }
        guard current.mayInspect(task) else { throw .EPERM }
        guard let files = task.files else { throw .ESRCH }
        return try current.install(try files.get(a.int(1)), closeOnExec: true)
    }
}
