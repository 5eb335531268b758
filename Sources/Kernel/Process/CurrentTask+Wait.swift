import LinuxABI
import Synchronization

/// Options of wait4(2) and waitid(2).
public struct WaitOptions: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let noHang = WaitOptions(rawValue: 1)
    /// WUNTRACED and WSTOPPED.
    public static let stopped = WaitOptions(rawValue: 2)
    public static let exited = WaitOptions(rawValue: 4)
    public static let continued = WaitOptions(rawValue: 8)
    public static let noWait = WaitOptions(rawValue: 0x0100_0000)
    public static let noThread = WaitOptions(rawValue: 0x2000_0000)
    public static let all = WaitOptions(rawValue: 0x4000_0000)
    public static let clone = WaitOptions(rawValue: 0x8000_0000)
}

public enum WaitSelector: Sendable {
    case any
    case process(Int32)
    case processGroup(Int32)
    /// P_PIDFD.
    case group(ThreadGroup)
}

/// A change of state of a child.
public struct WaitResult: Sendable {
    public enum Change: Sendable {
        case ended(ExitStatus)
        case stopped(Signal)
        case continued
        /// A stop for the tracer: what the status word has above 0x7f.
        case trapped(Int32)
    }
    public var id: Int32
    public var uid: UInt32
    public var change: Change
    /// The child's and its waited-for children's consumption.
    public var usage: ResourceUsage

    /// The status word of wait4(2).
    public var waitStatus: Int32 {
        switch change {
        case .ended(let status): status.waitStatus
        case .stopped(let signal): signal.rawValue << 8 | 0x7f
        case .continued: 0xffff
        case .trapped(let code): code << 8 | 0x7f
        }
    }
    /// si_code and si_status of waitid(2).
    public var code: Int32 {
        switch change {
        case .ended(let status): status.childCode
        case .stopped: SignalInfo.CLD_STOPPED
        case .continued: SignalInfo.CLD_CONTINUED
        case .trapped: SignalInfo.CLD_TRAPPED
        }
    }
    public var status: Int32 {
        switch change {
        case .ended(let status): status.childStatus
        case .stopped(let signal): signal.rawValue
        case .continued: Signal.SIGCONT.rawValue
        case .trapped(let code): code
        }
    }
}

extension CurrentTask {
    /// Waits for a child to change state.
    /// - Returns: nil with `noHang` when no child has.
    /// - Throws: ECHILD when no child matches, ERESTARTSYS on a signal.
    public func waitForChild(_ selector: WaitSelector, _ options: WaitOptions) throws(Errno) -> WaitResult? {
        if options.contains(.noHang) { return try lookForChild(selector, options) }
        do throws(Errno) {
            return try wait(on: threadGroup.childEvents) { () throws(Errno) -> WaitResult? in try lookForChild(selector, options) }
        } catch {
            // The signal may be the SIGCHLD of what is waited for: Linux looks at the children before it looks for signals.
            guard error == .ERESTARTSYS, let result = try lookForChild(selector, options) else { throw error }
            return result
        }
    }

    /// Linux's do_wait once over all children and tracees. - Throws: ECHILD.
    private func lookForChild(_ selector: WaitSelector, _ options: WaitOptions) throws(Errno) -> WaitResult? {
        try kernel.processes.withTree { tree throws(Errno) in
            var hasCandidate = false
            for child in threadGroup.links.withLock({ $0.children }) {
                guard isEligible(child, selector, options), let leader = tree.tasks[child.id] else { continue }
                if let result = consider(leader, isTracee: false, options, &hasCandidate, &tree) { return result }
            }
            for tracer in options.contains(.noThread) ? [task] : threadGroup.tasks {
                for tracee in tracer.tracees.withLock({ $0 }) where matches(tracee, selector) {
                    if let result = consider(tracee, isTracee: true, options, &hasCandidate, &tree) { return result }
                }
            }
            if !hasCandidate { throw .ECHILD }
            return nil
        }
    }

    private func isEligible(_ child: ThreadGroup, _ selector: WaitSelector, _ options: WaitOptions) -> Bool {
        let links = child.links.withLock { ($0.parentTask, $0.exitSignal) }
        if options.contains(.noThread) && links.0 != task.id { return false }
        if !options.contains(.all) && (links.1 != .SIGCHLD) != options.contains(.clone) { return false }
        switch selector {
        case .any: return true
        case .process(let id): return number(of: child) == id
        case .processGroup(let id): return number(of: child.processGroup) == id
        case .group(let group): return child === group
        }
    }

