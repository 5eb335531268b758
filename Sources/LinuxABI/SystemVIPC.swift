/// `struct ipc64_perm` of x86-64, 48 bytes.
public struct IPCPermissionData: GuestData {
    public var key: Int32 = 0
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var creatorUID: UInt32 = 0
    public var creatorGID: UInt32 = 0
    public var mode: UInt32 = 0
    public var sequence: UInt16 = 0
    public var padding0: UInt16 = 0
    public var padding1: UInt32 = 0
    public var unused: (UInt64, UInt64) = (0, 0)
    public init() {}
}

/// `struct shmid64_ds` (shmctl(2)), 112 bytes.
public struct SharedMemoryData: GuestData {
    public var permission = IPCPermissionData()
    public var size: UInt64 = 0
    public var attachTime: Int64 = 0
    public var detachTime: Int64 = 0
    public var changeTime: Int64 = 0
    public var creator: Int32 = 0
    public var lastUser: Int32 = 0
    public var attaches: UInt64 = 0
    public var unused: (UInt64, UInt64) = (0, 0)
    public init() {}
}

/// `struct semid64_ds` of x86-64 (semctl(2)), 104 bytes.
public struct SemaphoreSetData: GuestData {
    public var permission = IPCPermissionData()
    public var operationTime: Int64 = 0
    public var unused1: UInt64 = 0
    public var changeTime: Int64 = 0
    public var unused2: UInt64 = 0
    public var count: UInt64 = 0
    public var unused3: UInt64 = 0
    public var unused4: UInt64 = 0
    public init() {}
}

/// `struct msqid64_ds` (msgctl(2)), 120 bytes.
public struct MessageQueueData: GuestData {
    public var permission = IPCPermissionData()
    public var sendTime: Int64 = 0
    public var receiveTime: Int64 = 0
    public var changeTime: Int64 = 0
    public var bytes: UInt64 = 0
    public var messages: UInt64 = 0
    public var limit: UInt64 = 0
    public var lastSender: Int32 = 0
    public var lastReceiver: Int32 = 0
    public var unused: (UInt64, UInt64) = (0, 0)
    public init() {}
}

/// `struct sembuf` of semop(2), 6 bytes.
public struct SemaphoreOperation: GuestData {
    public var number: UInt16 = 0
    public var change: Int16 = 0
    public var flags: Int16 = 0
    public init() {}
    public init(number: UInt16, change: Int16, flags: Int16 = 0) {
        self.number = number
        self.change = change
        self.flags = flags
    }
    public static let undo: Int16 = 0x1000
    public var isNonBlocking: Bool { flags & Int16(IPCFlags.noWait) != 0 }
    public var undoes: Bool { flags & Self.undo != 0 }
}

/// `struct shminfo64`, 72 bytes.
public struct SharedMemoryLimits: GuestData {
    public var maximumSize: UInt64 = 0
    public var minimumSize: UInt64 = 1
    public var maximumSegments: UInt64 = 0
    public var maximumPerProcess: UInt64 = 0
    public var maximumPages: UInt64 = 0
    public var unused: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    public init() {}
}

/// `struct shm_info`, 48 bytes.
public struct SharedMemoryUsage: GuestData {
    public var segments: Int32 = 0
    public var padding: Int32 = 0
    public var totalPages: UInt64 = 0
    public var residentPages: UInt64 = 0
    public var swappedPages: UInt64 = 0
    public var swapAttempts: UInt64 = 0
    public var swapSuccesses: UInt64 = 0
    public init() {}
}

/// `struct seminfo`, 40 bytes.
public struct SemaphoreLimits: GuestData {
    public var mapEntries: Int32 = 1_024_000_000
    public var maximumSets: Int32 = 32000
    public var maximumSemaphores: Int32 = 1_024_000_000
    public var undoStructures: Int32 = 1_024_000_000
    public var maximumPerSet: Int32 = 32000
    public var maximumOperations: Int32 = 500
    public var maximumUndo: Int32 = 500
    /// With SEM_INFO: sets in use.
    public var undoSize: Int32 = 20
    public var maximumValue: Int32 = 32767
    /// With SEM_INFO: semaphores in use.
    public var maximumAdjust: Int32 = 32767
    public init() {}
}

/// `struct msginfo`, 32 bytes.
public struct MessageLimits: GuestData {
    public var poolSize: Int32 = 512_000
    public var mapEntries: Int32 = 16384
    public var maximumSize: Int32 = 8192
    public var queueBytes: Int32 = 16384
    public var maximumQueues: Int32 = 32000
    public var segmentSize: Int32 = 16
    public var headers: Int32 = 16384
    public var segments: UInt16 = 0xffff
    public var padding: UInt16 = 0
    public init() {}
}

/// Flags and commands that all three kinds of System V IPC share (sysvipc(7)).
public enum IPCFlags {
    public static let create: Int32 = 0o1000
    public static let exclusive: Int32 = 0o2000
    public static let noWait: Int32 = 0o4000
    public static let privateKey: Int32 = 0

    public static let remove: Int32 = 0
    public static let set: Int32 = 1
    public static let status: Int32 = 2
    public static let information: Int32 = 3
    /// IPC_64, which 64-bit programs may pass and Linux ignores.
    public static let version64: Int32 = 0x0100
}
