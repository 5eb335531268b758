import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A System V semaphore set: semget(2). Blocked operations wait in order of arrival; whoever changes values performs those that have
/// become possible on behalf of their callers.
public final class SemaphoreSet: Sendable {
    /// SEMVMX, SEMMSL, SEMOPM.
    public static let maximumValue = 32767
    public static let maximumCount = 32000
    public static let maximumOperations = 500

    struct Semaphore: Sendable {
        var value = 0
        var lastUser: Int32 = 0
    }
    /// A blocked semop.
    final class Pending: Sendable {
        enum Result: Int, Sendable { case waiting = 0, done, removed, outOfRange, wouldBlock }
        let operations: [SemaphoreOperation]
        let group: ThreadGroup
        let parker: HostParker
        private let word = Atomic<Int>(0)
        /// The operation that cannot proceed; guarded by the set's lock.
        let blocking: Atomic<Int>
        init(_ operations: [SemaphoreOperation], _ group: ThreadGroup, _ parker: HostParker, blocking: Int) {
            self.operations = operations
            self.group = group
            self.parker = parker
            self.blocking = Atomic(blocking)
        }
        var result: Result { Result(rawValue: word.load(ordering: .acquiring)) ?? .waiting }
        func finish(_ result: Result) {
            word.store(result.rawValue, ordering: .releasing)
            parker.wake()
        }
    }
    private enum Attempt {
        case done
        case blocks(Int)
        case fails(Pending.Result)
    }
    struct State: Sendable {
        var permission: IPCPermission
        var semaphores: [Semaphore]
        var operationTime: Int64 = 0
        var changeTime: Int64
        var pending: [Pending] = []
        /// SEM_UNDO adjustments by process.
        var adjustments: [ObjectIdentifier: [Int]] = [:]
        var isRemoved = false
    }
    public let id: Int32
    let state: Mutex<State>

    init(id: Int32, count: Int, permission: IPCPermission) {
        self.id = id
        state = Mutex(
            State(
                permission: permission, semaphores: Array(repeating: Semaphore(), count: count), changeTime: IPCRegistry.now))
    }

    /// semop(2), semtimedop(2).
    /// - Throws: EFBIG, EACCES, ERANGE, EAGAIN, EIDRM, EINTR.
    public func operate(_ current: CurrentTask, _ operations: [SemaphoreOperation], deadline: MonotonicInstant?) throws(Errno) {
        let group = current.threadGroup
        let waiter = try state.withLock { s throws(Errno) -> Pending? in
            if s.isRemoved { throw .EIDRM }
            if operations.contains(where: { Int($0.number) >= s.semaphores.count }) { throw .EFBIG }
            let alters = operations.contains { $0.change != 0 }
            try s.permission.check(alters ? 0o222 : 0o444, current.credentials)
            switch Self.attempt(&s, operations, group) {
            case .done:
                Self.update(&s)
                return nil
            case .fails: throw .ERANGE
            case .blocks(let index):
                if operations[index].isNonBlocking { throw .EAGAIN }
                let pending = Pending(operations, group, current.parker, blocking: index)
                s.pending.append(pending)
                return pending
            }
        }
        guard let waiter else { return }
        while waiter.result == .waiting {
            do throws(Errno) {
                try current.park(until: deadline)
            } catch {
                let wasQueued = state.withLock { s -> Bool in
                    guard let index = s.pending.firstIndex(where: { $0 === waiter }) else { return false }
                    s.pending.remove(at: index)
                    return true
                }
                // semop never starts again by itself (signal(7)).
                if wasQueued { throw error == .ETIMEDOUT ? .EAGAIN : .EINTR }
            }
        }
        switch waiter.result {
        case .removed: throw .EIDRM
        case .outOfRange: throw .ERANGE
        case .wouldBlock: throw .EAGAIN
        case .done, .waiting: return
        }
    }

