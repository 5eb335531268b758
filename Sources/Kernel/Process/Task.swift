import HostOS
import LinuxABI
import Memory
import Platform
import Synchronization
import VirtualFileSystem

/// A guest thread: Linux's task_struct, the part that other threads may look at. What only the thread itself uses is in
/// `CurrentTask`.
public final class Task: Sendable {
    public let threadGroup: ThreadGroup
    public let kernel: SandboxKernel
    public let startTime: MonotonicInstant
    /// Where this task sleeps. Signal delivery and wait queues wake it.
    public let parker = HostParker()
    /// The pid namespace it lives in: Linux's task_active_pid_ns.
    public let pidNamespace: PIDNamespace
    /// The thread ID, here in the initial pid namespace and below in the task's own: constant but for execve(2) by a thread that is not the
    /// leader, which takes the leader's.
    private let identity: Atomic<Int32>
    private let ownIdentity: Atomic<Int32>
    private let allNumbers: Mutex<ProcessNumbers>

    /// Set when the task has something to do before it may return to guest code or go on sleeping: Linux's TIF_SIGPENDING. Written
    /// under the thread group's signal lock; read anywhere.
    let work = Atomic<Bool>(false)
    /// Whether the task thread is in guest code, or about to enter it after one more look at `work`.
    let isInGuest = Atomic<Bool>(false)
    /// Why the task's system calls need a closer look: `Interception`.
    let interception = Atomic<UInt8>(0)
    let processorTime = ProcessorTime()
    /// For /proc/PID/io.
    public let transfers = TransferCounts()
    /// Priority-inheritance futexes that others wait for.
    let futexOwnership = FutexOwnership()

    init(_ numbers: ProcessNumbers, threadGroup: ThreadGroup, kernel: SandboxKernel, state: State, blocked: SignalSet) {
        identity = Atomic(numbers.global)
        ownIdentity = Atomic(numbers.own)
        allNumbers = Mutex(numbers)
        pidNamespace = numbers.namespace
        self.threadGroup = threadGroup
        self.kernel = kernel
        startTime = .now
        self.state = Mutex(state)
        signals = Mutex(TaskSignals(blocked: blocked))
    }

    /// What other tasks may read and change of a task; one lock.
    struct State: Sendable {
        var credentials: Credentials
        var name: [UInt8] = []
        var memory: AddressSpace?
        var files: DescriptorTable?
        var fileSystem: FileSystemContext?
        /// Nil once the task has exited.
        var namespaces: NamespaceSet?
        var run = RunState.running
        /// PR_SET_PDEATHSIG; nil for none.
        var parentDeathSignal: Signal?
        /// set_robust_list(2).
        var robustList = GuestAddress.null
        var personality: UInt32 = 0
        var timerSlack: UInt64 = 50_000
        /// What PR_SET_TIMERSLACK 0 goes back to: the parent's value at fork.
        var defaultTimerSlack: UInt64 = 50_000
        var machineCheckPolicy = MachineCheckPolicy.standard
        var isIOFlusher = false
        var scheduling = SchedulingState()
        var keys = TaskKeys()
    }
    let state: Mutex<State>
    /// Guarded by this lock *and* the thread group's signal lock for all that others change.
    let signals: Mutex<TaskSignals>
    /// What this task traces. Changed with the tree lock held.
    let tracees = Mutex<[Task]>([])
    /// Filters of its system calls.
    let seccomp = Mutex(SeccompState())
    /// The host's side of a running task: rebuilt when a snapshot is restored.
    let host = Mutex(HostSide())

    struct HostSide: Sendable {
        var interrupter: (any PlatformInterrupter)?
        var threadID: Int32 = 0
    }

