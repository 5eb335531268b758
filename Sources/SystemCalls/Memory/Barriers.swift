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
        .init(447, "memfd_secret", refused),
    ]
}

private func refused(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int { throw .ENOSYS }

/// Guest threads are host threads, so a barrier across them takes the host's own: its global command reaches every one. The expedited
/// commands would have to be given inside the stub; they are reported as absent, for which callers have another way.
private func sysMembarrier(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.uint(1) == 0 else { throw .EINVAL }
    let global: Int32 = 1
    switch a.int(0) {
    case 0: return HostBarrier.isGlobalSupported ? Int(global) : 0
    case global:
        guard HostBarrier.isGlobalSupported else { throw .EINVAL }
        try HostBarrier.global()
        return 0
    default: throw .EINVAL
    }
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
