import LinuxABI
import Synchronization
import VirtualFileSystem

/// A pid namespace: pid_namespaces(7). The initial one's numbers are in `ProcessTable`; an inner one maps its numbers to those.
public final class PIDNamespace: Namespace {
    /// MAX_PID_NS_LEVEL.
    private static let maximumLevel = 32

    public let parent: PIDNamespace?
    public let level: Int
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?
    /// Fires when a number of a closed namespace is given back: its init waits for that.
    let released = WaitQueue()

    struct State: Sendable {
        var lastID: Int32 = 0
        /// To numbers in the initial namespace.
        var globals: [Int32: Int32] = [:]
        /// The ID of init, 0 before the first process and after init's end.
        var initID: Int32 = 0
        /// Init has ended: no more tasks.
        var isClosed = false
    }
    /// Changed with the tree lock held; a leaf.
    let state = Mutex(State())

    /// The initial one.
    init() {
        parent = nil
        level = 0
        number = NamespaceKind.pid.initialNumber
        owner = .initial
        charge = nil
        state.withLock { $0.initID = 1 }
    }
    /// - Throws: ENOSPC, EINVAL when `owner` does not lie in the user namespace of `parent`.
    init(in parent: PIDNamespace, owner: UserNamespace, by uid: UInt32) throws(Errno) {
        guard owner.isWithin(parent.owner) else { throw .EINVAL }
        guard parent.level < Self.maximumLevel else { throw .ENOSPC }
        charge = try NamespaceCharge(.pid, in: owner, by: uid)
        self.parent = parent
        self.owner = owner
        level = parent.level + 1
        number = NamespaceKind.nextNumber()
    }

    public var kind: NamespaceKind { .pid }
    public var outer: (any Namespace)? { parent }

    /// The namespace at `level` on the way up; `self` for the own level.
    func ancestor(_ level: Int) -> PIDNamespace {
        var current = self
        while current.level > level, let parent = current.parent { current = parent }
        return current
    }
    public func isWithin(_ other: PIDNamespace) -> Bool { level >= other.level && ancestor(other.level) === other }

    /// The ID of what has `number` here.
    public func global(_ number: Int32) -> Int32? { level == 0 ? number : state.withLock { $0.globals[number] } }
    /// The number given last: field 5 of /proc/loadavg, kernel.ns_last_pid.
    public var lastID: Int32 { state.withLock { $0.lastID } }

    // MARK: numbers; tree lock held

    /// The lowest free number after the last one given, or `wanted`. - Throws: EAGAIN, ENOMEM, EEXIST, EINVAL.
    func take(_ wanted: Int32?, for global: Int32) throws(Errno) -> Int32 {
        try state.withLock { s throws(Errno) in
            if s.isClosed { throw .ENOMEM }
            if let wanted {
                // The first process of a namespace is its init, number 1.
                if wanted != 1 && s.initID == 0 { throw .EINVAL }
                guard s.globals[wanted] == nil else { throw .EEXIST }
                s.globals[wanted] = global
                return wanted
            }
            for _ in 0..<ProcessTable.maximum {
                s.lastID = s.lastID >= ProcessTable.maximum - 1 ? (s.globals.count > 300 ? 301 : 2) : s.lastID + 1
                if s.globals[s.lastID] == nil {
                    s.globals[s.lastID] = global
                    return s.lastID
                }
            }
            throw .EAGAIN
        }
    }
    func release(_ number: Int32) {
        let isClosed = state.withLock { s in
            s.globals[number] = nil
            return s.isClosed
        }
        if isClosed { released.notify(.everything) }
    }
}

extension ProcessTable.Tree {
    /// Numbers for a new task in `namespace` and all above it. `wanted`: the caller's choice, innermost first (set_tid of clone3(2)).
    /// - Throws: EAGAIN, ENOMEM (init has ended), EEXIST, EINVAL.
    mutating func allocate(in namespace: PIDNamespace, wanted: [Int32]) throws(Errno) -> ProcessNumbers {
        if namespace.level == 0 {
            let global = wanted.isEmpty ? try allocate() : try allocate(wanted[0])
            return ProcessNumbers(global: global, namespace: namespace, inner: [])
        }
        let choice = namespace.level < wanted.count ? wanted[namespace.level] : nil
        let global: Int32
        if let choice { global = try allocate(choice) } else { global = try allocate() }
        var inner: [Int32] = []
        do throws(Errno) {
            for level in stride(from: namespace.level, to: 0, by: -1) {
                let index = namespace.level - level
                inner.insert(try namespace.ancestor(level).take(index < wanted.count ? wanted[index] : nil, for: global), at: 0)
            }
        } catch {
            for (offset, number) in inner.reversed().enumerated() { namespace.ancestor(namespace.level - offset).release(number) }
            reserved.remove(global)
            throw error
        }
        return ProcessNumbers(global: global, namespace: namespace, inner: inner)
    }

    /// Gives numbers back that no task, group or session has any more.
    mutating func release(_ numbers: ProcessNumbers) {
        if numbers.namespace.level == 0 { return }
        guard isFree(numbers.global) else { return }
        for level in 1...numbers.namespace.level { numbers.namespace.ancestor(level).release(numbers.inner[level - 1]) }
    }
    /// The task that was to have them was not made.
    mutating func abandon(_ numbers: ProcessNumbers) {
        reserved.remove(numbers.global)
        release(numbers)
    }

    /// Init of a pid namespace; nil before its first process and after its end.
    func initGroup(of namespace: PIDNamespace) -> ThreadGroup? {
        let id = namespace.level == 0 ? 1 : namespace.state.withLock { $0.initID }
        return id == 0 ? nil : tasks[id]?.threadGroup
    }
}

extension ProcessTable {
    /// Init of a pid namespace.
    public func initGroup(of namespace: PIDNamespace) -> ThreadGroup? { withTree { $0.initGroup(of: namespace) } }
}
