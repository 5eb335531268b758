import HostOS
import LinuxABI
import Memory
import Platform
import VirtualFileSystem

/// The running guest thread as its own task thread sees it: Linux's `current`. Not Sendable: confined to the task thread by the
/// compiler. System-call handlers get it as their first argument.
public final class CurrentTask: Caller {
    public let task: Task
    public var context: any PlatformContext
    /// This thread's own references; other tasks see them through `task`.
    public internal(set) var memory: AddressSpace
    public internal(set) var files: DescriptorTable
    public internal(set) var fileSystem: FileSystemContext
    public internal(set) var namespaces: NamespaceSet
    /// Nil for the initial one. A copy of what the credentials say, for stat(2) and its like.
    public internal(set) var innerUserNamespace: UserNamespace?
    /// What restart_syscall(2) does, set by a handler that throws ERESTART_RESTARTBLOCK.
    public var restartBlock: RestartBlock?
    /// The number of the system call that runs.
    public internal(set) var systemCallNumber: UInt64 = 0

    /// sigaltstack(2).
    public internal(set) var alternateStack = SignalStack()
    /// The mask to go back to when no handler ran: Linux's saved_sigmask with TIF_RESTORE_SIGMASK.
    var savedMask: SignalSet?
    /// CLONE_CHILD_CLEARTID and set_tid_address(2); null for none.
    public var clearChildTID = GuestAddress.null
    /// Set by a handler that replaced the register file (rt_sigreturn, execve): RAX is not the result.
    var replacedRegisters = false
    /// Set when the thread must end: the run loop leaves after the present system call or signal.
    var ending: ExitStatus?
    /// Faulting details for the signal frame: trapno, err and cr2 of the last fault.
    var trap = TrapState()
    /// The vfork parent to be told when this task leaves its borrowed address space.
    var vforkCompletion: VforkCompletion?
    /// What the registers do not say about the present system call, for a tracer.
    var callState = CallState.none
    /// What a tracer wants of the next return to guest code.
    var traceWork: TraceWork = []
    /// Set by a tracer, and what lay at the places they watch before the present instruction.
    var debugRegisters = DebugRegisters()
    var watched: [[UInt8]] = []
    /// How often a fork in a row gave way to a signal.
    var forkRestarts = 0

    init(
        task: Task, context: any PlatformContext, memory: AddressSpace, files: DescriptorTable, fileSystem: FileSystemContext,
        namespaces: NamespaceSet
    ) {
        self.task = task
        self.context = context
        self.memory = memory
        self.files = files
        self.fileSystem = fileSystem
        self.namespaces = namespaces
        innerUserNamespace = task.credentials.innerUserNamespace
    }

    public var kernel: SandboxKernel { task.kernel }
    public var threadGroup: ThreadGroup { task.threadGroup }

    // MARK: Caller
    public var credentials: Credentials { task.credentials }
    public var umask: UInt16 { fileSystem.state.withLock { $0.umask } }
    public var root: Path { fileSystem.root }
    public var workingDirectory: Path { fileSystem.workingDirectory }
    public var mountNamespace: MountNamespace { namespaces.mounts }
    public var networkNamespace: NetworkNamespace { namespaces.network }
    public var fileSizeLimit: UInt64 { threadGroup.limit(.fileSize).soft }
    public var parker: HostParker { task.parker }
    public var processID: Int32 { threadGroup.ownID }
    public var globalProcessID: Int32 { threadGroup.id }

    /// Whether a signal, a stop or the thread's end is pending: what interrupts a sleep.
    public var isSignalPending: Bool { task.work.load(ordering: .sequentiallyConsistent) }

    /// Parks, signals or not, and lets the platform give the CPU to others meanwhile.
    @discardableResult
    func sleep(until deadline: MonotonicInstant? = nil) -> Bool {
        context.willBlock()
        defer { context.didWake() }
        return parker.park(until: deadline)
    }

    public func park(until deadline: MonotonicInstant?) throws(Errno) {
        if isSignalPending { throw .ERESTARTSYS }
        task.setRunState(.sleeping)
        task.processorTime.countSleep()
        let woken = sleep(until: deadline)
        task.setRunState(.running)
        if isSignalPending { throw .ERESTARTSYS }
        if !woken { throw .ETIMEDOUT }
    }
    /// A signal to the calling thread, as the kernel itself sends it (SI_KERNEL).
    public func raise(_ signal: Signal) { task.send(SignalInfo(signal, code: SignalInfo.SI_KERNEL)) }

    // MARK: conveniences for handlers

    /// RLIMIT_NOFILE, bounded.
    public var descriptorLimit: Int32 { Int32(truncatingIfNeeded: min(threadGroup.limit(.openFiles).soft, 1 << 20)) }
    /// Installs a description at the lowest free descriptor. - Throws: EMFILE.
    public func install(_ description: FileDescription, closeOnExec: Bool) throws(Errno) -> Int {
        Int(try files.install(description, closeOnExec: closeOnExec, limit: descriptorLimit))
    }
    /// A path argument. - Throws: EFAULT, ENAMETOOLONG (PATH_MAX 4096 with the NUL).
    public func path(at address: GuestAddress) throws(Errno) -> [UInt8] { try memory.copyInString(address, limit: 4096) }
}

/// Continuation of an interrupted call with a relative time-out: restart_syscall(2).
public enum RestartBlock: Sendable {
    /// `deadline` is on CLOCK_MONOTONIC, or on the CPU clock that `clock` names.
    case nanosleep(clock: Int32, deadline: MonotonicInstant, remaining: GuestAddress)
    case futexWait(address: GuestAddress, value: UInt32, deadline: MonotonicInstant, bitset: UInt32, shared: Bool)
    case poll(address: GuestAddress, count: UInt32, deadline: MonotonicInstant?)
}
