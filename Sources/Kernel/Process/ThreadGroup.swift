import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A process: Linux's thread group with its signal_struct.
public final class ThreadGroup: Sendable {
    public let id: Int32
    /// In the own pid namespace: getpid(2).
    public let ownID: Int32
    public let numbers: ProcessNumbers
    public let kernel: SandboxKernel
    public let startTime = MonotonicInstant.now
    /// Fires when a child changes state: wait4(2).
    public let childEvents = WaitQueue()
    /// Fires when the group has become a zombie: pidfds.
    public let exitEvents = WaitQueue()
    /// Fires when a signal was queued: signalfd(2).
    public let signalEvents = WaitQueue()
    let links: Mutex<Links>
    let signals: Mutex<GroupSignals>
    let attributes: Mutex<Attributes>
    let accounting = Mutex(Accounting())
    /// Interval timers, POSIX timers and the CPU-time limit.
    public let timers = TimerSet()

    init(
        _ numbers: ProcessNumbers, kernel: SandboxKernel, parent: ThreadGroup?, parentTask: Int32, processGroup: ProcessGroup, exitSignal: Signal?,
        actions: SignalActions, attributes: Attributes
    ) {
        self.numbers = numbers
        id = numbers.global
        ownID = numbers.own
        self.kernel = kernel
        links = Mutex(Links(parent: parent, parentTask: parentTask, processGroup: processGroup, exitSignal: exitSignal))
        signals = Mutex(GroupSignals(actions: actions))
        self.attributes = Mutex(attributes)
        timers.attach(self, processorLimit: attributes.limits[Int(ResourceLimit.Kind.cpu.rawValue)])
    }

    /// The group's place in the process tree. Written with the tree lock held as well, so that whoever holds that sees it stable.
    struct Links: Sendable {
        var parent: ThreadGroup?
        /// The thread of `parent` that made this process or inherited it: __WNOTHREAD and PR_SET_PDEATHSIG look at it.
        var parentTask: Int32
        var children: [ThreadGroup] = []
        var processGroup: ProcessGroup
        /// What the parent gets when the group ends; nil for none.
        var exitSignal: Signal?
        /// Set when the leader has ended, maybe before other threads.
        var leaderStatus: ExitStatus?
        /// Set when the last thread has ended.
        var zombie: ExitStatus?
        var isReaped = false
        /// Whether the process has executed a program since fork: setpgid(2) by the parent fails then.
        var hasExecuted = false
    }

    /// Per-process attributes without a better home.
    struct Attributes: Sendable {
        var limits = ResourceLimit.initial
        var image = ProcessImage()
        var isChildSubreaper = false
        /// Set for descendants of a subreaper, so that exit looks for one.
        var hasChildSubreaper = false
        /// PR_SET_DUMPABLE: 0 no, 1 yes, 2 root only.
        var dumpable: Int32 = 1
        var oomScoreAdjustment: Int32 = 0
        /// PR_SET_MDWE.
        var execGain = ExecGainRule()
        /// PR_SET_THP_DISABLE: 0, 1, or 3 with PR_THP_DISABLE_EXCEPT_ADVISED.
        var hugePagesDisabled: Int32 = 0
        /// KEY_SPEC_PROCESS_KEYRING; neither forks nor new programs keep it.
        var processKeyring: Key?
    }

    struct Accounting: Sendable {
        /// Threads that ended.
        var ended = ResourceUsage()
        var endedTransfers = Transfers()
        /// Children waited for.
        var children = ResourceUsage()
        var maximumResident: UInt64 = 0
    }

    // MARK: threads

    /// Threads that have not ended, and the leader until the group is reaped.
    public var tasks: [Task] { signals.withLock { $0.tasks } }
    public var leader: Task? { kernel.processes.task(id) }
    /// The number of threads, a zombie leader included.
    public var threadCount: Int { signals.withLock { $0.tasks.count } }
    /// The SIGHUP … SIGRTMAX actions.
    public var actions: SignalActions { signals.withLock { $0.actions } }
    /// The address space of any thread that still has one.
    public var memory: AddressSpace? {
        for task in tasks { if let memory = task.memory { return memory } }
        return nil
    }
    /// The credentials of the leader.
    public var credentials: Credentials? { leader?.credentials }

