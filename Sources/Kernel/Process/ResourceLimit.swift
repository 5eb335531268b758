/// One row of a process's resource limits: getrlimit(2).
public struct ResourceLimit: Sendable, Equatable {
    public enum Kind: Int32, CaseIterable, Sendable {
        case cpu = 0, fileSize, data, stack, core, residentSet, processes, openFiles, lockedMemory, addressSpace, locks, pendingSignals,
            messageQueue, nice, realTimePriority, realTimeCPU
    }
    public var soft: UInt64
    public var hard: UInt64
    public static let infinity = UInt64.max
    public init(soft: UInt64, hard: UInt64) {
        self.soft = soft
        self.hard = hard
    }

    /// What init starts with: Linux's INIT_RLIMITS, with the task and signal counts of a small machine and the descriptor limit that
    /// service managers give.
    public static let initial: [ResourceLimit] = Kind.allCases.map { kind in
        switch kind {
        case .stack: ResourceLimit(soft: 8 << 20, hard: infinity)
        case .core: ResourceLimit(soft: 0, hard: infinity)
        case .processes, .pendingSignals: ResourceLimit(soft: 31_000, hard: 31_000)
        case .openFiles: ResourceLimit(soft: 1024, hard: 1 << 20)
        case .lockedMemory: ResourceLimit(soft: 8 << 20, hard: 8 << 20)
        case .messageQueue: ResourceLimit(soft: 819_200, hard: 819_200)
        case .nice, .realTimePriority: ResourceLimit(soft: 0, hard: 0)
        default: ResourceLimit(soft: infinity, hard: infinity)
        }
    }
}
