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
        }
    }
    /// si_code and si_status of waitid(2).
    public var code: Int32 {
        switch change {
        case .ended(let status): status.childCode
        case .stopped: SignalInfo.CLD_STOPPED
        case .continued: SignalInfo.CLD_CONTINUED
        }
    }
    public var status: Int32 {
        switch change {
        case .ended(let status): status.childStatus
        case .stopped(let signal): signal.rawValue
        case .continued: Signal.SIGCONT.rawValue
        }
    }
}

extension CurrentTask {
    /// Waits for a child to change state.
    /// - Returns: nil with `noHang` when no child has.
    /// - Throws: ECHILD when no child matches, ERESTARTSYS on a signal.
    public func waitForChild(_ selector: WaitSelector, _ options: WaitOptions) throws(Errno) -> WaitResult? {
        if options.contains(.noHang) { return try lookForChild(selector, options) }
        return try wait(on: threadGroup.childEvents) { () throws(Errno) -> WaitResult? in try lookForChild(selector, options) }
    }

    /// Linux's do_wait once over all children. - Throws: ECHILD.
    private func lookForChild(_ selector: WaitSelector, _ options: WaitOptions) throws(Errno) -> WaitResult? {
        try kernel.processes.withTree { tree throws(Errno) in
            var hasCandidate = false
            for child in threadGroup.links.withLock({ $0.children }) {
                guard matches(child, selector, options) else { continue }
                let status = child.links.withLock { $0.zombie }
                if let status {
                    guard options.contains(.exited) else { continue }
                    return collect(child, status, options, &tree)
                }
                hasCandidate = true
                if let result = jobControlChange(child, options) { return result }
            }
            if !hasCandidate { throw .ECHILD }
            return nil
        }
    }

    private func matches(_ child: ThreadGroup, _ selector: WaitSelector, _ options: WaitOptions) -> Bool {
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

    private func collect(_ child: ThreadGroup, _ status: ExitStatus, _ options: WaitOptions, _ tree: inout ProcessTable.Tree)
        -> WaitResult
    {
        let usage = child.usage + child.childrenUsage
        let result = WaitResult(id: number(of: child), uid: owner(child), change: .ended(status), usage: usage)
        if !options.contains(.noWait) {
            threadGroup.accounting.withLock { $0.children = $0.children + usage }
            tree.reap(child)
        }
        return result
    }

    private func jobControlChange(_ child: ThreadGroup, _ options: WaitOptions) -> WaitResult? {
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
        return WaitResult(id: number(of: child), uid: owner(child), change: change, usage: child.usage + child.childrenUsage)
    }

    private func owner(_ child: ThreadGroup) -> UInt32 { credentials.shownUser(child.tasks.first?.credentials.realUID ?? 0) }
}
