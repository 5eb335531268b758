import HostOS
import Kernel
import LinuxABI
import Memory

/// futex_waitv(2) and the calls that take one futex2 operation each.
extension SystemCallFamilies {
    public static let futex2: [SystemCallEntry] = [
        .init(449, "futex_waitv", sysFutexWaitv),
        .init(454, "futex_wake", sysFutexWake),
        .init(455, "futex_wait", sysFutexWait2),
        .init(456, "futex_requeue", sysFutexRequeue),
    ]

    /// Only 32-bit words without NUMA nodes. - Throws: EINVAL.
    private static func checkFutex2(_ flags: UInt32) throws(Errno) {
        guard flags & ~Futex2Flags.valid == 0, flags & Futex2Flags.sizeMask == Futex2Flags.size32,
            flags & (Futex2Flags.numa | Futex2Flags.memoryPolicy) == 0
        else { throw .EINVAL }
    }
    private static func isShared(_ flags: UInt32) -> Bool { flags & Futex2Flags.private == 0 }

    /// An absolute time-out. - Throws: EINVAL, EFAULT.
    private static func deadline(_ current: CurrentTask, _ address: GuestAddress, clock: Int32) throws(Errno) -> FutexDeadline? {
        if address.isNull { return nil }
        guard clock == ClockID.realtime || clock == ClockID.monotonic else { throw .EINVAL }
        let time = try current.memory.load(Timespec.self, at: address)
        guard time.isValid else { throw .EINVAL }
        return FutexDeadline(
            ClockDeadline(clock == ClockID.realtime ? .realtime : .monotonic, nanoseconds: time.totalNanoseconds))
    }

    private static func requests(_ current: CurrentTask, _ address: GuestAddress, _ count: Int) throws(Errno) -> [FutexWaitVector] {
        let vectors = try current.memory.loadArray(FutexWaitVector.self, at: address, count: count)
        for vector in vectors {
            if vector.reserved != 0 { throw .EINVAL }
            try checkFutex2(vector.flags)
            if vector.value > UInt64(UInt32.max) { throw .EINVAL }
        }
        return vectors
    }

    @Sendable static func sysFutexWaitv(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let count = Int(a.uint(1))
        if a.uint(2) != 0 || count == 0 || count > FutexWaitVector.limit || a.address(0).isNull { throw .EINVAL }
        let deadline = try deadline(current, a.address(3), clock: a.int(4))
        var words: [FutexWaitRequest] = []
        for vector in try requests(current, a.address(0), count) {
            let key = try current.memory.futexKey(vector.address, shared: isShared(vector.flags))
            words.append(FutexWaitRequest(key: key, address: vector.address, value: UInt32(truncatingIfNeeded: vector.value)))
        }
        return try current.kernel.futexes.waitAny(current, words, deadline: deadline)
    }

    @Sendable static func sysFutexWake(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try checkFutex2(a.uint(3))
        if a[1] > UInt64(UInt32.max) { throw .EINVAL }
        let mask = UInt32(truncatingIfNeeded: a[1])
        if mask == 0 { throw .EINVAL }
        let key = try current.memory.futexKey(a.address(0), shared: isShared(a.uint(3)))
        let count = a.int(2)
        if count == 0 { return 0 }
        return try current.kernel.futexes.wakeChecked(key, count: max(1, Int(count)), bitset: mask)
    }

    @Sendable static func sysFutexWait2(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = a.uint(3)
        try checkFutex2(flags)
        if a[1] > UInt64(UInt32.max) || a[2] > UInt64(UInt32.max) { throw .EINVAL }
        let deadline = try deadline(current, a.address(4), clock: a.int(5))
        let mask = UInt32(truncatingIfNeeded: a[2])
        if mask == 0 { throw .EINVAL }
        let key = try current.memory.futexKey(a.address(0), shared: isShared(flags))
        try current.kernel.futexes.wait(
            current, key, address: a.address(0), value: UInt32(truncatingIfNeeded: a[1]), bitset: mask, deadline: deadline)
        return 0
    }

    @Sendable static func sysFutexRequeue(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.uint(1) != 0 || a.address(0).isNull { throw .EINVAL }
        let pair = try requests(current, a.address(0), 2)
        if a.int(2) < 0 || a.int(3) < 0 { throw .EINVAL }
        let key = try current.memory.futexKey(pair[0].address, shared: isShared(pair[0].flags))
        let target = try current.memory.futexKey(pair[1].address, shared: isShared(pair[1].flags))
        return try current.kernel.futexes.requeue(
            key, to: target, wakeCount: Int(a.int(2)), requeueCount: Int(a.int(3)),
            expecting: (current.memory, pair[0].address, UInt32(truncatingIfNeeded: pair[0].value)))
    }
}
