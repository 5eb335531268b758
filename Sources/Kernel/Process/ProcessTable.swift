import LinuxABI
import Synchronization

/// All tasks, thread groups, process groups and sessions by number: the sandbox's pid namespace. Its lock is the process-tree lock,
/// the outermost of the kernel's (see README.md).
public final class ProcessTable: Sendable {
    struct Tree: Sendable {
        var tasks: [Int32: Task] = [:]
        var processGroups: [Int32: ProcessGroup] = [:]
        var sessions: [Int32: Session] = [:]
        var lastID: Int32 = 0
        /// Set when init ends: no more tasks.
        var isClosed = false
        /// Numbers handed out whose task is not in `tasks` yet.
        var reserved: Set<Int32> = []
        /// As many tasks as there may be.
        var limit = Int.max

        /// The lowest free number after the last one given, as Linux's cyclic allocation.
        /// - Throws: EAGAIN when all are taken, ENOMEM when init has ended (as alloc_pid does).
        mutating func allocate() throws(Errno) -> Int32 {
            if isClosed { throw .ENOMEM }
            if tasks.count + reserved.count >= limit { throw .EAGAIN }
            for _ in 0..<ProcessTable.maximum {
                lastID = lastID >= ProcessTable.maximum - 1 ? (tasks.count > 300 ? 301 : 2) : lastID + 1
                if isFree(lastID) {
                    reserved.insert(lastID)
                    return lastID
                }
            }
            throw .EAGAIN
        }
        /// A number of the caller's choice. - Throws: EEXIST when it is taken, ENOMEM when init has ended.
        mutating func allocate(_ id: Int32) throws(Errno) -> Int32 {
            if isClosed { throw .ENOMEM }
            if tasks.count + reserved.count >= limit { throw .EAGAIN }
            guard isFree(id) else { throw .EEXIST }
            reserved.insert(id)
            return id
        }
        func isFree(_ id: Int32) -> Bool {
            tasks[id] == nil && processGroups[id] == nil && sessions[id] == nil && !reserved.contains(id)
        }
        mutating func insert(_ task: Task) {
            reserved.remove(task.id)
            tasks[task.id] = task
        }
    }
    /// kernel.pid_max.
    public static let maximum: Int32 = 32768
    let tree = Mutex(Tree())

    public init() {}

    func withTree<R: Sendable, E: Error>(_ body: (inout Tree) throws(E) -> R) throws(E) -> R {
        try tree.withLock { t throws(E) in try body(&t) }
    }

    public func task(_ id: Int32) -> Task? { tree.withLock { $0.tasks[id] } }
    /// The thread group whose ID is `id`; zombies included.
    public func threadGroup(_ id: Int32) -> ThreadGroup? {
        tree.withLock { t in
            guard let group = t.tasks[id]?.threadGroup, group.id == id else { return nil }
            return group
        }
    }
    public func processGroup(_ id: Int32) -> ProcessGroup? { tree.withLock { $0.processGroups[id] } }
    public func session(_ id: Int32) -> Session? { tree.withLock { $0.sessions[id] } }
    /// In order of ID.
    public var threadGroups: [ThreadGroup] {
        tree.withLock { t in t.tasks.values.filter { $0.id == $0.threadGroup.id }.map(\.threadGroup) }.sorted { $0.id < $1.id }
    }
    public var taskCount: Int { tree.withLock { $0.tasks.count } }
    /// The number given last: field 5 of /proc/loadavg.
    public var lastID: Int32 { tree.withLock { $0.lastID } }
}
