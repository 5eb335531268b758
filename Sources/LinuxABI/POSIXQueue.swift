/// `struct mq_attr` of mq_getattr(3), 64 bytes.
public struct POSIXQueueAttributes: GuestData {
    /// O_NONBLOCK or 0.
    public var flags: Int64 = 0
    public var maximumMessages: Int64 = 0
    public var messageSize: Int64 = 0
    public var messages: Int64 = 0
    public var reserved: (Int64, Int64, Int64, Int64) = (0, 0, 0, 0)
    public init() {}
    public init(maximumMessages: Int64, messageSize: Int64) {
        self.maximumMessages = maximumMessages
        self.messageSize = messageSize
    }

    /// MQ_PRIO_MAX: priorities are below this.
    public static let priorityLimit: UInt32 = 32768
}
