import HostOS
import LinuxABI
import Memory
import VirtualFileSystem
import Synchronization

/// A guest thread: Linux's task_struct, the part that other threads may look at. What only the thread itself uses is in
/// `CurrentTask`.
public final class Task: Sendable {
    public let id: Int32
    public let threadGroup: ThreadGroup
    public let kernel: SandboxKernel
    /// Where this task sleeps. Signal delivery and wait queues wake it.
    public let parker = HostParker()

    init(id: Int32, threadGroup: ThreadGroup, kernel: SandboxKernel) {
        self.id = id
        self.threadGroup = threadGroup
        self.kernel = kernel
    }

    /// What other tasks may read and change of a task; one lock.
    struct State {
        var credentials = Credentials(uid: 0, gid: 0, groups: [], capabilities: [])
        var name: [UInt8] = []
        var memory: AddressSpace?
        var files: DescriptorTable?
        var fileSystem: FileSystemContext?
    }
    let state = Mutex(State())

    public var credentials: Credentials { state.withLock { $0.credentials } }
    /// comm, 15 bytes at most.
    public var name: [UInt8] { state.withLock { $0.name } }
    /// Nil once the task has exited.
    public var memory: AddressSpace? { state.withLock { $0.memory } }
    public var files: DescriptorTable? { state.withLock { $0.files } }
    public var fileSystem: FileSystemContext? { state.withLock { $0.fileSystem } }

    /// Queues a signal to this thread (tgkill) and wakes or interrupts it as needed.
    public func send(_ info: SignalInfo) {}
}

/// A process: Linux's thread group with its signal_struct.
public final class ThreadGroup: Sendable {
    public let id: Int32
    public let kernel: SandboxKernel
    init(id: Int32, kernel: SandboxKernel) {
        self.id = id
        self.kernel = kernel
    }
    public var tasks: [Task] { [] }
    public var leader: Task? { nil }
    public var parent: ThreadGroup? { nil }
    public var processGroup: ProcessGroup { fatalError("skeleton") }
    public var session: Session { processGroup.session }
    /// rlimits by RLIMIT_* number.
    public func limit(_ resource: ResourceLimit.Kind) -> ResourceLimit { ResourceLimit(soft: .max, hard: .max) }
    public var executable: Path? { nil }

    /// Queues a signal to the process (kill) and wakes a thread that takes it.
    public func send(_ info: SignalInfo) {}
}

public struct ResourceLimit: Sendable {
    public enum Kind: Int32, CaseIterable, Sendable {
        case cpu = 0, fileSize, data, stack, core, residentSet, processes, openFiles, lockedMemory, addressSpace, locks, pendingSignals,
            messageQueue, nice, realTimePriority, realTimeCPU
    }
    public var soft: UInt64
    public var hard: UInt64
    public static let infinity = UInt64.max
    public init(soft: UInt64, hard: UInt64) {
        self.soft = soft
        self.hard = hard
    }
}

public final class ProcessGroup: Sendable {
    public let id: Int32
    public let session: Session
    init(id: Int32, session: Session) {
        self.id = id
        self.session = session
    }
    /// Sends to every member.
    public func send(_ info: SignalInfo) {}
    public var threadGroups: [ThreadGroup] { [] }
    /// Whether no member has a parent in another group of the session (setpgid(2), "orphaned").
    public var isOrphaned: Bool { false }
}

public final class Session: Sendable {
    public let id: Int32
    init(id: Int32) { self.id = id }
    /// The controlling terminal, set by the terminal driver.
    public let terminal = Mutex<(any ControllingTerminal)?>(nil)
}

/// A terminal as sessions see it.
public protocol ControllingTerminal: AnyObject, Sendable {
    /// The session leader exited or gave the terminal up: hang up.
    func sessionEnded()
    var device: DeviceNumber { get }
    var foregroundGroup: ProcessGroup? { get }
}

/// Root, working directory and umask: Linux's fs_struct. Shared with CLONE_FS.
public final class FileSystemContext: Sendable {
    public struct State: Sendable {
        public var root: Path
        public var workingDirectory: Path
        public var umask: UInt16
    }
    public let state: Mutex<State>
    public init(root: Path, workingDirectory: Path, umask: UInt16) {
        state = Mutex(State(root: root, workingDirectory: workingDirectory, umask: umask))
    }
    public func copy() -> FileSystemContext {
        let s = state.withLock { $0 }
        return FileSystemContext(root: s.root, workingDirectory: s.workingDirectory, umask: s.umask)
    }
    public var root: Path { state.withLock { $0.root } }
    public var workingDirectory: Path { state.withLock { $0.workingDirectory } }
}