    // MARK: relations

    public var parent: ThreadGroup? { links.withLock { $0.parent } }
    /// 0 for init.
    public var parentID: Int32 { links.withLock { $0.parent?.id ?? 0 } }
    /// The thread of the parent that the process counts as a child of.
    public var parentTaskID: Int32 { links.withLock { $0.parentTask } }
    public var children: [ThreadGroup] { links.withLock { $0.children } }
    public var processGroup: ProcessGroup { links.withLock { $0.processGroup } }
    public var session: Session { processGroup.session }
    public var isSessionLeader: Bool { session.id == id }
    public var isInit: Bool { id == 1 }
    /// Init of a pid namespace below the initial one.
    public var isInnerInit: Bool { ownID == 1 && id != 1 }
    public var pidNamespace: PIDNamespace { numbers.namespace }
    /// The status with which the group ended, while nobody has waited for it.
    public var exitStatus: ExitStatus? { links.withLock { $0.zombie } }
    public var isZombie: Bool { links.withLock { $0.zombie != nil } }
    public var exitSignal: Signal? { links.withLock { $0.exitSignal } }

    // MARK: attributes

    /// rlimits by RLIMIT_* number.
    public func limit(_ resource: ResourceLimit.Kind) -> ResourceLimit { attributes.withLock { $0.limits[Int(resource.rawValue)] } }
    public func setLimit(_ resource: ResourceLimit.Kind, _ limit: ResourceLimit) {
        attributes.withLock { $0.limits[Int(resource.rawValue)] = limit }
    }
    /// All limits by RLIMIT_* number.
    public var limits: [ResourceLimit] { attributes.withLock { $0.limits } }
    public var image: ProcessImage {
        get { attributes.withLock { $0.image } }
        set { attributes.withLock { $0.image = newValue } }
    }
    public var executable: Path? { attributes.withLock { $0.image.executable } }
    public var isChildSubreaper: Bool {
        get { attributes.withLock { $0.isChildSubreaper } }
        set { attributes.withLock { $0.isChildSubreaper = newValue } }
    }
    public var dumpable: Int32 {
        get { attributes.withLock { $0.dumpable } }
        set { attributes.withLock { $0.dumpable = newValue } }
    }
    public var oomScoreAdjustment: Int32 {
        get { attributes.withLock { $0.oomScoreAdjustment } }
        set { attributes.withLock { $0.oomScoreAdjustment = newValue } }
    }

    public var execGain: ExecGainRule {
        get { attributes.withLock { $0.execGain } }
        set { attributes.withLock { $0.execGain = newValue } }
    }
    public var hugePagesDisabled: Int32 {
        get { attributes.withLock { $0.hugePagesDisabled } }
        set { attributes.withLock { $0.hugePagesDisabled = newValue } }
    }

    // MARK: accounting

    /// All threads, ended ones included: RUSAGE_SELF.
    public var usage: ResourceUsage { usage(of: tasks) }
    func usage(of tasks: [Task]) -> ResourceUsage {
        var sum = accounting.withLock {
            var u = $0.ended
            u.maximumResident = max(u.maximumResident, $0.maximumResident)
            return u
        }
        for task in tasks { if case .zombie = task.runState {} else { sum = sum + task.usage } }
        return sum
    }
    /// Children that were waited for: RUSAGE_CHILDREN.
    public var childrenUsage: ResourceUsage { accounting.withLock { $0.children } }
    /// Remembers the high-water mark of the resident set.
    public func noteResident(_ bytes: UInt64) { accounting.withLock { $0.maximumResident = max($0.maximumResident, bytes) } }

    // MARK: signals

    /// Queues a signal to the process (kill) and wakes a thread that takes it.
    public func send(_ info: SignalInfo) {
        _ = try? send(info, to: nil, options: .kernel)
    }
    /// Pending for the process as a whole.
    public var pendingSignals: SignalSet { signals.withLock { $0.pending.set } }
    /// Whether job control stopped the group.
    public var isStopped: Bool {
        signals.withLock { if case .stopped = $0.stop { true } else { false } }
    }
    /// Whether exit_group, a fatal signal or the like ends the group.
    public var isExiting: Bool { signals.withLock { $0.exit != nil } }
}
