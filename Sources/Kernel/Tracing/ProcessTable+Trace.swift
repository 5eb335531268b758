import LinuxABI
import Synchronization

/// The relation of tracer and tracee. All of it runs with the tree lock held.
extension ProcessTable.Tree {
    /// Linux's ptrace_link.
    func link(_ tracee: Task, _ trace: TraceState) {
        tracee.signals.withLock { $0.trace = trace }
        trace.tracer.tracees.withLock { $0.append(tracee) }
    }

    /// Linux's __ptrace_unlink: the task goes on, or stops again where its group is stopped.
    func unlink(_ tracee: Task, resumingWith signal: Int32? = nil) {
        let group = tracee.threadGroup
        let tracer = group.signals.withLock { g -> Task? in
            let (tracer, mustLook) = tracee.signals.withLock { t -> (Task?, Bool) in
                let tracer = t.trace?.tracer
                t.trace = nil
                t.resumeTraceStop(signal)
                t.traceStop?.stepsOnce = false
                if !t.isExiting, case .none = g.stop {} else if !t.isExiting { t.mustStop = true }
                return (tracer, t.mustStop || t.traceStop != nil)
            }
            tracee.setInterception([], clearing: .tracing)
            if mustLook { tracee.wakeForWork() }
            return tracer
        }
        tracer?.tracees.withLock { $0.removeAll { $0 === tracee } }
    }

    /// Linux's __ptrace_detach: a zombie goes back to its parent, a thread's zombie away.
    mutating func detach(_ tracee: Task, resumingWith signal: Int32? = nil) {
        guard let tracer = tracee.tracer else { return }
        unlink(tracee, resumingWith: signal)
        guard case .zombie = tracee.runState else { return }
        let group = tracee.threadGroup
        if !tracee.isLeader {
            release(tracee)
            endIfLast(group)
        } else if let status = group.exitStatus {
            guard let parent = group.parent else { return }
            if parent !== tracer.threadGroup {
                if group.tellParentOfExit(status) { reap(group) }
            } else {
                let action = parent.actions[.SIGCHLD]
                if action.isIgnore || action.has(.noChildWait) { reap(group) }
            }
        }
    }

    /// Linux's exit_ptrace: the tracer ends.
    mutating func detachAll(of tracer: Task) {
        for tracee in tracer.tracees.withLock({ $0 }) {
            if tracee.signals.withLock({ $0.trace?.options.contains(.exitKill) ?? false }) {
                tracee.send(SignalInfo(.SIGKILL, code: SignalInfo.SI_KERNEL))
            }
            detach(tracee)
        }
    }

    // MARK: threads that end

    /// Linux's release_task for a thread that is not the leader, or no longer.
    mutating func release(_ thread: Task) {
        let group = thread.threadGroup
        unlink(thread)
        group.signals.withLock { g in
            g.tasks.removeAll { $0 === thread }
            g.execTask?.parker.wake()
        }
        tasks[thread.id] = nil
        release(thread.numbers)
        group.kernel.taskCounts.remove(thread.credentials.realUID)
        thread.setRunState(.dead)
        group.exitEvents.notify(.everything)
    }

    /// Makes the group a zombie when only its leader is left and has ended, and tells whoever waits for it.
    mutating func endIfLast(_ group: ThreadGroup) {
        guard group.signals.withLock({ $0.tasks.count <= 1 }), let leaderStatus = group.links.withLock({ $0.leaderStatus }),
            !group.isZombie
        else { return }
        let status = group.signals.withLock { $0.exit } ?? leaderStatus
        group.links.withLock { $0.zombie = status }
        if group.isInit { group.kernel.initDidEnd(status) }
        let isReaped: Bool
        if let leader = tasks[group.id], leader.isTraced {
            tellTracerOfExit(leader, status)
            isReaped = false
        } else {
            isReaped = group.tellParentOfExit(status)
        }
        group.exitEvents.notify(.everything)
        if isReaped { reap(group) }
    }

    /// Linux's do_notify_parent for a traced task: the tracer hears of its end first.
    func tellTracerOfExit(_ tracee: Task, _ status: ExitStatus) {
        guard let tracer = tracee.tracer else { return }
        let group = tracee.threadGroup
        let isOwnChild = tracee.isLeader && group.isZombie && group.parent === tracer.threadGroup
        if let signal = isOwnChild ? group.exitSignal : .SIGCHLD {
            var info = group.childInfo(
                of: tracee, for: tracer.threadGroup, code: status.childCode, status: status.childStatus)
            info.signo = signal.rawValue
            tracer.threadGroup.send(info)
        }
        tracer.threadGroup.childEvents.notify(.everything)
    }
}

extension GroupSignals {
    /// Linux's ptrace_trap_notify: a seized task tells its tracer of a change of job control, at once if it listens. Signal lock held.
    func notifyTracee(_ task: Task) {
        let isStopped = task.signals.withLock { t in
            t.trace?.mustNotify = true
            guard t.isTraceStopped else { return false }
            if t.trace?.isListening ?? false { t.resumeTraceStop(0) }
            return true
        }
        // A stopped task finds out when it is resumed.
        if isStopped { task.parker.wake() } else { task.wakeForWork() }
    }
}
