/// One process that a container runtime starts: the container's first, or one beside it by `exec`.
public struct ProcessConfiguration: Sendable, Equatable {
    /// The five sets of capabilities(7), one bit each.
    public struct Capabilities: Sendable, Equatable {
        public var bounding: UInt64 = 0
        public var effective: UInt64 = 0
        public var inheritable: UInt64 = 0
        public var permitted: UInt64 = 0
        public var ambient: UInt64 = 0
        public init() {}
    }
    public struct Limit: Sendable, Equatable {
        /// RLIMIT_*.
        public var kind: UInt32
        public var soft: UInt64
        public var hard: UInt64
        public init(kind: UInt32, soft: UInt64, hard: UInt64) {
            self.kind = kind
            self.soft = soft
            self.hard = hard
        }
    }

    /// What is executed; empty: what the first argument names.
    public var executable: [UInt8] = []
    public var arguments: [[UInt8]] = []
    public var environment: [[UInt8]] = []
    public var workingDirectory: [UInt8] = Array("/".utf8)
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var groups: [UInt32] = []
    public var umask: UInt32 = 0o022
    public var capabilities = Capabilities()
    public var hasNoNewPrivileges = false
    public var limits: [Limit] = []
    public var oomScoreAdjustment: Int32 = 0
    /// Its standard streams are a terminal, which becomes its controlling terminal.
    public var isTerminal = false

    public init() {}

    /// Room for what execve(2) accepts, and some.
    public static let maximumEncodedSize = 4 << 20

    func encode(_ w: inout MessageWriter) {
        w.put(executable)
        w.put(arguments)
        w.put(environment)
        w.put(workingDirectory)
        w.put(uid)
        w.put(gid)
        w.put(UInt32(groups.count))
        for group in groups { w.put(group) }
        w.put(umask)
        for set in [capabilities.bounding, capabilities.effective, capabilities.inheritable, capabilities.permitted, capabilities.ambient] {
            w.put(set)
        }
        w.put(UInt32(hasNoNewPrivileges ? 1 : 0))
        w.put(UInt32(limits.count))
        for limit in limits {
            w.put(limit.kind)
            w.put(limit.soft)
            w.put(limit.hard)
        }
        w.put(UInt32(bitPattern: oomScoreAdjustment))
        w.put(UInt32(isTerminal ? 1 : 0))
    }

    init(_ r: inout MessageReader) throws(ControlError) {
        executable = try r.byteString("executable")
        arguments = try r.byteStrings("arguments")
        environment = try r.byteStrings("environment")
        workingDirectory = try r.byteString("working directory")
        uid = try r.word("uid")
        gid = try r.word("gid")
        for _ in 0..<(try r.count("groups", each: 4)) { groups.append(try r.word("group")) }
        umask = try r.word("umask") & 0o777
        capabilities.bounding = try r.wide("capabilities")
        capabilities.effective = try r.wide("capabilities")
        capabilities.inheritable = try r.wide("capabilities")
        capabilities.permitted = try r.wide("capabilities")
        capabilities.ambient = try r.wide("capabilities")
        hasNoNewPrivileges = try r.word("no new privileges") != 0
        for _ in 0..<(try r.count("limits", each: 20)) {
            let kind = try r.word("limit")
            guard kind < 16 else { throw .malformed("limit") }
            limits.append(Limit(kind: kind, soft: try r.wide("limit"), hard: try r.wide("limit")))
        }
        oomScoreAdjustment = Int32(bitPattern: try r.word("oom score"))
        guard (-1000...1000).contains(oomScoreAdjustment) else { throw .malformed("oom score") }
        isTerminal = try r.word("terminal") != 0
    }
}

extension MessageWriter {
    mutating func put(_ wide: UInt64) {
        put(UInt32(truncatingIfNeeded: wide))
        put(UInt32(truncatingIfNeeded: wide >> 32))
    }
}

extension MessageReader {
    mutating func wide(_ field: String) throws(ControlError) -> UInt64 {
        let low = try word(field)
        return UInt64(low) | UInt64(try word(field)) << 32
    }
}
