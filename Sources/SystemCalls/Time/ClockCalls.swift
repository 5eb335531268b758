import HostOS
import Kernel
import LinuxABI

/// Reading and setting clocks. Clocks are the host's, which a sandbox may not set.
extension SystemCallFamilies {
    public static let clocks: [SystemCallEntry] = [
        .init(96, "gettimeofday", sysGettimeofday),
        .init(159, "adjtimex", sysAdjtimex),
        .init(164, "settimeofday", sysSettimeofday),
        .init(201, "time", sysTime),
        .init(227, "clock_settime", sysClockSettime),
        .init(228, "clock_gettime", sysClockGettime),
        .init(229, "clock_getres", sysClockGetres),
        .init(305, "clock_adjtime", sysClockAdjtime),
    ]

    @Sendable static func sysClockGettime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let value: Timespec
        switch try Clock(a.int(0)) {
        case .host(let clock), .alarm(let clock): value = clock.timespec
        case .processor(let id, let perThread, let kind, _):
            let clock = try ProcessorClock(id: id, perThread: perThread, kind: kind, current: current, isReading: true)
            value = Timespec(nanoseconds: clock.nanoseconds)
        }
        try current.memory.store(value, at: a.address(1))
        return 0
    }

    @Sendable static func sysClockGetres(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let clock = try Clock(a.int(0))
        if case .processor(let id, let perThread, let kind, _) = clock {
            _ = try ProcessorClock(id: id, perThread: perThread, kind: kind, current: current, isReading: false)
        }
        if !a.address(1).isNull { try current.memory.store(clock.resolution, at: a.address(1)) }
        return 0
    }

    @Sendable static func sysClockSettime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let clock = try Clock(a.int(0))
        let isWallClock = clock == .host(.realtime)
        // Only CLOCK_REALTIME and CPU clocks of some process have a setter at all.
        if !isWallClock {
            guard case .processor(_, _, _, isFixed: false) = clock else { throw .EINVAL }
        }
        let value = try current.memory.load(Timespec.self, at: a.address(1))
        if case .processor(let id, let perThread, let kind, _) = clock {
            _ = try ProcessorClock(id: id, perThread: perThread, kind: kind, current: current, isReading: false)
        } else {
            guard value.isValid else { throw .EINVAL }
        }
        throw .EPERM
    }

    @Sendable static func sysGettimeofday(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if !a.address(0).isNull {
            let now = HostClock.realtime.timespec
            try current.memory.store(Timeval(seconds: now.seconds, microseconds: now.nanoseconds / 1000), at: a.address(0))
        }
        if !a.address(1).isNull { try current.memory.store(Timezone(), at: a.address(1)) }
        return 0
    }

    @Sendable static func sysSettimeofday(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if !a.address(0).isNull {
            let value = try current.memory.load(Timeval.self, at: a.address(0))
            guard value.microseconds >= 0 && value.microseconds < 1_000_000 else { throw .EINVAL }
            guard value.seconds >= 0 else { throw .EINVAL }
        }
        if !a.address(1).isNull { _ = try current.memory.load(Timezone.self, at: a.address(1)) }
        throw .EPERM
    }

    @Sendable static func sysTime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let now = HostClock.realtimeCoarse.timespec.seconds
        if !a.address(0).isNull { try current.memory.store(now, at: a.address(0)) }
        return Int(now)
    }

    @Sendable static func sysAdjtimex(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try adjust(current, ClockID.realtime, a.address(0))
    }
    @Sendable static func sysClockAdjtime(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let id = a.int(0)
        // The state is copied in before the clock is looked at.
        _ = try current.memory.load(Timex.self, at: a.address(1))
        guard try Clock(id) == .host(.realtime) else { throw .EOPNOTSUPP }
        return try adjust(current, id, a.address(1))
    }

    /// Reading the discipline is allowed, changing it is not. - Throws: EPERM, EINVAL, EFAULT.
    private static func adjust(_ current: CurrentTask, _ clock: Int32, _ address: GuestAddress) throws(Errno) -> Int {
        var value = try current.memory.load(Timex.self, at: address)
        if value.modes & Timex.ADJ_ADJTIME != 0 {
            if value.modes & Timex.ADJ_OFFSET_SINGLESHOT == 0 { throw .EINVAL }
            if value.modes & Timex.ADJ_OFFSET_READONLY == 0 { throw .EPERM }
        } else if value.modes != 0 {
            throw .EPERM
        }
        let state = try HostSystem.readClockDiscipline(clock, &value)
        try current.memory.store(value, at: address)
        return Int(state)
    }
}
