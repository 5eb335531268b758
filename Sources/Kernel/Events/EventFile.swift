import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// eventfd(2): a 64-bit counter with a wait queue.
public final class EventFile: FileOperations {
    private let counter: Mutex<UInt64>
    private let isSemaphore: Bool
    private let waiters = WaitQueue()
    private let id: Int32

    private static let lastID = Atomic<Int32>(-1)
    /// The counter stays below this value; writes that would reach it wait.
    private static let limit = UInt64.max

    public init(initial: UInt32, isSemaphore: Bool) {
        counter = Mutex(UInt64(initial))
        self.isSemaphore = isSemaphore
        id = Self.lastID.add(1, ordering: .relaxed).newValue
    }

    /// Takes the counter, or one of it in semaphore mode. - Throws: EINVAL for a short buffer, EAGAIN at zero.
    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        guard buffer.remaining >= 8 else { throw .EINVAL }
        let value = try counter.withLock { count throws(Errno) -> UInt64 in
            if count == 0 { throw .EAGAIN }
            let value = isSemaphore ? 1 : count
            count -= value
            return value
        }
        waiters.notify(.allWritable)
        try buffer.put(value: value)
        return 8
    }

    /// Adds to the counter. - Throws: EINVAL for a short buffer and for 2^64-1, EAGAIN when the sum would reach 2^64-1.
    public func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        guard buffer.remaining >= 8 else { throw .EINVAL }
        // The system call tries again with the same buffer after a wait, so the cursor must only move when the write is done.
        var attempt = buffer
        let value = try attempt.takeValue(UInt64.self)
        if value == Self.limit { throw .EINVAL }
        try counter.withLock { count throws(Errno) in
            if Self.limit - count <= value { throw .EAGAIN }
            count += value
        }
        buffer = attempt
        waiters.notify(.allReadable)
        return (8, 0)
    }

    /// Adds from inside the kernel, stopping at the limit as eventfd_signal does.
    public func signal(_ value: UInt64 = 1) {
        counter.withLock { $0 = $0.addingReportingOverflow(value).overflow ? Self.limit : $0 + value }
        waiters.notify(.allReadable)
    }

    public func readiness() -> PollEvents {
        let count = counter.withLock { $0 }
        var events: PollEvents = []
        if count > 0 { events.insert(.readable) }
        if count == Self.limit { events.insert(.error) }
        if count < Self.limit - 1 { events.insert(.writable) }
        return events
    }
    public func addWaiter(_ entry: WaitEntry) { waiters.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { waiters.remove(entry) }
    /// lseek(2) succeeds and does nothing (noop_llseek).
    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 { current }
    public var isPollable: Bool { true }

    public var descriptionInfo: String {
        let count = Hexadecimal.padded(counter.withLock { $0 }, width: 16, with: " ")
        return "eventfd-count: \(count)\neventfd-id: \(id)\neventfd-semaphore: \(isSemaphore ? 1 : 0)\n"
    }
}

enum Hexadecimal {
    /// `value` in lower-case hexadecimal, padded on the left.
    static func padded(_ value: UInt64, width: Int, with padding: Character) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: padding, count: max(0, width - digits.count)) + digits
    }
}
