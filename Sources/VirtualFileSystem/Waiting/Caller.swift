import HostOS
import LinuxABI
import Memory

/// The task on whose behalf a file operation runs, as far as files need to know it. The kernel's `CurrentTask` conforms.
public protocol Caller: AnyObject {
    var credentials: Credentials { get }
    var memory: AddressSpace { get }
    var umask: UInt16 { get }
    var root: Path { get }
    var workingDirectory: Path { get }
    var mountNamespace: MountNamespace { get }
    var networkNamespace: NetworkNamespace { get }
    /// RLIMIT_FSIZE; writes past it raise SIGXFSZ and give EFBIG.
    var fileSizeLimit: UInt64 { get }
    /// The task's parking place, for wait entries.
    var parker: HostParker { get }
    /// Parks until woken.
    /// - Throws: ERESTARTSYS when a signal is pending, ETIMEDOUT when the deadline has passed.
    func park(until deadline: MonotonicInstant?) throws(Errno)
    /// Process ID in the caller's own pid namespace.
    var processID: Int32 { get }
    /// In the initial pid namespace: what the kernel keeps, for locks and credentials passing.
    var globalProcessID: Int32 { get }
    /// Sends SIGXFSZ, SIGPIPE and the like to the calling thread.
    func raise(_ signal: Signal)
}

extension Caller {
    public var networkNamespace: NetworkNamespace { .initial }
    public var globalProcessID: Int32 { processID }

    /// Waits on `queue` until `attempt` gives a value.
    /// - Throws: what `attempt` throws, ERESTARTSYS on a signal, ETIMEDOUT at the deadline.
    public func wait<R>(
        on queue: WaitQueue, for events: PollEvents = .everything, until deadline: MonotonicInstant? = nil,
        _ attempt: () throws(Errno) -> R?
    ) throws(Errno) -> R {
        if let result = try attempt() { return result }
        let entry = WaitEntry(events: events, parker: parker)
        queue.add(entry)
        defer { queue.remove(entry) }
        while true {
            if let result = try attempt() { return result }
            try park(until: deadline)
        }
    }
}
