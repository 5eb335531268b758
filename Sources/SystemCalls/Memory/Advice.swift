import Kernel
import LinuxABI
import Memory

/// madvise(2), process_madvise(2), mincore(2).
extension SystemCallFamilies {
    public static let memoryAdvice: [SystemCallEntry] = [
        .init(27, "mincore", sysMincore),
        .init(28, "madvise", sysMadvise),
        .init(440, "process_madvise", sysProcessMadvise),
    ]
}

private func sysMadvise(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    try current.memory.advise(a.address(0), length: a[1], advice: a.int(2))
    return 0
}

/// Others than oneself may only be given advice that changes no contents (Linux's process_madvise_remote_valid).
private func sysProcessMadvise(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.uint(4) == 0 else { throw .EINVAL }
    let count = Int(truncatingIfNeeded: a[2])
    guard count >= 0, count <= 1024 else { throw .EINVAL }
    let vectors = try current.memory.loadArray(IOVector.self, at: a.address(1), count: count)
    guard let pidFile = try current.files.get(a.int(0)).operations as? PidFile else { throw .EBADF }
    let memory = try advisedMemory(current, pidFile, advice: a.int(3))
    var done: UInt64 = 0
    for vector in vectors {
        do throws(Errno) {
            try memory.advise(vector.base, length: vector.length, advice: a.int(3))
        } catch {
            if done > 0 { break }
            throw error
        }
        done &+= vector.length
    }
    return Int(truncatingIfNeeded: done)
}

/// - Throws: ESRCH, EPERM, EINVAL.
private func advisedMemory(_ current: CurrentTask, _ file: PidFile, advice: Int32) throws(Errno) -> AddressSpace {
    if file.threadGroup === current.threadGroup { return current.memory }
    guard let task = file.threadGroup.tasks.first(where: { $0.memory != nil }), let memory = task.memory else { throw .ESRCH }
    guard current.mayInspect(task) else { throw .EPERM }
    let (willNeed, cold, pageOut, collapse): (Int32, Int32, Int32, Int32) = (3, 20, 21, 25)
    guard [willNeed, cold, pageOut, collapse].contains(advice) else { throw .EINVAL }
    guard current.credentials.has(.sysNice) else { throw .EPERM }
    return memory
}

private func sysMincore(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
    guard a.address(0).isPageAligned else { throw .EINVAL }
    guard let end = a.address(0).adding(a[1]), end <= AddressLimits.stubBase, let length = Page.up(a[1]) else { throw .ENOMEM }
    guard let vectorEnd = a.address(2).adding(length >> Page.shift), vectorEnd <= AddressLimits.stubBase else { throw .EFAULT }
    // In steps, so that no guest makes the kernel hold a large vector.
    let step: UInt64 = 16 << 20
    var done: UInt64 = 0
    while done < length {
        let piece = min(step, length - done)
        let present = try current.memory.residency(a.address(0) + done, length: piece)
        try current.memory.copyOut(present, to: a.address(2) + (done >> Page.shift))
        done += piece
    }
    return 0
}
