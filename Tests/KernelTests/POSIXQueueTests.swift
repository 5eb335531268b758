import LinuxABI
import Memory
import Testing

/// mq_overview(7) through the real handlers.
struct POSIXQueueTests {
    private enum Queue {
        static let open: UInt64 = 240, unlink: UInt64 = 241, send: UInt64 = 242, receive: UInt64 = 243
    }
    private static let name = Sandbox.data, low = Sandbox.data + 64, high = Sandbox.data + 128, buffer = Sandbox.data + 256
    private static let priority = Sandbox.data + 512, attributes = Sandbox.data + 640
    private static let createNonBlocking: UInt64 = 0o4102

    /// A queue of two messages of at most 16 bytes.
    private func prepare(_ memory: AddressSpace) throws {
        try memory.copyOut(Array("queue\0".utf8), to: GuestAddress(Self.name))
        try memory.copyOut(Array("low".utf8), to: GuestAddress(Self.low))
        try memory.copyOut(Array("higher".utf8), to: GuestAddress(Self.high))
        try memory.store(POSIXQueueAttributes(maximumMessages: 2, messageSize: 16), at: GuestAddress(Self.attributes))
    }
    private static let open = Step.call(Queue.open, name, createNonBlocking, 0o600, attributes)

    @Test func theHighestPriorityComesFirst() throws {
        let result = try Sandbox([
            Self.open, .note("fd"), .call(Queue.send, 0, Self.low, 3, 1), .call(Queue.send, 0, Self.high, 6, 5),
            .call(Queue.receive, 0, Self.buffer, 16, Self.priority), .note("first"),
            .call(Queue.receive, 0, Self.buffer, 16, Self.priority), .note("second"), .call(Call.exitGroup, 0),
        ]).run(prepare: prepare)
        #expect(result.log == ["fd=0", "first=6", "second=3"])
    }

    @Test func fullAndEmptyQueuesRefuse() throws {
        let result = try Sandbox([
            Self.open, .call(Queue.receive, 0, Self.buffer, 16, 0), .note("empty"), .call(Queue.send, 0, Self.low, 3, 1),
            .call(Queue.send, 0, Self.low, 3, 1), .call(Queue.send, 0, Self.low, 3, 1), .note("full"),
            .call(Queue.send, 0, Self.low, 17, 1), .note("long"), .call(Queue.receive, 0, Self.buffer, 15, 0), .note("short"),
            .call(Call.exitGroup, 0),
        ]).run(prepare: prepare)
        #expect(result.log == ["empty=-11", "full=-11", "long=-90", "short=-90"])
    }

    @Test func namesEndBeforeTheirQueues() throws {
        let result = try Sandbox([
            Self.open, .call(Queue.unlink, Self.name), .note("unlink"), .call(Queue.unlink, Self.name), .note("again"),
            .call(Queue.send, 0, Self.low, 3, 1), .note("send"), .call(Call.exitGroup, 0),
        ]).run(prepare: prepare)
        #expect(result.log == ["unlink=0", "again=-2", "send=0"])
    }
}
