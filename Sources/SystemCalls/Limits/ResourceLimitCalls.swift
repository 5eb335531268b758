import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// getrlimit(2), setrlimit(2), prlimit(2).
extension SystemCallFamilies {
    public static let resourceLimits: [SystemCallEntry] = [
        .init(97, "getrlimit", sysGetrlimit),
        .init(160, "setrlimit", sysSetrlimit),
        .init(302, "prlimit64", sysPrlimit64),
    ]

    /// fs.nr_open.
    private static let maximumDescriptors: UInt64 = 1 << 20

    private static func kind(_ number: UInt32) throws(Errno) -> ResourceLimit.Kind {
        guard let kind = ResourceLimit.Kind(rawValue: Int32(bitPattern: number)) else { throw .EINVAL }
        return kind
    }

    @Sendable static func sysGetrlimit(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let limit = current.threadGroup.limit(try kind(a.uint(0)))
        try current.memory.store(Rlimit64(current: limit.soft, maximum: limit.hard), at: a.address(1))
        return 0
    }

    @Sendable static func sysSetrlimit(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let new = try current.memory.load(Rlimit64.self, at: a.address(1))
        try set(current, current.threadGroup, try kind(a.uint(0)), new)
        return 0
    }

    @Sendable static func sysPrlimit64(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var new: Rlimit64?
        if !a.address(2).isNull { new = try current.memory.load(Rlimit64.self, at: a.address(2)) }
        var task = current.task
        if a.int(0) != 0 {
            guard let other = current.findTask(a.int(0)) else { throw .ESRCH }
            task = other
        }
        if task !== current.task { try checkPermission(current.credentials, task.credentials) }
        let kind = try kind(a.uint(1))
        let old = task.threadGroup.limit(kind)
        if let new { try set(current, task.threadGroup, kind, new) }
        if !a.address(3).isNull { try current.memory.store(Rlimit64(current: old.soft, maximum: old.hard), at: a.address(3)) }
        return 0
    }

    /// All of the target's IDs are the caller's real ones, or CAP_SYS_RESOURCE. - Throws: EPERM.
    private static func checkPermission(_ caller: Credentials, _ target: Credentials) throws(Errno) {
        let isSame =
            caller.realUID == target.realUID && caller.realUID == target.effectiveUID && caller.realUID == target.savedUID
            && caller.realGID == target.realGID && caller.realGID == target.effectiveGID && caller.realGID == target.savedGID
        if !isSame && !caller.has(.sysResource, in: target.userNamespace) { throw .EPERM }
    }

    private static func set(
        _ current: CurrentTask, _ group: ThreadGroup, _ kind: ResourceLimit.Kind, _ new: Rlimit64
    ) throws(Errno) {
        if new.current > new.maximum { throw .EINVAL }
        if kind == .openFiles && new.maximum > maximumDescriptors { throw .EPERM }
        if new.maximum > group.limit(kind).hard && !current.credentials.has(.sysResource) { throw .EPERM }
        let limit = ResourceLimit(soft: new.current, hard: new.maximum)
        group.setLimit(kind, limit)
        if kind == .cpu { group.timers.processorLimitChanged(limit) }
    }
}