    public var id: Int32 { identity.load(ordering: .relaxed) }
    /// In the own pid namespace: gettid(2).
    public var ownID: Int32 { ownIdentity.load(ordering: .relaxed) }
    public var numbers: ProcessNumbers { allNumbers.withLock { $0 } }
    func take(_ numbers: ProcessNumbers) {
        allNumbers.withLock { $0 = numbers }
        identity.store(numbers.global, ordering: .relaxed)
        ownIdentity.store(numbers.own, ordering: .relaxed)
    }
    public var namespaces: NamespaceSet? { state.withLock { $0.namespaces } }

    public var credentials: Credentials { state.withLock { $0.credentials } }
    /// comm, 15 bytes at most.
    public var name: [UInt8] {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = Array(newValue.prefix(15)) } }
    }
    /// Nil once the task has exited.
    public var memory: AddressSpace? { state.withLock { $0.memory } }
    public var files: DescriptorTable? { state.withLock { $0.files } }
    public var fileSystem: FileSystemContext? { state.withLock { $0.fileSystem } }
    public var runState: RunState { state.withLock { $0.run } }
    func setRunState(_ run: RunState) {
        state.withLock { $0.run = run }
        if case .running = run, threadGroup.timers.isProcessorClockIdle.load(ordering: .sequentiallyConsistent) {
            threadGroup.timers.processorClockResumes()
        }
    }
    public var isLeader: Bool { id == threadGroup.id }
    /// Whether the task has ended, or is about to.
    public var isExiting: Bool { signals.withLock { $0.isExiting } }
    public var parentDeathSignal: Signal? {
        get { state.withLock { $0.parentDeathSignal } }
        set { state.withLock { $0.parentDeathSignal = newValue } }
    }
    /// Head of the robust futex list; null for none.
    public var robustList: GuestAddress {
        get { state.withLock { $0.robustList } }
        set { state.withLock { $0.robustList = newValue } }
    }
    /// personality(2).
    public var personality: UInt32 {
        get { state.withLock { $0.personality } }
        set { state.withLock { $0.personality = newValue } }
    }
    /// PR_SET_TIMERSLACK, nanoseconds.
    public var timerSlack: UInt64 {
        get { state.withLock { $0.timerSlack } }
        set { state.withLock { $0.timerSlack = newValue } }
    }
    public var defaultTimerSlack: UInt64 { state.withLock { $0.defaultTimerSlack } }
    /// PR_MCE_KILL.
    public var machineCheckPolicy: MachineCheckPolicy {
        get { state.withLock { $0.machineCheckPolicy } }
        set { state.withLock { $0.machineCheckPolicy = newValue } }
    }
    /// PR_SET_IO_FLUSHER.
    public var isIOFlusher: Bool {
        get { state.withLock { $0.isIOFlusher } }
        set { state.withLock { $0.isIOFlusher = newValue } }
    }
    /// Policy, priority, affinity: sched(7).
    public var scheduling: SchedulingState {
        get { state.withLock { $0.scheduling } }
        set { state.withLock { $0.scheduling = newValue } }
    }
    /// CPU time so far.
    public var usage: ResourceUsage { processorTime.usage(hostThread: host.withLock { $0.threadID }) }

    public var blockedSignals: SignalSet { signals.withLock { $0.blocked } }
    /// Pending for this thread alone.
    public var pendingSignals: SignalSet { signals.withLock { $0.pending.set } }

    /// Queues a signal to this thread (tgkill) and wakes or interrupts it as needed.
    public func send(_ info: SignalInfo) {
        _ = try? threadGroup.send(info, to: self, options: .kernel)
    }

    /// Makes the task look at `work`: wakes it from its sleep or takes it out of guest code. The caller has set `work` before. The
    /// task sets `isInGuest` before it looks at `work` the last time, so one of both sees the other.
    func kick() {
        if isInGuest.load(ordering: .sequentiallyConsistent) {
            let interrupter = host.withLock { $0.interrupter }
            interrupter?.interrupt()
        }
        parker.wake()
    }
    /// Linux's signal_wake_up.
    func wakeForWork() {
        work.store(true, ordering: .sequentiallyConsistent)
        kick()
    }
}
