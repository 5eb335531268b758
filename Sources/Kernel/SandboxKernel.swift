import HostOS
import LinuxABI
import Memory
import Platform
import Synchronization
import VirtualFileSystem

/// The application kernel of one sandbox: what all its tasks share.
public final class SandboxKernel: Sendable {
    public let platform: any Platform
    public let memoryFile: MemoryFile
    /// The initial mount namespace.
    public let mountNamespace: MountNamespace
    // The initial namespaces. What a task sees is in its `NamespaceSet`.
    let uts: UTSNamespace
    public let pidNamespace = PIDNamespace()
    public let processes = ProcessTable()
    public let futexes = FutexTable()
    public let timers = TimerService()
    /// System V shared memory, semaphores and message queues.
    let ipc = IPCNamespace()
    /// Contexts of io_setup(2).
    public let aio = AIOService()
    /// acct(2).
    public let accounting = ProcessAccounting()
    /// Keys and keyrings.
    public let keys = KeyService()
    public let freezer = Freezer()
    public let bootTime = MonotonicInstant.now
    /// Tasks per real user ID: RLIMIT_NPROC.
    public let taskCounts = UserCounts()
    /// Queued signals per real user ID: RLIMIT_SIGPENDING.
    public let queuedSignals = UserCounts()
    /// inotify instances and watches per real user ID.
    let inotifyInstances = UserCounts()
    let inotifyWatches = UserCounts()
    /// Users of address spaces and descriptor tables.
    let uses = UseCounts()
    /// Reports unusual events (unsupported calls, stub deaths) to whoever logs.
    public let report: @Sendable (String) -> Void
    /// Reported already.
    let reportedFailures = Mutex<Set<StartFailure>>([])
    /// Told when the first process stops (job control): its parent is outside.
    public let initStopped: (@Sendable (Signal) -> Void)?
    private let dispatcherBox = Mutex<(any SystemCallDispatcher)?>(nil)
    /// What a task that has ended refers to.
    let emptyNamespaces: NamespaceSet
    let emptyFileSystem: FileSystemContext
    /// Task threads that run, and how init ended.
    let shutdown = Mutex(Shutdown())
    struct Shutdown: Sendable {
        var taskThreads = 0
        var status: ExitStatus?
    }
    /// Fires when a task thread ended.
    let taskThreadEnded = WaitQueue()

    public init(
        platform: any Platform, memoryFile: MemoryFile, mountNamespace: MountNamespace, hostName: String,
        report: @escaping @Sendable (String) -> Void, initStopped: (@Sendable (Signal) -> Void)? = nil
    ) {
        self.initStopped = initStopped
        self.mountNamespace = mountNamespace
        self.platform = platform
        self.memoryFile = memoryFile
        let nowhere = MountNamespace.empty
        emptyFileSystem = FileSystemContext(root: nowhere.root, workingDirectory: nowhere.root, umask: 0o022)
        emptyNamespaces = NamespaceSet(
            mounts: nowhere, uts: UTSNamespace(hostName: []), ipc: IPCNamespace(), network: .initial, cgroup: PlainNamespace(initial: .cgroup),
            time: PlainNamespace(initial: .time), pidForChildren: PIDNamespace())
        uts = UTSNamespace(hostName: Array(hostName.utf8))
        self.report = report
    }

    /// The system-call table. Set before the first task starts; each task thread reads it once.
    public var dispatcher: (any SystemCallDispatcher)? {
        get { dispatcherBox.withLock { $0 } }
        set { dispatcherBox.withLock { $0 = newValue } }
    }
}

/// What runs a system call. The table lives above the kernel: the Sentry sets it at boot as `SandboxKernel.dispatcher`.
public protocol SystemCallDispatcher: AnyObject, Sendable {
    /// Runs system call `number` (the full RAX) for `current` and returns RAX.
    /// - Throws: the errno for the guest, ENOSYS for an unknown number, or a restart code (512…516) after an interrupted wait.
    func dispatch(_ current: CurrentTask, number: UInt64, arguments: SystemCallArguments) throws(Errno) -> Int
}
