import LinuxABI

/// A NUMA memory policy of a thread (set_mempolicy(2)), as it was set. On the one node there is it changes nothing but what
/// get_mempolicy(2) answers.
public struct MemoryPolicy: Sendable, Equatable {
    /// MPOL_*.
    public enum Kind: Int32, Sendable {
        case standard = 0, preferred, bind, interleave, local, preferredMany, weightedInterleave
    }
    public var kind: Kind
    /// MPOL_F_STATIC_NODES and relatives.
    public var flags: Int32
    public var nodes: UInt64
    public init(kind: Kind, flags: Int32, nodes: UInt64) {
        self.kind = kind
        self.flags = flags
        self.nodes = nodes
    }
}

extension AddressSpace {
    /// By thread id. Threads start with the default policy.
    public func policy(thread: Int32) -> MemoryPolicy {
        state.withLock { $0.policies[thread] } ?? MemoryPolicy(kind: .standard, flags: 0, nodes: 0)
    }
    public func setPolicy(_ policy: MemoryPolicy, thread: Int32) {
        state.withLock { $0.policies[thread] = policy.kind == .standard ? nil : policy }
    }

    /// Whether areas cover the whole range.
    public func isMapped(_ address: GuestAddress, length: UInt64) -> Bool {
        guard let end = address.adding(length) else { return false }
        return state.withLock { $0.areas.contains(address.rawValue, end.rawValue) }
    }
}
