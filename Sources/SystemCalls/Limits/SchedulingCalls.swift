import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Scheduling policy and parameters: sched(7).
extension SystemCallFamilies {
    public static let scheduling: [SystemCallEntry] = [
        .init(24, "sched_yield", sysSchedYield),
        .init(142, "sched_setparam", sysSchedSetparam),
        .init(143, "sched_getparam", sysSchedGetparam),
        .init(144, "sched_setscheduler", sysSchedSetscheduler),
        .init(145, "sched_getscheduler", sysSchedGetscheduler),
        .init(146, "sched_get_priority_max", sysSchedGetPriorityMax),
        .init(147, "sched_get_priority_min", sysSchedGetPriorityMin),
        .init(148, "sched_rr_get_interval", sysSchedRRGetInterval),
        .init(314, "sched_setattr", sysSchedSetattr),
        .init(315, "sched_getattr", sysSchedGetattr),
    ]

    private static let resetOnForkBit: Int32 = 0x4000_0000

    @Sendable static func sysSchedYield(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        HostThread.yield()
        return 0
    }

    /// The thread with ID `pid`, 0 for the caller. - Throws: EINVAL below 0, ESRCH.
    private static func task(_ current: CurrentTask, _ pid: Int32) throws(Errno) -> Task {
        if pid < 0 { throw .EINVAL }
        if pid == 0 { return current.task }
        guard let task = current.findTask(pid) else { throw .ESRCH }
        return task
    }

    // MARK: classic calls

    @Sendable static func sysSchedSetscheduler(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.int(1) < 0 { throw .EINVAL }
        return try setClassic(current, a.int(0), policy: a.int(1), parameters: a.address(2))
    }
    @Sendable static func sysSchedSetparam(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try setClassic(current, a.int(0), policy: nil, parameters: a.address(1))
    }

    private static func setClassic(
        _ current: CurrentTask, _ pid: Int32, policy: Int32?, parameters: GuestAddress
    ) throws(Errno) -> Int {
        if parameters.isNull || pid < 0 { throw .EINVAL }
        let priority = try current.memory.load(Int32.self, at: parameters)
        let target = try task(current, pid)
        let old = target.scheduling
        var new = SchedulingAttributes()
        if let policy {
            new.policy = UInt32(bitPattern: policy & ~resetOnForkBit)
            new.flags = policy & resetOnForkBit != 0 ? SchedulingAttributes.flagResetOnFork : 0
        } else {
            new.policy = old.policy.rawValue
            new.flags = old.resetOnFork ? SchedulingAttributes.flagResetOnFork : 0
        }
        guard priority >= 0 else { throw .EINVAL }
        new.priority = UInt32(priority)
        new.nice = old.nice
        try apply(current, target, new)
        return 0
    }

    @Sendable static func sysSchedGetscheduler(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let state = try task(current, a.int(0)).scheduling
        return Int(state.policy.rawValue) | (state.resetOnFork ? Int(resetOnForkBit) : 0)
    }

    @Sendable static func sysSchedGetparam(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.address(1).isNull { throw .EINVAL }
        let state = try task(current, a.int(0)).scheduling
        try current.memory.store(state.policy.isRealTime ? Int32(state.priority) : 0, at: a.address(1))
        return 0
    }

    private static func priorities(_ policy: Int32) throws(Errno) -> ClosedRange<Int> {
        guard policy >= 0, policy != 7 else { if policy == 7 { return 0...0 } else { throw .EINVAL } }
        guard let policy = SchedulingState.Policy(rawValue: UInt32(policy)) else { throw .EINVAL }
        return policy.isRealTime ? 1...99 : 0...0
    }
    @Sendable static func sysSchedGetPriorityMax(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try priorities(a.int(0)).upperBound
    }
    @Sendable static func sysSchedGetPriorityMin(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try priorities(a.int(0)).lowerBound
    }

    @Sendable static func sysSchedRRGetInterval(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let policy = try task(current, a.int(0)).scheduling.policy
        // RR_TIMESLICE; the fair class's slice is below a tick, FIFO has none.
        try current.memory.store(Timespec(nanoseconds: policy == .roundRobin ? 100_000_000 : 0), at: a.address(1))
        return 0
    }

    // MARK: attributes

