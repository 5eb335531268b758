import Synchronization

/// What a task has read and written, as /proc/PID/io tells it. Only the task's own thread counts; anybody reads.
public final class TransferCounts: Sendable {
    private let readBytes = Atomic<UInt64>(0)
    private let writtenBytes = Atomic<UInt64>(0)
    private let reads = Atomic<UInt64>(0)
    private let writes = Atomic<UInt64>(0)

    private static func add(_ count: UInt64, to counter: borrowing Atomic<UInt64>) {
        counter.store(counter.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }
    /// A call that reads has begun.
    public func countReadCall() { Self.add(1, to: reads) }
    public func countWriteCall() { Self.add(1, to: writes) }
    public func countRead(_ bytes: Int) { Self.add(UInt64(truncatingIfNeeded: bytes), to: readBytes) }
    public func countWritten(_ bytes: Int) { Self.add(UInt64(truncatingIfNeeded: bytes), to: writtenBytes) }

    public var totals: Transfers {
        Transfers(
            readBytes: readBytes.load(ordering: .relaxed), writtenBytes: writtenBytes.load(ordering: .relaxed),
            reads: reads.load(ordering: .relaxed), writes: writes.load(ordering: .relaxed))
    }
}

/// Totals of `TransferCounts`.
public struct Transfers: Sendable {
    public var readBytes: UInt64 = 0
    public var writtenBytes: UInt64 = 0
    public var reads: UInt64 = 0
    public var writes: UInt64 = 0
    public init() {}
    init(readBytes: UInt64, writtenBytes: UInt64, reads: UInt64, writes: UInt64) {
        self.readBytes = readBytes
        self.writtenBytes = writtenBytes
        self.reads = reads
        self.writes = writes
    }
    public static func + (a: Self, b: Self) -> Self {
        Transfers(
            readBytes: a.readBytes &+ b.readBytes, writtenBytes: a.writtenBytes &+ b.writtenBytes, reads: a.reads &+ b.reads,
            writes: a.writes &+ b.writes)
    }
}

extension ThreadGroup {
    /// All threads, ended ones included.
    public var transfers: Transfers {
        let ended = accounting.withLock { $0.endedTransfers }
        return tasks.reduce(ended) { sum, task in
            if case .zombie = task.runState { return sum }
            return sum + task.transfers.totals
        }
    }
}
