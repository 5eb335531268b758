import Kernel
import LinuxABI
import Memory

/// mlock(2) and its relatives.
extension SystemCallFamilies {
    public static let memoryLocking: [SystemCallEntry] = [
        .init(149, "mlock", sysMlock),
        .init(150, "munlock", sysMunlock),
        .init(151, "mlockall", sysMlockall),
        .init(152, "munlockall", sysMunlockall),
        .init(325, "mlock2", sysMlock2),
    ]
}

private func sysMlock(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    current.refreshMemoryLimits()
    try current.memory.lock(a.address(0), length: a[1], onFault: false)
    return 0
}

private func sysMlock2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    // MLOCK_ONFAULT is 1.
    guard a.int(2) & ~1 == 0 else { throw .EINVAL }
    current.refreshMemoryLimits()
    try current.memory.lock(a.address(0), length: a[1], onFault: a.int(2) & 1 != 0)
    return 0
}

private func sysMunlock(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    try current.memory.unlock(a.address(0), length: a[1])
    return 0
}

private func sysMlockall(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    // MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4, the last not alone.
    let flags = a.int(0)
    guard flags != 0, flags & ~7 == 0, flags != 4 else { throw .EINVAL }
    current.refreshMemoryLimits()
    try current.memory.lockAll(current: flags & 1 != 0, future: flags & 2 != 0, onFault: flags & 4 != 0)
    return 0
}

private func sysMunlockall(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    current.memory.unlockAll()
    return 0
}
