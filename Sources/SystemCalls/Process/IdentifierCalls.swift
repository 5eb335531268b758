import Kernel
import LinuxABI

/// Numbers of tasks, process groups and sessions.
extension SystemCallFamilies {
    public static let identifiers: [SystemCallEntry] = [
        .init(39, "getpid", { (current, _) throws(Errno) in Int(current.threadGroup.ownID) }),
        .init(109, "setpgid", sysSetpgid),
        .init(110, "getppid", { (current, _) throws(Errno) in Int(current.parentNumber) }),
        .init(111, "getpgrp", { (current, _) throws(Errno) in Int(current.number(of: current.threadGroup.processGroup)) }),
        .init(112, "setsid", { (current, _) throws(Errno) in Int(try current.makeSession()) }),
        .init(121, "getpgid", { (current, a) throws(Errno) in Int(current.number(of: try current.process(a.int(0)).processGroup)) }),
        .init(124, "getsid", { (current, a) throws(Errno) in Int(current.number(of: try current.process(a.int(0)).session)) }),
        .init(186, "gettid", { (current, _) throws(Errno) in Int(current.task.ownID) }),
        .init(218, "set_tid_address", sysSetTidAddress),
    ]

    @Sendable static func sysSetpgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.setProcessGroup(of: a.int(0), to: a.int(1))
        return 0
    }

    @Sendable static func sysSetTidAddress(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        current.clearChildTID = a.address(0)
        return Int(current.task.ownID)
    }
}
