import CHost
import Glibc
import LinuxABI

/// Signals taken as data: the set is blocked in the calling thread (and in threads it starts) and read from a signalfd(2).
public struct HostSignalQueue: ~Copyable, Sendable {
    private let descriptor: HostDescriptor

    public struct Received: Sendable {
        public var number: Int32
        /// Sent by the kernel itself: a terminal's interrupt key, window size, a hang-up.
        public var isFromKernel: Bool
    }

    /// Blocks `signals` and opens the queue.
    public init(_ signals: [Signal]) throws(Errno) {
        let mask = signals.reduce(into: UInt64(0)) { $0 |= $1.bit }
        descriptor = HostDescriptor(owning: try hostCall(chost_signal_queue(mask)))
    }

    public var number: Int32 { descriptor.number }

    /// The next signal; nil when none is pending.
    public func next() -> Received? {
        var fromKernel: Int32 = 0
        // SAFETY: `fromKernel` is a live local.
        let number = unsafe chost_signal_next(descriptor.number, &fromKernel)
        return number > 0 ? Received(number: number, isFromKernel: fromKernel != 0) : nil
    }

    /// Blocks every signal in the calling thread; threads started later inherit it.
    public static func blockAll() { chost_block_all_signals() }
}

/// poll(2) for a few descriptors.
public enum HostPoll {
    /// Which of `descriptors` are readable or hung up, waiting until `deadline`; empty when it passed or a signal came.
    public static func waitReadable(_ descriptors: [Int32], until deadline: MonotonicInstant?) -> [Int32] {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var timeout: Int32 = -1
        if let deadline {
            let left = max(0, deadline.nanoseconds - MonotonicInstant.now.nanoseconds)
            timeout = Int32(clamping: (left + 999_999) / 1_000_000)
        }
        // SAFETY: the buffer holds `polled.count` entries for the duration of the call.
        let ready = unsafe polled.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress!, nfds_t($0.count), timeout) }
        return ready > 0 ? polled.filter { $0.revents != 0 }.map(\.fd) : []
    }
}
