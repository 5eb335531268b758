import HostOS
import Synchronization
import Testing

@testable import Kernel

/// Collects what fired, in order, and lets a test wait for a count.
private final class Log: Sendable {
    private let fired = Mutex<[Int]>([])
    private let parker = HostParker()

    func note(_ number: Int) {
        fired.withLock { $0.append(number) }
        parker.wake()
    }
    var numbers: [Int] { fired.withLock { $0 } }
    /// What fired once there are `count`, or after five seconds.
    func wait(for count: Int) -> [Int] {
        let limit = MonotonicInstant.after(nanoseconds: 5_000_000_000)
        while numbers.count < count && MonotonicInstant.now < limit { parker.park(until: limit) }
        return numbers
    }
}

@Suite struct TimerServiceTests {
    @Test func timersFireInOrderOfDeadline() {
        let service = TimerService()
        let log = Log()
        let start = MonotonicInstant.now.nanoseconds
        let timers = (0..<8).map { number in service.makeTimer { log.note(number) } }
        for (number, timer) in timers.enumerated() {
            // 7, 6, … 0 in time.
            service.set(timer, MonotonicInstant(nanoseconds: start + 20_000_000 + Int64(8 - number) * 1_000_000))
        }
        #expect(log.wait(for: 8) == [7, 6, 5, 4, 3, 2, 1, 0])
    }

    @Test func anEarlierTimerWakesTheThreadFromALongerSleep() {
        let service = TimerService()
        let log = Log()
        let late = service.makeTimer { log.note(1) }
        let early = service.makeTimer { log.note(0) }
        service.set(late, .after(nanoseconds: 3_600_000_000_000))
        service.set(early, .after(nanoseconds: 5_000_000))
        #expect(log.wait(for: 1) == [0])
        service.set(late, nil)
    }

    @Test func aDisarmedTimerStaysSilentAndAnArmedOneMoves() {
        let service = TimerService()
        let log = Log()
        let gone = service.makeTimer { log.note(0) }
        let moved = service.makeTimer { log.note(1) }
        let last = service.makeTimer { log.note(2) }
        service.set(gone, .after(nanoseconds: 20_000_000))
        service.set(moved, .after(nanoseconds: 3_600_000_000_000))
        service.set(moved, .after(nanoseconds: 30_000_000))
        service.set(last, .after(nanoseconds: 40_000_000))
        service.set(gone, nil)
        #expect(log.wait(for: 2) == [1, 2])
    }

    @Test func noThreadRunsBeforeTheFirstTimer() {
        let service = TimerService()
        let timer = service.makeTimer {}
        #expect(!service.isRunning)
        service.set(timer, nil)
        #expect(!service.isRunning)
    }
}

@Suite struct TimerScheduleTests {
    @Test func forwardingCountsWholeIntervals() {
        var schedule = TimerSchedule(expiry: 100, interval: 10)
        #expect(schedule.forward(past: 99) == 0)
        #expect(schedule.forward(past: 100) == 1)
        #expect(schedule.expiry == 110)
        #expect(schedule.forward(past: 145) == 4)
        #expect(schedule.expiry == 150)
    }
    @Test func hugeIntervalsSaturate() {
        var schedule = TimerSchedule(expiry: 100, interval: .max)
        #expect(schedule.forward(past: 200) == 1)
        #expect(schedule.expiry == .max)
        #expect(schedule.remaining(0) == .max)
    }
    @Test func aSingleShotHasNothingLeftAfterItsTime() {
        let schedule = TimerSchedule(expiry: 100, interval: 0)
        #expect(schedule.remaining(40) == 60)
        #expect(schedule.remaining(400) == 0)
    }
}
