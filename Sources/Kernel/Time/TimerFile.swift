import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A timer that is read as a file: timerfd_create(2).
///
/// A periodic timer fires once and goes on when it is read, as in Linux: an unread file costs nothing.
public final class TimerFile: FileOperations {
    /// TFD_TIMER_ABSTIME and TFD_TIMER_CANCEL_ON_SET.
    public static let absolute: Int32 = 1
    public static let cancelOnSet: Int32 = 2

    private struct State: Sendable {
        var schedule = TimerSchedule()
        /// Expirations since the last read.
        var ticks: UInt64 = 0
        /// The first expiry since the last read or setting has come.
        var hasExpired = false
        var settingFlags: Int32 = 0
        var timer: TimerService.Timer?
    }
    /// As given to timerfd_create.
    public let clockID: Int32
    private let clock: HostClock
    private let service: TimerService
    private let state = Mutex(State())
    private let queue = WaitQueue()

    /// - Throws: EINVAL for a clock that timerfd does not know.
    public init(clockID: Int32, service: TimerService) throws(Errno) {
        self.clockID = clockID
        self.service = service
        switch clockID {
        case ClockID.realtime, ClockID.realtimeAlarm: clock = .realtime
        case ClockID.monotonic: clock = .monotonic
        case ClockID.boottime, ClockID.boottimeAlarm: clock = .boottime
        default: throw .EINVAL
        }
    }

    /// Whether arming it needs CAP_WAKE_ALARM.
    public var isAlarm: Bool { clockID == ClockID.realtimeAlarm || clockID == ClockID.boottimeAlarm }

    /// timerfd_settime(2). Returns the setting before.
    public func set(_ setting: Itimerspec, flags: Int32) -> Itimerspec {
        state.withLock { s in
            let now = clock.nanoseconds
            let old = report(&s, now)
            s.settingFlags = flags
            s.ticks = 0
            s.hasExpired = false
            s.schedule = TimerSchedule(setting, isAbsolute: flags & Self.absolute != 0, now: now)
            arm(&s)
            return old
        }
    }

    /// timerfd_gettime(2).
    public func get() -> Itimerspec {
        state.withLock { report(&$0, clock.nanoseconds) }
    }

    private func report(_ s: inout State, _ now: Int64) -> Itimerspec {
        if s.hasExpired && s.schedule.interval > 0 {
            s.hasExpired = false
            let steps = s.schedule.forward(past: now)
            s.ticks &+= steps > 0 ? steps &- 1 : 0
            arm(&s)
        }
        let left = s.hasExpired ? 0 : s.schedule.remaining(now)
        return Itimerspec(interval: Timespec(nanoseconds: s.schedule.interval), value: Timespec(nanoseconds: left))
    }

    private func arm(_ s: inout State) {
        guard let expiry = s.schedule.expiry, !s.hasExpired else {
            if let timer = s.timer { service.set(timer, nil) }
            return
        }
        let timer = s.timer ?? service.makeTimer { [weak self] in self?.expired() }
        s.timer = timer
        service.set(timer, ClockDeadline(clock, nanoseconds: expiry).instant)
    }

    private func expired() {
        let fires = state.withLock { s -> Bool in
            guard !s.hasExpired else { return false }
            guard s.schedule.isDue(clock.nanoseconds) else {
                arm(&s)
                return false
            }
            s.hasExpired = true
            s.ticks &+= 1
            return true
        }
        if fires { queue.notify(.allReadable) }
    }

    // MARK: FileOperations

    /// lseek(2) succeeds and does nothing (noop_llseek).
    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 { current }
    public var isPollable: Bool { true }
    public func readiness() -> PollEvents { state.withLock { $0.ticks > 0 } ? .allReadable : [] }
    public func addWaiter(_ entry: WaitEntry) { queue.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { queue.remove(entry) }

    /// Gives the number of expirations since the last read, 8 bytes. - Throws: EINVAL for less room, EAGAIN before the first.
    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        guard buffer.remaining >= 8 else { throw .EINVAL }
        let ticks = state.withLock { s -> UInt64 in
            guard s.ticks > 0 else { return 0 }
            if s.hasExpired && s.schedule.interval > 0 {
                let steps = s.schedule.forward(past: clock.nanoseconds)
                s.ticks &+= steps > 0 ? steps &- 1 : 0
                s.hasExpired = false
                arm(&s)
            } else if s.hasExpired {
                s.schedule.expiry = nil
            }
            s.hasExpired = false
            defer { s.ticks = 0 }
            return s.ticks
        }
        if ticks == 0 { throw .EAGAIN }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8)
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: ticks >> UInt64(shift * 8))) }
        return try buffer.put(bytes)
    }

    public var descriptionInfo: String {
        state.withLock { s in
            let left = s.hasExpired ? 0 : s.schedule.remaining(clock.nanoseconds)
            let value = Timespec(nanoseconds: left)
            let interval = Timespec(nanoseconds: s.schedule.interval)
            return """
                clockid: \(clockID)
                ticks: \(s.ticks)
                settime flags: 0\(String(s.settingFlags, radix: 8))
                it_value: (\(value.seconds), \(value.nanoseconds))
                it_interval: (\(interval.seconds), \(interval.nanoseconds))

                """
        }
    }

    public func released() {
        state.withLock { if let timer = $0.timer { service.set(timer, nil) } }
    }
}
