import LinuxABI
import Synchronization

/// A job: processes that the terminal and kill(2) address together (setpgid(2)). Membership changes under the process-tree lock.
public final class ProcessGroup: Sendable {
    public let id: Int32
    public let numbers: ProcessNumbers
    public let session: Session
    let members = Mutex<[ThreadGroup]>([])

    init(_ numbers: ProcessNumbers, session: Session) {
        self.numbers = numbers
        id = numbers.global
        self.session = session
    }

    public var threadGroups: [ThreadGroup] { members.withLock { $0 } }

    /// Sends to every member.
    public func send(_ info: SignalInfo) {
        guard let kernel = members.withLock({ $0.first?.kernel }) else { return }
        // The tree lock keeps a fork of a member from slipping between: the new child is linked either before, and gets the signal,
        // or after, and its parent sees the signal first and restarts the fork.
        kernel.processes.withTree { _ in sendLocked(info) }
    }
    /// The same with the tree lock held.
    func sendLocked(_ info: SignalInfo) {
        for member in threadGroups { member.send(info) }
    }

    /// Whether no member has a parent in another group of the session (setpgid(2), "orphaned").
    public var isOrphaned: Bool {
        guard let kernel = members.withLock({ $0.first?.kernel }) else { return true }
        return kernel.processes.withTree { _ in isOrphanedLocked(ignoring: nil) }
    }

    /// Tree lock held. `ignoring` is a member about to leave.
    func isOrphanedLocked(ignoring leaving: ThreadGroup?) -> Bool {
        for member in threadGroups where member !== leaving && !member.isZombie {
            // The first process's parent is the command line outside, which takes part in job control.
            if member.isInit { return false }
            // Linux passes over children of the machine's init. The sandbox's first process is no such init but the user's command, often a
            // shell whose jobs must stop.
            guard let parent = member.parent else { continue }
            let parentGroup = parent.processGroup
            if parentGroup !== self && parentGroup.session === session { return false }
        }
        return true
    }

    /// Tree lock held.
    var hasStoppedMember: Bool { threadGroups.contains { $0.isStopped } }
}
