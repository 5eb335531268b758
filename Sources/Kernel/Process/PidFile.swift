import LinuxABI
import VirtualFileSystem

/// A file that refers to a process: pidfd_open(2).
public final class PidFile: FileOperations {
    public let threadGroup: ThreadGroup
    /// PIDFD_THREAD: one thread of the group; nil for the process.
    public let thread: Task?
    public init(_ threadGroup: ThreadGroup, thread: Task? = nil) {
        self.threadGroup = threadGroup
        self.thread = thread
    }

    public static func makeDescription(_ group: ThreadGroup, thread: Task? = nil, nonBlocking: Bool) -> FileDescription {
        FileDescription(
            operations: PidFile(group, thread: thread), anonymousName: "anon_inode:[pidfd]",
            flags: nonBlocking ? [.readWrite, .nonBlocking] : .readWrite)
    }

    public var isPollable: Bool { true }
    /// Readable once the process or thread has ended; hung up once it was waited for, as threads other than the leader are at once.
    public func readiness() -> PollEvents {
        let reaped: PollEvents = [.allReadable, .hangUp]
        if let thread {
            switch thread.runState {
            case .dead: return reaped
            case .zombie: return threadGroup.links.withLock { $0.isReaped } ? reaped : .allReadable
            default: return []
            }
        }
        return threadGroup.links.withLock { links -> PollEvents in
            if links.isReaped { return reaped }
            return links.zombie != nil ? .allReadable : []
        }
    }
    public func addWaiter(_ entry: WaitEntry) { threadGroup.exitEvents.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { threadGroup.exitEvents.remove(entry) }
    public var descriptionInfo: String {
        if threadGroup.links.withLock({ $0.isReaped }) { return "Pid:\t-1\nNSpid:\t-1\n" }
        let numbers = threadGroup.numbers.all.map { String($0) }.joined(separator: "\t")
        return "Pid:\t\(threadGroup.id)\nNSpid:\t\(numbers)\n"
    }
}
