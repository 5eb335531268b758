/// `struct rlimit64` of prlimit(2), 16 bytes; RLIM_INFINITY is all ones. On x86-64 `struct rlimit` is the same.
public struct Rlimit64: GuestData {
    public var current: UInt64 = 0
    public var maximum: UInt64 = 0
    public init() {}
    public init(current: UInt64, maximum: UInt64) {
        self.current = current
        self.maximum = maximum
    }
}

/// `struct rusage` of getrusage(2), 144 bytes.
public struct Rusage: GuestData {
    public var user = Timeval()
    public var system = Timeval()
    /// KiB.
    public var maximumResident: Int64 = 0
    public var sharedMemory: Int64 = 0
    public var unsharedData: Int64 = 0
    public var unsharedStack: Int64 = 0
    public var minorFaults: Int64 = 0
    public var majorFaults: Int64 = 0
    public var swaps: Int64 = 0
    public var blockInputs: Int64 = 0
    public var blockOutputs: Int64 = 0
    public var messagesSent: Int64 = 0
    public var messagesReceived: Int64 = 0
    public var signals: Int64 = 0
    public var voluntarySwitches: Int64 = 0
    public var involuntarySwitches: Int64 = 0
    public init() {}

    public static let ofSelf: Int32 = 0
    public static let ofChildren: Int32 = -1
    /// RUSAGE_BOTH, which wait4 uses.
    public static let ofBoth: Int32 = -2
    public static let ofThread: Int32 = 1
}

/// `struct sysinfo` of sysinfo(2), 112 bytes.
public struct Sysinfo: GuestData {
    /// Seconds since boot.
    public var uptime: Int64 = 0
    /// Load averages of 1, 5 and 15 minutes, times 65536.
    public var loads: (UInt64, UInt64, UInt64) = (0, 0, 0)
    public var totalMemory: UInt64 = 0
    public var freeMemory: UInt64 = 0
    public var sharedMemory: UInt64 = 0
    public var bufferMemory: UInt64 = 0
    public var totalSwap: UInt64 = 0
    public var freeSwap: UInt64 = 0
    public var processes: UInt16 = 0
    public var padding: UInt16 = 0
    public var padding2: UInt32 = 0
    public var totalHigh: UInt64 = 0
    public var freeHigh: UInt64 = 0
    /// Bytes per unit of the memory figures.
    public var unit: UInt32 = 1
    public var padding3: UInt32 = 0
    public init() {}
}

/// `struct sched_attr` of sched_setattr(2), 56 bytes; the first version had 48.
public struct SchedulingAttributes: GuestData {
    public var size: UInt32 = 56
    public var policy: UInt32 = 0
    public var flags: UInt64 = 0
    public var nice: Int32 = 0
    public var priority: UInt32 = 0
    public var runtime: UInt64 = 0
    public var deadline: UInt64 = 0
    public var period: UInt64 = 0
    public var minimumUtilization: UInt32 = 0
    public var maximumUtilization: UInt32 = 0
    public init() {}

    public static let firstSize: UInt32 = 48
    public static let currentSize: UInt32 = 56
    public static let flagResetOnFork: UInt64 = 0x01
    public static let flagKeepPolicy: UInt64 = 0x08
    public static let flagKeepParameters: UInt64 = 0x10
    public static let flagUtilization: UInt64 = 0x60
    public static let flagsKnown: UInt64 = 0x7f
}

/// `struct __user_cap_header_struct` of capget(2).
public struct CapabilityHeader: GuestData {
    public var version: UInt32 = 0
    public var pid: Int32 = 0
    public init() {}
    public static let version1: UInt32 = 0x1998_0330
    public static let version2: UInt32 = 0x2007_1026
    public static let version3: UInt32 = 0x2008_0522
}

/// `struct __user_cap_data_struct` of capget(2): 32 bits of each set.
public struct CapabilityData: GuestData {
    public var effective: UInt32 = 0
    public var permitted: UInt32 = 0
    public var inheritable: UInt32 = 0
    public init() {}
}
