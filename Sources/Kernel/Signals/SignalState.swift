import LinuxABI
import Synchronization

/// Signal state of one task, guarded by `Task.signals` and, for what others change, by the group's signal lock too.
struct TaskSignals: Sendable {
    var pending = PendingSignals()
    var blocked: SignalSet
    /// The mask proper while rt_sigtimedwait(2) lets more through: a signal outside it but in here has a taker.
    var realBlocked = SignalSet()
    /// The task has to stop at its next return to guest code.
    var mustStop = false
    /// A stop signal was taken and no SIGCONT or SIGKILL came since: Linux's JOBCTL_STOP_DEQUEUED.
    var tookStop = false
    var isStopped = false
    /// What began the last group stop: JOBCTL_STOP_SIGMASK.
    var stopSignal = Signal.SIGSTOP
    /// Nil for a task that nobody traces.
    var trace: TraceState?
    /// The stop for the tracer that the task is in.
    var traceStop: TraceStop?
    var isExiting = false
    /// The parent died notice and the like need nothing here; set when SIGKILL is pending.
    var isKilled: Bool { pending.set.has(.SIGKILL) }

    init(blocked: SignalSet) { self.blocked = blocked }
}

/// Signal state of a thread group: Linux's signal_struct under siglock.
struct GroupSignals: Sendable {
    /// Job control of the whole group.
    enum Stop: Sendable {
        case none
        /// Threads are on their way to stop.
        case stopping(Signal)
        case stopped(Signal)
    }
    enum ParentNotice: Sendable { case stopped, continued }

    var pending = PendingSignals()
    var actions: SignalActions
    var tasks: [Task] = []
    /// SIGNAL_GROUP_EXIT with the code: the group ends.
    var exit: ExitStatus?
    /// The thread that executes a new program and waits for all others to end.
    var execTask: Task?
    var stop = Stop.none
    /// wait4(WUNTRACED) has not seen the stop yet.
    var stopIsUnreported = false
    /// wait4(WCONTINUED) has not seen the continuation yet.
    var continueIsUnreported = false
    /// What the next thread to pass tells the parent.
    var parentNotice: ParentNotice?
    /// Init: signals with default action have no effect from inside.
    var isUnkillable = false
    /// Where the search for a taker of a process-wide signal begins.
    var nextTarget = 0

    init(actions: SignalActions) { self.actions = actions }
}
