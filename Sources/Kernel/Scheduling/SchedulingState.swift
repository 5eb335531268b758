import HostOS
import LinuxABI

/// What sched(7) and ioprio_set(2) keep per thread. The host schedules guest threads; these are the guest's own settings, kept and
/// reported as set.
public struct SchedulingState: Sendable {
    public enum Policy: UInt32, Sendable {
        case other = 0
        case fifo = 1
        case roundRobin = 2
        case batch = 3
        case idle = 5
        case deadline = 6
        public var isRealTime: Bool { self == .fifo || self == .roundRobin }
        /// Whether nice values apply.
        public var isFair: Bool { self == .other || self == .batch || self == .idle }
    }
    public var policy = Policy.other
    /// 1…99 for real-time policies, else 0.
    public var priority: UInt32 = 0
    /// -20…19.
    public var nice: Int32 = 0
    public var resetOnFork = false
    /// SCHED_DEADLINE parameters, nanoseconds.
    public var runtime: UInt64 = 0
    public var deadline: UInt64 = 0
    public var period: UInt64 = 0
    /// CPUs the thread may use; nil for all of the sandbox.
    public var affinity: ProcessorSet?
    /// ioprio_set(2): class << 13 | level; 0 for none.
    public var ioPriority: UInt16 = 0

    public init() {}

    public var allowedProcessors: ProcessorSet { affinity ?? HostSystem.processors }

    /// What a child starts with (sched(7), "Resetting scheduling policy for child processes").
    func forked() -> SchedulingState {
        guard resetOnFork else { return self }
        var child = self
        child.resetOnFork = false
        if child.policy.isRealTime || child.policy == .deadline {
            child.policy = .other
            child.priority = 0
            child.nice = 0
        } else if child.nice < 0 {
            child.nice = 0
        }
        return child
    }
}

extension Task {
    /// Changes scheduling settings in one step.
    public func changeScheduling<R: Sendable>(_ body: (inout SchedulingState) throws(Errno) -> R) throws(Errno) -> R {
        try state.withLock { s throws(Errno) in try body(&s.scheduling) }
    }
}