    /// All operations, or none.
    private static func attempt(_ s: inout State, _ operations: [SemaphoreOperation], _ group: ThreadGroup) -> Attempt {
        let before = s.semaphores
        let key = ObjectIdentifier(group)
        var adjustments = s.adjustments[key]
        for (index, operation) in operations.enumerated() {
            let number = Int(operation.number)
            let change = Int(operation.change)
            let value = before.indices.contains(number) ? s.semaphores[number].value : 0
            if change == 0 && value != 0 || value + change < 0 {
                s.semaphores = before
                return .blocks(index)
            }
            if value + change > maximumValue {
                s.semaphores = before
                return .fails(.outOfRange)
            }
            if operation.undoes && change != 0 {
                var list = adjustments ?? Array(repeating: 0, count: before.count)
                let undo = list[number] - change
                if undo < -maximumValue - 1 || undo > maximumValue {
                    s.semaphores = before
                    return .fails(.outOfRange)
                }
                list[number] = undo
                adjustments = list
            }
            s.semaphores[number].value = value + change
        }
        for operation in operations { s.semaphores[Int(operation.number)].lastUser = group.id }
        s.adjustments[key] = adjustments
        s.operationTime = IPCRegistry.now
        return .done
    }

    /// Performs pending operations that have become possible, until none is.
    private static func update(_ s: inout State) {
        var progress = true
        while progress {
            progress = false
            var index = 0
            while index < s.pending.count {
                let pending = s.pending[index]
                switch attempt(&s, pending.operations, pending.group) {
                case .done:
                    s.pending.remove(at: index)
                    pending.finish(.done)
                    progress = true
                case .fails(let result):
                    s.pending.remove(at: index)
                    pending.finish(result)
                case .blocks(let operation):
                    if pending.operations[operation].isNonBlocking {
                        // Another of its operations blocks now, and that one must not wait.
                        s.pending.remove(at: index)
                        pending.finish(.wouldBlock)
                    } else {
                        pending.blocking.store(operation, ordering: .relaxed)
                        index += 1
                    }
                }
            }
        }
    }

    // MARK: semctl(2)

    /// - Throws: EIDRM.
    private func with<R: Sendable>(_ body: (inout State) throws(Errno) -> R) throws(Errno) -> R {
        try state.withLock { s throws(Errno) in
            if s.isRemoved { throw .EIDRM }
            return try body(&s)
        }
    }

    public func remove(_ c: Credentials) throws(Errno) {
        try with { s throws(Errno) in
            try s.permission.checkOwner(c)
            s.isRemoved = true
            for pending in s.pending { pending.finish(.removed) }
            s.pending = []
        }
    }
    public func change(_ new: IPCPermissionData, _ c: Credentials) throws(Errno) {
        try with { s throws(Errno) in
            try s.permission.checkOwner(c)
            try s.permission.change(new, c)
            s.changeTime = IPCRegistry.now
        }
    }
    public func status(_ c: Credentials, checking: Bool = true) throws(Errno) -> SemaphoreSetData {
        try with { s throws(Errno) in
            if checking { try s.permission.check(0o444, c) }
            var data = SemaphoreSetData()
            data.permission = s.permission.data(id: id, for: c)
            data.operationTime = s.operationTime
            data.changeTime = s.changeTime
            data.count = UInt64(s.semaphores.count)
            return data
        }
    }
    /// GETVAL, GETPID, GETNCNT, GETZCNT.
    public enum Query: Sendable { case value, lastUser, waitingForIncrease, waitingForZero }
    public func query(_ what: Query, _ number: Int32, _ c: Credentials) throws(Errno) -> Int {
        try with { s throws(Errno) in
            try s.permission.check(0o444, c)
            guard number >= 0, Int(number) < s.semaphores.count else { throw .EINVAL }
            let semaphore = s.semaphores[Int(number)]
            switch what {
            case .value: return semaphore.value
            case .lastUser: return Int(semaphore.lastUser)
            case .waitingForIncrease, .waitingForZero:
                return s.pending.count { pending in
                    let operation = pending.operations[pending.blocking.load(ordering: .relaxed)]
                    return Int32(operation.number) == number && (operation.change == 0) == (what == .waitingForZero)
                }
            }
        }
    }
    public func values(_ c: Credentials) throws(Errno) -> [UInt16] {
        try with { s throws(Errno) in
            try s.permission.check(0o444, c)
            return s.semaphores.map { UInt16(clamping: $0.value) }
        }
    }
    public var count: Int { state.withLock { $0.semaphores.count } }