    @Sendable static func sysSchedGetattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let size = a.uint(2)
        if a.address(1).isNull || a.int(0) < 0 || UInt64(size) > Page.size || size < SchedulingAttributes.firstSize || a.uint(3) != 0 {
            throw .EINVAL
        }
        let state = try task(current, a.int(0)).scheduling
        var attributes = SchedulingAttributes()
        attributes.size = min(size, SchedulingAttributes.currentSize)
        attributes.policy = state.policy.rawValue
        attributes.flags = state.resetOnFork ? SchedulingAttributes.flagResetOnFork : 0
        if state.policy.isRealTime {
            attributes.priority = state.priority
        } else if state.policy == .deadline {
            (attributes.runtime, attributes.deadline, attributes.period) = (state.runtime, state.deadline, state.period)
        } else {
            attributes.nice = state.nice
        }
        if size >= SchedulingAttributes.currentSize {
            try current.memory.store(attributes, at: a.address(1))
        } else {
            let address = a.address(1)
            try current.memory.store(attributes.size, at: address)
            try current.memory.store(attributes.policy, at: address + 4)
            try current.memory.store(attributes.flags, at: address + 8)
            try current.memory.store(attributes.nice, at: address + 16)
            try current.memory.store(attributes.priority, at: address + 20)
            try current.memory.store(attributes.runtime, at: address + 24)
            try current.memory.store(attributes.deadline, at: address + 32)
            try current.memory.store(attributes.period, at: address + 40)
        }
        return 0
    }

    @Sendable static func sysSchedSetattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.address(1).isNull || a.int(0) < 0 || a.uint(2) != 0 { throw .EINVAL }
        var new = try attributes(current, a.address(1))
        if Int32(bitPattern: new.policy) < 0 { throw .EINVAL }
        let target = try task(current, a.int(0))
        let old = target.scheduling
        if new.flags & SchedulingAttributes.flagKeepPolicy != 0 { new.policy = old.policy.rawValue }
        if new.flags & SchedulingAttributes.flagKeepParameters != 0 {
            (new.nice, new.priority) = (old.nice, old.priority)
            (new.runtime, new.deadline, new.period) = (old.runtime, old.deadline, old.period)
        }
        try apply(current, target, new)
        return 0
    }

    /// Linux's sched_copy_attr. - Throws: EFAULT, E2BIG for a size it does not know.
    private static func attributes(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> SchedulingAttributes {
        var size = try current.memory.load(UInt32.self, at: address)
        if size == 0 { size = SchedulingAttributes.firstSize }
        guard size >= SchedulingAttributes.firstSize, UInt64(size) <= Page.size else {
            try? current.memory.store(SchedulingAttributes.currentSize, at: address)
            throw .E2BIG
        }
        var bytes = try current.memory.copyIn(address, count: Int(size))
        if bytes.dropFirst(Int(SchedulingAttributes.currentSize)).contains(where: { $0 != 0 }) {
            try? current.memory.store(SchedulingAttributes.currentSize, at: address)
            throw .E2BIG
        }
        while bytes.count < Int(SchedulingAttributes.currentSize) { bytes.append(0) }
        func word(_ offset: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in (0..<8).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
            return value
        }
        var attributes = SchedulingAttributes()
        attributes.size = size
        attributes.policy = UInt32(truncatingIfNeeded: word(0) >> 32)
        attributes.flags = word(8)
        attributes.nice = max(-20, min(19, Int32(truncatingIfNeeded: word(16))))
        attributes.priority = UInt32(truncatingIfNeeded: word(16) >> 32)
        (attributes.runtime, attributes.deadline, attributes.period) = (word(24), word(32), word(40))
        if attributes.flags & SchedulingAttributes.flagUtilization != 0 && size < SchedulingAttributes.currentSize { throw .EINVAL }
        return attributes
    }

    /// Linux's __sched_setscheduler: checks, and changes the thread's settings.
    /// - Throws: EINVAL, EPERM, EOPNOTSUPP for utilization clamps, which need CONFIG_UCLAMP_TASK.
    private static func apply(_ current: CurrentTask, _ target: Task, _ new: SchedulingAttributes) throws(Errno) {
        guard let policy = SchedulingState.Policy(rawValue: new.policy), new.flags & ~SchedulingAttributes.flagsKnown == 0 else {
            throw .EINVAL
        }
        if new.priority > 99 || policy.isRealTime != (new.priority != 0) { throw .EINVAL }
        if policy == .deadline {
            // __checkparam_dl: runtime within deadline within period, at least about a microsecond.
            let period = new.period == 0 ? new.deadline : new.period
            if new.deadline == 0 || new.runtime < 1024 || new.deadline >> 63 != 0 || new.period >> 63 != 0 || period < new.deadline
                || new.deadline < new.runtime
            {
                throw .EINVAL
            }
        }
        let old = target.scheduling
        let resets = new.flags & SchedulingAttributes.flagResetOnFork != 0
        if !current.credentials.has(.sysNice) { try checkUnprivileged(current, target, old, policy, new, resets) }
        if new.flags & SchedulingAttributes.flagUtilization != 0 { throw .EOPNOTSUPP }
        try target.changeScheduling { s throws(Errno) in
            s.policy = policy
            s.resetOnFork = resets
            s.priority = new.priority
            if policy.isFair { s.nice = new.nice }
            (s.runtime, s.deadline, s.period) = policy == .deadline ? (new.runtime, new.deadline, new.period) : (0, 0, 0)
        }
    }

    /// What a caller without CAP_SYS_NICE may not do. - Throws: EPERM.
    private static func checkUnprivileged(
        _ current: CurrentTask, _ target: Task, _ old: SchedulingState, _ policy: SchedulingState.Policy, _ new: SchedulingAttributes,
        _ resets: Bool
    ) throws(Errno) {
        if policy.isFair && new.nice < old.nice && !mayNice(current, target, new.nice) { throw .EPERM }
        if policy.isRealTime {
            let limit = target.threadGroup.limit(.realTimePriority).soft
            if policy != old.policy && limit == 0 { throw .EPERM }
            if new.priority > old.priority && UInt64(new.priority) > limit { throw .EPERM }
        }
        if policy == .deadline { throw .EPERM }
        if old.policy == .idle && policy != .idle && !mayNice(current, target, old.nice) { throw .EPERM }
        if !isOwner(current.credentials, target.credentials) { throw .EPERM }
        if old.resetOnFork && !resets { throw .EPERM }
    }

    /// Linux's check_same_owner.
    static func isOwner(_ caller: Credentials, _ target: Credentials) -> Bool {
        caller.effectiveUID == target.effectiveUID || caller.effectiveUID == target.realUID
    }
    /// Linux's can_nice.
    static func mayNice(_ current: CurrentTask, _ target: Task, _ nice: Int32) -> Bool {
        UInt64(20 - Int(nice)) <= target.threadGroup.limit(.nice).soft || current.credentials.has(.sysNice)
    }
}
