import HostOS
import Kernel
import LinuxABI
import Memory

/// futex(2) and robust lists.
extension SystemCallFamilies {
    public static let futexes: [SystemCallEntry] = [
        .init(202, "futex", sysFutex),
        .init(273, "set_robust_list", sysSetRobustList),
        .init(274, "get_robust_list", sysGetRobustList),
    ]

    @Sendable static func sysFutex(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let operation = a.int(1)
        let command = operation & FutexOperation.commandMask
        let isShared = operation & FutexOperation.privateFlag == 0
        let usesRealtime = operation & FutexOperation.clockRealtime != 0
        let address = a.address(0)
        let value = a.uint(2)
        let kernel = current.kernel

        var deadline: FutexDeadline?
        switch command {
        case FutexOperation.wait, FutexOperation.lockPI, FutexOperation.lockPI2, FutexOperation.waitBitset,
            FutexOperation.waitRequeuePI:
            if !a.address(3).isNull {
                let time = try current.memory.load(Timespec.self, at: a.address(3))
                guard time.isValid else { throw .EINVAL }
                let nanoseconds = time.totalNanoseconds
                if command == FutexOperation.wait {
                    deadline = FutexDeadline(ClockDeadline(after: nanoseconds))
                } else {
                    let isWallClock = usesRealtime || command == FutexOperation.lockPI
                    deadline = FutexDeadline(ClockDeadline(isWallClock ? .realtime : .monotonic, nanoseconds: nanoseconds))
                }
            }
        default: break
        }
        if usesRealtime {
            switch command {
            case FutexOperation.waitBitset, FutexOperation.waitRequeuePI, FutexOperation.lockPI2: break
            default: throw .ENOSYS
            }
        }

        switch command {
        case FutexOperation.wake:
            return try kernel.futexes.wakeChecked(
                try current.memory.futexKey(address, shared: isShared), count: wakeCount(value), bitset: FutexWord.matchAny)
        case FutexOperation.wait:
            try futexWait(current, address, value, FutexWord.matchAny, isShared, deadline)
        case FutexOperation.waitBitset:
            try futexWait(current, address, value, a.uint(5), isShared, deadline)
        case FutexOperation.wakeBitset:
            if a.uint(5) == 0 { throw .EINVAL }
            return try kernel.futexes.wakeChecked(
                try current.memory.futexKey(address, shared: isShared), count: wakeCount(value), bitset: a.uint(5))
        case FutexOperation.requeue, FutexOperation.compareRequeue:
            let (wakes, moves) = (a.int(2), a.int(3))
            if wakes < 0 || moves < 0 { throw .EINVAL }
            let key = try current.memory.futexKey(address, shared: isShared)
            let target = try current.memory.futexKey(a.address(4), shared: isShared)
            return try kernel.futexes.requeue(
                key, to: target, wakeCount: Int(wakes), requeueCount: Int(moves),
                expecting: command == FutexOperation.compareRequeue ? (current.memory, address, a.uint(5)) : nil)
        case FutexOperation.wakeOp:
            let key = try current.memory.futexKey(address, shared: isShared)
            let key2 = try current.memory.futexKey(a.address(4), shared: isShared)
            return try kernel.futexes.wakeOp(
                key, key2, memory: current.memory, address2: a.address(4), count: wakeCount(value), count2: wakeCount(a.uint(3)),
                operation: FutexWakeOperation(encoded: a.uint(5)))
        default:
            return try lockOperation(current, command, address, isShared, deadline, a)
        }
        return 0
    }

    /// The priority-inheritance commands.
    private static func lockOperation(
        _ current: CurrentTask, _ command: Int32, _ address: GuestAddress, _ isShared: Bool, _ deadline: FutexDeadline?,
        _ a: SystemCallArguments
    ) throws(Errno) -> Int {
        let futexes = current.kernel.futexes
        switch command {
        case FutexOperation.lockPI, FutexOperation.lockPI2, FutexOperation.tryLockPI:
            let key = try current.memory.futexKey(address, shared: isShared)
            try futexes.lock(
                current, key, address: address, deadline: deadline, isTry: command == FutexOperation.tryLockPI)
        case FutexOperation.unlockPI:
            try futexes.unlock(current, address, shared: isShared)
        case FutexOperation.waitRequeuePI:
            if address == a.address(4) { throw .EINVAL }
            let lockKey = try current.memory.futexKey(a.address(4), shared: isShared)
            let key = try current.memory.futexKey(address, shared: isShared)
            try futexes.waitRequeue(
                current, key, address: address, value: a.uint(2), lockKey: lockKey, lockAddress: a.address(4),
                bitset: FutexWord.matchAny, deadline: deadline)
        case FutexOperation.compareRequeuePI:
            if address == a.address(4) || a.int(2) != 1 || a.int(3) < 0 { throw .EINVAL }
            let key = try current.memory.futexKey(address, shared: isShared)
            let lockKey = try current.memory.futexKey(a.address(4), shared: isShared)
            return try futexes.requeueToLock(
                current, key, address: address, value: a.uint(5), lockKey: lockKey, lockAddress: a.address(4),
                requeueCount: Int(a.int(3)))
        default: throw .ENOSYS
        }
        return 0
    }

    /// Linux wakes one waiter even for a count of zero or less.
    private static func wakeCount(_ value: UInt32) -> Int { max(1, Int(Int32(bitPattern: value))) }

    private static func futexWait(
        _ current: CurrentTask, _ address: GuestAddress, _ value: UInt32, _ bitset: UInt32, _ isShared: Bool, _ deadline: FutexDeadline?
    ) throws(Errno) {
        if bitset == 0 { throw .EINVAL }
        let key = try current.memory.futexKey(address, shared: isShared)
        do throws(Errno) {
            try current.kernel.futexes.wait(current, key, address: address, value: value, bitset: bitset, deadline: deadline)
        } catch {
            guard error == .ERESTARTSYS, let deadline else { throw error }
            current.restartBlock = .futexWait(
                address: address, value: value, deadline: deadline.time.instant, bitset: bitset, shared: isShared)
            throw .ERESTART_RESTARTBLOCK
        }
    }

    /// restart_syscall(2) of an interrupted FUTEX_WAIT with a time-out.
    public static func restartFutexWait(
        _ current: CurrentTask, address: GuestAddress, value: UInt32, deadline: MonotonicInstant, bitset: UInt32, shared: Bool
    ) throws(Errno) -> Int {
        try futexWait(
            current, address, value, bitset, shared,
            FutexDeadline(ClockDeadline(.monotonic, nanoseconds: deadline.nanoseconds)))
        return 0
    }

    // MARK: robust lists

    /// sizeof(struct robust_list_head).
    private static let robustHeadSize: UInt64 = 24

    @Sendable static func sysSetRobustList(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a[1] == robustHeadSize else { throw .EINVAL }
        current.task.robustList = a.address(0)
        return 0
    }

    @Sendable static func sysGetRobustList(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var task = current.task
        if a.int(0) != 0 {
            guard let other = current.findTask(a.int(0)) else { throw .ESRCH }
            task = other
        }
        if task !== current.task && !current.mayInspect(task) { throw .EPERM }
        try current.memory.store(robustHeadSize, at: a.address(2))
        try current.memory.store(task.robustList, at: a.address(1))
        return 0
    }
}
