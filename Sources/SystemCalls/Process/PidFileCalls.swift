import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2).
extension SystemCallFamilies {
    public static let pidFiles: [SystemCallEntry] = [
        .init(424, "pidfd_send_signal", sysPidfdSendSignal),
        .init(434, "pidfd_open", sysPidfdOpen),
        .init(438, "pidfd_getfd", sysPidfdGetfd),
    ]

    @Sendable static func sysPidfdOpen(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let nonBlocking: UInt32 = 0o4000
        guard a.uint(1) & ~nonBlocking == 0, a.int(0) > 0 else { throw .EINVAL }
        guard let task = current.kernel.processes.task(a.int(0)) else { throw .ESRCH }
        guard task.isLeader else { throw .EINVAL }
        let description = PidFile.makeDescription(task.threadGroup, nonBlocking: a.uint(1) & nonBlocking != 0)
        return try current.install(description, closeOnExec: true)
    }

    @Sendable static func sysPidfdSendSignal(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(3) == 0 else { throw .EINVAL }
        let description = try current.files.get(a.int(0))
        // A descriptor of /proc/PID does as well (pidfd_send_signal(2)).
        let group: ThreadGroup
        if let process = ProcessPlace.process(of: description) {
            group = process
        } else {
            group = try pidFile(description).threadGroup
        }
        let number = a.int(1)
        var info: SignalInfo
        if a.address(2).isNull {
            info = userInfo(current, code: SignalInfo.SI_USER)
            info.signo = number
        } else {
            info = try current.memory.load(SignalInfo.self, at: a.address(2))
            guard info.signo == number else { throw .EINVAL }
            if (info.code >= 0 || info.code == SignalInfo.SI_TKILL) && group !== current.threadGroup { throw .EPERM }
        }
        guard (0...64).contains(number) else { throw .EINVAL }
        guard current.kernel.processes.threadGroup(group.id) === group else { throw .ESRCH }
        try current.send(info, Signal(rawValue: number), to: group)
        return 0
    }

    @Sendable static func sysPidfdGetfd(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(2) == 0 else { throw .EINVAL }
        let group = try pidFile(current.files.get(a.int(0))).threadGroup
        guard let task = group.tasks.first(where: { $0.files != nil }) else { throw .ESRCH }
        guard current.mayInspect(task) else { throw .EPERM }
        guard let files = task.files else { throw .ESRCH }
        return try current.install(try files.get(a.int(1)), closeOnExec: true)
    }
}
