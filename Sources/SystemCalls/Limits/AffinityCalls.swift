import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// sched_setaffinity(2) and sched_getaffinity(2), over the CPUs that the sandbox may use.
extension SystemCallFamilies {
    public static let affinity: [SystemCallEntry] = [
        .init(203, "sched_setaffinity", sysSchedSetaffinity),
        .init(204, "sched_getaffinity", sysSchedGetaffinity),
    ]

    private static func task(_ current: CurrentTask, _ pid: Int32) throws(Errno) -> Task {
        if pid == 0 { return current.task }
        guard let task = current.findTask(pid) else { throw .ESRCH }
        return task
    }

    @Sendable static func sysSchedGetaffinity(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let length = Int(a.uint(1))
        let all = HostSystem.processors
        if length * 8 < all.configured || length % 8 != 0 { throw .EINVAL }
        let words = try task(current, a.int(0)).scheduling.allowedProcessors.words
        let count = min(length, all.maskBytes) / 8
        try current.memory.storeArray((0..<count).map { $0 < words.count ? words[$0] : 0 }, at: a.address(2))
        return count * 8
    }

    @Sendable static func sysSchedSetaffinity(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let all = HostSystem.processors
        let bytes = try current.memory.copyIn(a.address(2), count: min(Int(a.uint(1)), all.maskBytes))
        let target = try task(current, a.int(0))
        if !isOwner(current.credentials, target.credentials) && !current.credentials.has(.sysNice, in: target.credentials.userNamespace) { throw .EPERM }
        var words = [UInt64](repeating: 0, count: all.words.count)
        for (index, byte) in bytes.enumerated() where index / 8 < words.count {
            words[index / 8] |= UInt64(byte) << UInt64(index % 8 * 8)
        }
        for index in words.indices { words[index] &= all.words[index] }
        guard words.contains(where: { $0 != 0 }) else { throw .EINVAL }
        var set = ProcessorSet(words: words)
        set.configured = all.configured
        try target.changeScheduling { s throws(Errno) in s.affinity = set == all ? nil : set }
        return 0
    }
}
