/// `struct iocb` (linux/aio_abi.h), 64 bytes, little endian.
public struct IOControlBlock: GuestData {
    public var data: UInt64 = 0
    public var key: UInt32 = 0
    public var readWriteFlags: UInt32 = 0
    public var operation: UInt16 = 0
    public var priority: UInt16 = 0
    public var descriptor: Int32 = 0
    public var buffer: UInt64 = 0
    public var count: UInt64 = 0
    public var offset: Int64 = 0
    public var reserved: UInt64 = 0
    public var flags: UInt32 = 0
    public var eventDescriptor: Int32 = 0
    public init() {}

    /// Where the kernel stores its key.
    public static let keyOffset: UInt64 = 8
}

/// IOCB_CMD_*.
public enum IOCommand: UInt16, Sendable {
    case read = 0
    case write = 1
    case synchronize = 2
    case synchronizeData = 3
    case poll = 5
    case readVector = 7
    case writeVector = 8
}

/// `struct io_event`, 32 bytes.
public struct IOCompletion: GuestData {
    public var data: UInt64 = 0
    /// Address of the control block.
    public var object: UInt64 = 0
    public var result: Int64 = 0
    public var result2: Int64 = 0
    public init() {}
    public init(data: UInt64, object: UInt64, result: Int64) {
        self.data = data
        self.object = object
        self.result = result
    }
}

/// `struct aio_ring`: what user space sees of a context at its address, followed by the events.
public struct IOCompletionRing: GuestData {
    public var id: UInt32 = 0
    /// Slots for events.
    public var count: UInt32 = 0
    /// The next event to take; written by user space as well.
    public var head: UInt32 = 0
    /// The next free slot.
    public var tail: UInt32 = 0
    public var magic: UInt32 = 0xa10a_10a1
    public var compatible: UInt32 = 1
    public var incompatible: UInt32 = 0
    public var headerLength: UInt32 = 32
    public init() {}

    public static let headOffset: UInt64 = 8
    public static let tailOffset: UInt64 = 12
    public static let size: UInt64 = 32
}
