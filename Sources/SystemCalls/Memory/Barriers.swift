import HostOS
import Kernel
import LinuxABI

/// membarrier(2), and memory calls that a kernel without the feature refuses.
extension SystemCallFamilies {
    public static let memoryBarriersAndKeys: [SystemCallEntry] = [
        .init(323, "userfaultfd", refused),
        .init(324, "membarrier", sysMembarrier),
        .init(329, "pkey_mprotect", sysPkeyMprotect),
        .init(330, "pkey_alloc", sysPkeyAlloc),
        .init(331, "pkey_free", sysPkeyFree),
    ]
}

private func refused(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int { throw .ENOSYS }

/// Commands of membarrier(2). Those that synchronise instruction streams are absent: the way back to guest code need not serialise.
private enum Barrier {
    static let query: Int32 = 0
    static let global: Int32 = 1
    static let globalExpedited: Int32 = 2
    static let registerGlobalExpedited: Int32 = 4
    static let privateExpedited: Int32 = 8
    static let registerPrivateExpedited: Int32 = 16
    static let getRegistrations: Int32 = 512
    static let expedited = globalExpedited | registerGlobalExpedited | privateExpedited | registerPrivateExpedited | getRegistrations
}

private func sysMembarrier(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.uint(1) == 0 else { throw .EINVAL }
    switch a.int(0) {
    case Barrier.query: return Int(Barrier.expedited | (HostBarrier.isGlobalSupported ? Barrier.global : 0))
    case Barrier.global:
        // Guest threads are host threads: the host's own command reaches every one.
        guard HostBarrier.isGlobalSupported else { throw .EINVAL }
        try HostBarrier.global()
    case Barrier.globalExpedited: current.runBarrier(registeredFor: UInt32(Barrier.registerGlobalExpedited))
    case Barrier.privateExpedited:
        guard current.memory.barrierRegistrations & UInt32(Barrier.registerPrivateExpedited) != 0 else { throw .EPERM }
        current.runBarrier()
    case Barrier.registerGlobalExpedited, Barrier.registerPrivateExpedited:
        current.memory.registerBarriers(UInt32(a.int(0)))
    case Barrier.getRegistrations: return Int(current.memory.barrierRegistrations)
    default: throw .EINVAL
    }
    return 0
}

/// As on a CPU without protection keys: only "no key" works.
private func sysPkeyMprotect(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.int(3) == -1 else { throw .EINVAL }
    return try sysMprotect(current, a)
}

private func sysPkeyAlloc(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    throw .EINVAL
}

private func sysPkeyFree(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int { throw .EINVAL }
