/// config.json of the OCI runtime specification, the parts for Linux. Field names and meanings are the specification's; unknown fields are
/// ignored, as it demands.
public struct RuntimeSpec: Codable, Sendable {
    public var ociVersion: String?
    public var process: Process?
    public var root: Root?
    public var hostname: String?
    public var domainname: String?
    public var mounts: [Mount]?
    public var hooks: Hooks?
    public var annotations: [String: String]?
    public var linux: Linux?
    public var windows: Other?
    public var solaris: Other?
    public var vm: Other?
    public var zos: Other?

    /// A section for another operating system: only its presence counts.
    public struct Other: Codable, Sendable {}

    public struct Root: Codable, Sendable {
        public var path: String?
        public var readonly: Bool?
    }

    public struct Mount: Codable, Sendable {
        public var destination: String?
        public var type: String?
        public var source: String?
        public var options: [String]?
        public var uidMappings: [IDMapping]?
        public var gidMappings: [IDMapping]?
    }

    public struct Process: Codable, Sendable {
        public var terminal: Bool?
        public var consoleSize: ConsoleSize?
        public var user: User?
        public var args: [String]?
        public var commandLine: String?
        public var env: [String]?
        public var cwd: String?
        public var capabilities: Capabilities?
        public var rlimits: [Limit]?
        public var noNewPrivileges: Bool?
        public var apparmorProfile: String?
        public var oomScoreAdj: Int?
        public var scheduler: Scheduler?
        public var selinuxLabel: String?
        public var ioPriority: IOPriority?
        public var execCPUAffinity: Other?
        public init() {}
    }
    public struct ConsoleSize: Codable, Sendable {
        public var height: UInt16?
        public var width: UInt16?
    }
    public struct User: Codable, Sendable {
        public var uid: UInt32?
        public var gid: UInt32?
        public var umask: UInt32?
        public var additionalGids: [UInt32]?
        public var username: String?
        public init() {}
    }
    public struct Capabilities: Codable, Sendable {
        public var bounding: [String]?
        public var effective: [String]?
        public var inheritable: [String]?
        public var permitted: [String]?
        public var ambient: [String]?
        public init() {}
    }
    public struct Limit: Codable, Sendable {
        public var type: String?
        public var hard: UInt64?
        public var soft: UInt64?
    }
    public struct Scheduler: Codable, Sendable { public var policy: String? }
    public struct IOPriority: Codable, Sendable {
        public var `class`: String?
        public var priority: Int?
    }

    public struct Hooks: Codable, Sendable {
        public var prestart: [Hook]?
        public var createRuntime: [Hook]?
        public var createContainer: [Hook]?
        public var startContainer: [Hook]?
        public var poststart: [Hook]?
        public var poststop: [Hook]?
    }
    public struct Hook: Codable, Sendable {
        public var path: String?
        public var args: [String]?
        public var env: [String]?
        /// Seconds.
        public var timeout: Int?
    }

    public struct IDMapping: Codable, Sendable {
        public var containerID: UInt32?
        public var hostID: UInt32?
        public var size: UInt32?
    }

    public struct Linux: Codable, Sendable {
        public var uidMappings: [IDMapping]?
        public var gidMappings: [IDMapping]?
        public var sysctl: [String: String]?
        public var resources: Resources?
        public var cgroupsPath: String?
        public var namespaces: [Namespace]?
        public var devices: [Device]?
        public var seccomp: Seccomp?
        public var rootfsPropagation: String?
        public var maskedPaths: [String]?
        public var readonlyPaths: [String]?
        public var mountLabel: String?
        public var intelRdt: IntelRdt?
        public var personality: Personality?
        public var timeOffsets: [String: TimeOffset]?
    }
    public struct Namespace: Codable, Sendable {
        public var type: String?
        public var path: String?
    }
    public struct Device: Codable, Sendable {
        public var path: String?
        public var type: String?
        public var major: Int64?
        public var minor: Int64?
        public var fileMode: UInt32?
        public var uid: UInt32?
        public var gid: UInt32?
    }
    public struct Seccomp: Codable, Sendable {
        public var defaultAction: String?
        public var defaultErrnoRet: UInt32?
        public var syscalls: [SeccompRule]?
    }
    public struct SeccompRule: Codable, Sendable {
        public var names: [String]?
        public var action: String?
        public var errnoRet: UInt32?
        public var args: [SeccompArgument]?
    }
    public struct SeccompArgument: Codable, Sendable {
        public var index: UInt32?
        public var value: UInt64?
        public var valueTwo: UInt64?
        public var op: String?
    }
    public struct IntelRdt: Codable, Sendable {
        public var closID: String?
        public var l3CacheSchema: String?
        public var memBwSchema: String?
    }
    public struct Personality: Codable, Sendable {
        public var domain: String?
        public var flags: [String]?
    }
    public struct TimeOffset: Codable, Sendable {
        public var secs: Int64?
        public var nanosecs: UInt32?
    }

    public struct Resources: Codable, Sendable {
        public var memory: Memory?
        public var cpu: CPU?
        public var pids: Pids?
        public var blockIO: BlockIO?
        public var hugepageLimits: [HugePageLimit]?
        public var network: Network?
        public var rdma: [String: Other]?
        public var unified: [String: String]?
        // `devices` needs no reading: no host device can be opened from inside, whatever the list allows.
        public init() {}
    }
    public struct Memory: Codable, Sendable {
        public var limit: Int64?
        public var reservation: Int64?
        public var swap: Int64?
        public var kernel: Int64?
        public var kernelTCP: Int64?
        public var swappiness: UInt64?
        public var disableOOMKiller: Bool?
        public var useHierarchy: Bool?
        public var checkBeforeUpdate: Bool?
        public init() {}
    }
    public struct CPU: Codable, Sendable {
        public var shares: UInt64?
        public var quota: Int64?
        public var burst: UInt64?
        public var period: UInt64?
        public var realtimeRuntime: Int64?
        public var realtimePeriod: UInt64?
        public var cpus: String?
        public var mems: String?
        public var idle: Int64?
        public init() {}
    }
    public struct Pids: Codable, Sendable {
        public var limit: Int64?
        public init(limit: Int64?) { self.limit = limit }
    }
    public struct BlockIO: Codable, Sendable {
        public var weight: UInt16?
        public var leafWeight: UInt16?
        public var throttleReadBpsDevice: [Throttle]?
        public var throttleWriteBpsDevice: [Throttle]?
        public var throttleReadIOPSDevice: [Throttle]?
        public var throttleWriteIOPSDevice: [Throttle]?
        public init() {}
    }
    public struct Throttle: Codable, Sendable {
        public var major: Int64?
        public var minor: Int64?
        public var rate: UInt64?
    }
    public struct HugePageLimit: Codable, Sendable {
        public var pageSize: String?
        public var limit: UInt64?
    }
    public struct Network: Codable, Sendable {
        public var classID: UInt32?
        public var priorities: [Other]?
    }
}