    private func matches(_ tracee: Task, _ selector: WaitSelector) -> Bool {
        switch selector {
        case .any: true
        case .process(let id): number(of: tracee) == id
        case .processGroup(let id): number(of: tracee.threadGroup.processGroup) == id
        case .group(let group): tracee.threadGroup === group && tracee.isLeader
        }
    }

    /// Linux's wait_consider_task: `isTracee` when the caller looks as a tracer, not as a parent.
    private func consider(
        _ other: Task, isTracee: Bool, _ options: WaitOptions, _ hasCandidate: inout Bool, _ tree: inout ProcessTable.Tree
    ) -> WaitResult? {
        let group = other.threadGroup
        let tracer = other.tracer
        // A child that its parent traces itself is seen as a tracee.
        let isTracee = isTracee || tracer.map { $0.threadGroup === threadGroup } ?? false
        let hasEnded = other.isLeader ? group.links.withLock { $0.leaderStatus != nil } : other.hasEnded
        if hasEnded {
            // A leader is waited for after its threads.
            if let status = other.isLeader ? group.exitStatus : group.status(of: other), isTracee || tracer == nil {
                guard options.contains(.exited) else { return nil }
                return collect(other, status, options, &tree)
            }
            if !isTracee || !options.isDisjoint(with: [.continued, .exited]) { hasCandidate = true }
        } else {
            hasCandidate = true
        }
        if isTracee {
            if let result = traceStop(of: other, options) { return result }
            return jobControlChange(group, other, options.subtracting(.stopped))
        }
        return jobControlChange(group, other, options)
    }

    /// Linux's wait_task_zombie.
    private func collect(_ other: Task, _ status: ExitStatus, _ options: WaitOptions, _ tree: inout ProcessTable.Tree) -> WaitResult {
        let group = other.threadGroup
        let usage = other.isLeader ? group.usage + group.childrenUsage : other.usage
        let result = WaitResult(id: number(of: other), uid: owner(other), change: .ended(status), usage: usage)
        if options.contains(.noWait) { return result }
        if !other.isLeader {
            tree.release(other)
            tree.endIfLast(group)
        } else if group.parent !== threadGroup {
            // The tracer has seen it: now the parent may.
            tree.unlink(other)
            if group.tellParentOfExit(status) { tree.reap(group) }
        } else {
            threadGroup.accounting.withLock { $0.children = $0.children + usage }
            tree.reap(group)
        }
        return result
    }

    /// Linux's wait_task_stopped for a tracer.
    private func traceStop(of tracee: Task, _ options: WaitOptions) -> WaitResult? {
        let code = tracee.threadGroup.signals.withLock { _ in
            tracee.signals.withLock { t -> Int32? in
                guard t.isTraceStopped, !(t.trace?.isListening ?? true), let code = t.traceStop?.code, code != 0 else { return nil }
                if !options.contains(.noWait) { t.traceStop?.code = 0 }
                return code
            }
        }
        return code.map {
            WaitResult(id: number(of: tracee), uid: owner(tracee), change: .trapped($0), usage: tracee.threadGroup.usage)
        }
    }

    private func jobControlChange(_ child: ThreadGroup, _ leader: Task, _ options: WaitOptions) -> WaitResult? {
        let change: WaitResult.Change? = child.signals.withLock { g in
            if options.contains(.stopped), case .stopped(let signal) = g.stop, g.stopIsUnreported {
                if !options.contains(.noWait) { g.stopIsUnreported = false }
                return .stopped(signal)
            }
            if options.contains(.continued) && g.continueIsUnreported {
                if !options.contains(.noWait) { g.continueIsUnreported = false }
                return .continued
            }
            return nil
        }
        guard let change else { return nil }
        return WaitResult(id: number(of: leader), uid: owner(leader), change: change, usage: child.usage + child.childrenUsage)
    }

    private func owner(_ other: Task) -> UInt32 { credentials.shownUser(other.credentials.realUID) }
}

extension Task {
    /// A thread that ended and that its tracer has not waited for yet.
    var hasEnded: Bool { if case .zombie = runState { true } else { false } }
}

extension ThreadGroup {
    /// With what an ended thread ended: the group's status once the group ends as a whole.
    func status(of thread: Task) -> ExitStatus? {
        guard case .zombie(let status) = thread.runState else { return nil }
        return signals.withLock { $0.exit } ?? status
    }
}
