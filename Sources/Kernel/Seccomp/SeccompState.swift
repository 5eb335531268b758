import LinuxABI
import Synchronization

/// What seccomp(2) does with a task's system calls.
public struct SeccompState: Sendable {
    /// As PR_GET_SECCOMP and /proc/PID/status show it.
    public enum Mode: Int, Sendable { case disabled = 0, strict = 1, filter = 2 }
    public var mode = Mode.disabled
    /// In the order of installation. A child's list begins with its parent's.
    public var filters: [SeccompFilter] = []

    /// The one filter whose listener is open: there is at most one in a list.
    var listener: SeccompListener? { filters.lazy.compactMap(\.listener).first { !$0.isClosed } }

    /// Instructions with Linux's penalty of 4 for each filter.
    var weight: Int { filters.reduce(0) { $0 + $1.program.weight + 4 } }

    /// Whether every filter here holds for `other` too, and came first there.
    func isPrefix(of other: SeccompState) -> Bool {
        filters.count <= other.filters.count && zip(filters, other.filters).allSatisfy { $0 === $1 }
    }

    /// Linux's seccomp_run_filters: the newest filter first; the lowest action wins, of equals the newest.
    func run(_ data: SeccompData) -> (value: UInt32, filter: SeccompFilter?) {
        var lowest = SeccompAction.allow
        var match: SeccompFilter?
        for filter in filters.reversed() {
            let value = filter.program.run(data)
            if Self.rank(value) < Self.rank(lowest) {
                lowest = value
                match = filter
            }
        }
        return (lowest, match)
    }
    private static func rank(_ value: UInt32) -> Int32 { Int32(bitPattern: value & SeccompAction.mask) }
}

/// An installed filter.
public final class SeccompFilter: Sendable {
    public let program: FilterProgram
    /// SECCOMP_FILTER_FLAG_LOG.
    public let logs: Bool
    public let listener: SeccompListener?
    private let hasReported = Atomic<Bool>(false)

    public init(_ program: FilterProgram, logs: Bool, listener: SeccompListener?) {
        self.program = program
        self.logs = logs
        self.listener = listener
    }

    /// Once, so that a guest cannot fill logs.
    func reportOnce(_ kernel: SandboxKernel, _ text: @autoclosure () -> String) {
        if !hasReported.exchange(true, ordering: .relaxed) { kernel.report(text()) }
    }
}

extension Task {
    /// How many filters hold, and the mode: /proc/PID/status.
    public var seccompStatus: (mode: Int, filters: Int) { seccomp.withLock { ($0.mode.rawValue, $0.filters.count) } }

    /// A new task has the filters of the one that made it.
    func inheritSeccomp(from parent: Task) {
        let state = parent.seccomp.withLock { $0 }
        guard state.mode != .disabled else { return }
        setSeccomp(state)
    }

    /// Replaces the state; listeners count the tasks that can reach them.
    func setSeccomp(_ new: SeccompState) {
        let old = seccomp.withLock { s in
            let old = s
            s = new
            return old
        }
        for filter in new.filters.dropFirst(old.filters.count) { filter.listener?.retainUser() }
        setInterception(.seccomp, clearing: [])
    }

    /// The task ends: its listeners may have lost their last.
    func leaveSeccomp() {
        let old = seccomp.withLock { $0 }
        for filter in old.filters { filter.listener?.releaseUser() }
    }
}

extension CurrentTask {
    func leaveSeccomp() { task.leaveSeccomp() }

    /// SECCOMP_SET_MODE_STRICT. - Throws: EINVAL with filters.
    public func setStrictSeccomp() throws(Errno) {
        guard task.seccomp.withLock({ $0.mode }) != .filter else { throw .EINVAL }
        task.setSeccomp(SeccompState(mode: .strict, filters: []))
    }

    /// SECCOMP_SET_MODE_FILTER.
    /// - Returns: 0, or the ID of a thread that could not take over the filters (SECCOMP_FILTER_FLAG_TSYNC).
    /// - Throws: EINVAL in strict mode, EBUSY for a second listener, ENOMEM for too many instructions, ESRCH (TSYNC_ESRCH).
    public func install(_ filter: SeccompFilter, _ flags: SeccompFlags) throws(Errno) -> Int {
        // MAX_INSNS_PER_PATH.
        let maximumWeight = 32768
        return try threadGroup.signals.withLock { g throws(Errno) in
            var state = task.seccomp.withLock { $0 }
            guard state.mode != .strict else { throw .EINVAL }
            if filter.listener != nil, state.listener != nil { throw .EBUSY }
            guard state.weight + filter.program.weight <= maximumWeight else { throw .ENOMEM }
            let others = flags.contains(.synchronize) ? g.tasks.filter { $0 !== task && !$0.isExiting } : []
            for other in others {
                let its = other.seccomp.withLock { $0 }
                if its.mode == .disabled || (its.mode == .filter && its.isPrefix(of: state)) { continue }
                if flags.contains(.synchronizeOrFail) { throw .ESRCH }
                return Int(other.id)
            }
            state.mode = .filter
            state.filters.append(filter)
            task.setSeccomp(state)
            let restricted = task.credentials.noNewPrivileges
            for other in others {
                other.setSeccomp(state)
                if restricted { other.state.withLock { $0.credentials.noNewPrivileges = true } }
            }
            return 0
        }
    }

    /// Whether filters may be set without CAP_SYS_ADMIN. - Throws: EACCES.
    public func checkMayFilter() throws(Errno) {
        guard credentials.noNewPrivileges || credentials.has(.sysAdmin, in: credentials.userNamespace) else { throw .EACCES }
    }

    // MARK: PTRACE_SECCOMP_GET_FILTER and _METADATA

    /// The filter number `offset` of a tracee, the oldest first.
    /// - Throws: EACCES without CAP_SYS_ADMIN or with filters of one's own, EINVAL without filters, ENOENT.
    public func filter(of tracee: Task, _ offset: UInt64) throws(Errno) -> SeccompFilter {
        guard credentials.has(.sysAdmin), task.seccomp.withLock({ $0.mode }) == .disabled else { throw .EACCES }
        let state = tracee.seccomp.withLock { $0 }
        guard state.mode == .filter else { throw .EINVAL }
        guard offset < UInt64(state.filters.count) else { throw .ENOENT }
        return state.filters[Int(offset)]
    }
}