    public func setValue(_ number: Int32, _ value: Int32, _ current: CurrentTask) throws(Errno) {
        if value < 0 || value > Int32(Self.maximumValue) { throw .ERANGE }
        try with { s throws(Errno) in
            guard number >= 0, Int(number) < s.semaphores.count else { throw .EINVAL }
            try s.permission.check(0o222, current.credentials)
            s.semaphores[Int(number)] = Semaphore(value: Int(value), lastUser: current.threadGroup.id)
            for key in s.adjustments.keys { s.adjustments[key]?[Int(number)] = 0 }
            s.changeTime = IPCRegistry.now
            Self.update(&s)
        }
    }
    public func checkAlter(_ c: Credentials) throws(Errno) { try with { s throws(Errno) in try s.permission.check(0o222, c) } }
    public func setValues(_ values: [UInt16], _ current: CurrentTask) throws(Errno) {
        if values.contains(where: { Int($0) > Self.maximumValue }) { throw .ERANGE }
        try with { s throws(Errno) in
            try s.permission.check(0o222, current.credentials)
            for (index, value) in values.enumerated() where index < s.semaphores.count {
                s.semaphores[index] = Semaphore(value: Int(value), lastUser: current.threadGroup.id)
            }
            s.adjustments = [:]
            s.changeTime = IPCRegistry.now
            Self.update(&s)
        }
    }

    /// A process ended: applies its adjustments, as far as values allow.
    func undo(for group: ThreadGroup) {
        state.withLock { s in
            guard !s.isRemoved, let list = s.adjustments.removeValue(forKey: ObjectIdentifier(group)) else { return }
            for (index, adjustment) in list.enumerated() where adjustment != 0 {
                s.semaphores[index].value = max(0, min(Self.maximumValue, s.semaphores[index].value + adjustment))
                s.semaphores[index].lastUser = group.id
            }
            s.operationTime = IPCRegistry.now
            Self.update(&s)
        }
    }
}

extension IPCNamespace {
    /// SEMMNI.
    public static let maximumSemaphoreSets = 32000

    /// semget(2).
    public func semaphoreSet(key: Int32, count: Int32, flags: Int32, for current: CurrentTask) throws(Errno) -> Int32 {
        if count < 0 || Int(count) > SemaphoreSet.maximumCount { throw .EINVAL }
        let credentials = current.credentials
        if count == 0 {
            let exists = semaphores.withLock { $0.id(forKey: key) != nil }
            if !exists && (key == IPCFlags.privateKey || flags & IPCFlags.create != 0) { throw .EINVAL }
        }
        return try get(
            semaphores, key: key, flags: flags, limit: Self.maximumSemaphoreSets,
            check: { found throws(Errno) in
                if Int(count) > found.count { throw .EINVAL }
                try found.state.withLock { $0.permission }.check(flags, credentials)
            },
            make: { SemaphoreSet(id: $0, count: Int(count), permission: IPCPermission(key: key, mode: flags, credentials, in: self)) })
    }
    /// - Throws: EINVAL.
    public func semaphoreSet(_ id: Int32) throws(Errno) -> SemaphoreSet {
        guard id >= 0, let found = semaphores.withLock({ $0.object(id) }) else { throw .EINVAL }
        return found
    }
    public func semaphoreSet(inSlot slot: Int32) throws(Errno) -> SemaphoreSet {
        guard let id = semaphores.withLock({ $0.id(inSlot: slot) }) else { throw .EINVAL }
        return try semaphoreSet(id)
    }
    public func remove(_ set: SemaphoreSet, for current: CurrentTask) throws(Errno) {
        try set.remove(current.credentials)
        let key = set.state.withLock { $0.permission.key }
        semaphores.withLock { $0.remove(set.id, key: key) }
    }
    /// Sets and semaphores in use, and the highest slot: SEM_INFO.
    public func semaphoreUsage() -> (sets: Int, semaphores: Int, highest: Int32) {
        let (sets, highest) = semaphores.withLock { (Array($0.objects.values), $0.highestSlot) }
        return (sets.count, sets.reduce(0) { $0 + $1.count }, highest)
    }
}
