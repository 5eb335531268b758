import CHost
import HostOS
import LinuxABI
import Synchronization

/// Sends kicks, and ends stub processes that do not answer theirs: a guest can block the signal by returning from a forged frame, and would
/// then run for ever.
///
/// Every guest thread has one mark, for its last kick that may be unanswered. A thread of its own looks at the marks once a second, and ends
/// when there is none: a kick itself takes no lock that another guest thread's kick takes.
final class KickWatch: Sendable {
    /// How long a thread that runs guest code may take to answer.
    private static let patience: Int64 = 10_000_000_000
    private static let interval: Int64 = 1_000_000_000

    private let interrupters = Mutex<[ObjectIdentifier: Interrupter]>([:])
    private let isWatching = Atomic<Bool>(false)
    private let parker = HostParker()

    func interrupter(process: StubProcess, thread: Int32) -> Interrupter {
        let interrupter = Interrupter(self, process: process, thread: thread)
        interrupters.withLock { $0[ObjectIdentifier(interrupter)] = interrupter }
        return interrupter
    }

    /// Kicks one guest thread. Any thread may use it, also after the guest thread is gone.
    final class Interrupter: PlatformInterrupter {
        private let watch: KickWatch
        private let process: StubProcess
        /// 0 once the thread serves somebody else.
        private let thread: Mutex<Int32>
        /// Odd while guest code runs; counts the runs.
        private let run = Atomic<UInt64>(0)
        /// `run` as it was when the last kick was sent; `noMark` for none.
        private let mark = Atomic<UInt64>(Interrupter.noMark)
        /// When the mark was set: nanoseconds of the monotonic clock.
        private let markTime = Atomic<Int64>(0)
        private static let noMark = UInt64.max

        init(_ watch: KickWatch, process: StubProcess, thread: Int32) {
            self.watch = watch
            self.process = process
            self.thread = Mutex(thread)
        }

        func enterGuest() { run.add(1, ordering: .relaxed) }
        func leaveGuest() { run.add(1, ordering: .relaxed) }

        func send() { thread.withLock { if $0 != 0 { _ = chost_stub_kick_notifying(process.processID, $0) } } }

        func interrupt() {
            let current = run.load(ordering: .relaxed)
            send()
            guard mark.load(ordering: .relaxed) != current else { return }
            markTime.store(MonotonicInstant.now.nanoseconds, ordering: .relaxed)
            mark.store(current, ordering: .sequentiallyConsistent)
            watch.start()
        }

        func retire() {
            thread.withLock { $0 = 0 }
            watch.forget(self)
        }

        /// Looks after the mark. Returns whether there is one still.
        fileprivate func check(now: Int64) -> Bool {
            let marked = mark.load(ordering: .sequentiallyConsistent)
            guard marked != Self.noMark else { return false }
            let present = run.load(ordering: .relaxed)
            if marked & 1 == 0, present == marked &+ 1 {
                // The kick was sent just before this run began and may have ended another wait: one that is certainly this run's.
                markTime.store(now, ordering: .relaxed)
                mark.store(present, ordering: .sequentiallyConsistent)
                send()
                return true
            }
            let age = now &- markTime.load(ordering: .relaxed)
            // Kicked on the verge of a run, which begins at once or is given up for what the kick was about.
            if marked & 1 == 0, present == marked, age < KickWatch.interval { return true }
            guard marked == present, marked & 1 != 0 else {
                // Answered, unless it is another mark by now.
                return !mark.compareExchange(expected: marked, desired: Self.noMark, ordering: .sequentiallyConsistent).exchanged
            }
            if age > KickWatch.patience { process.kill() }
            return true
        }
    }

    private func forget(_ interrupter: Interrupter) { interrupters.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(interrupter)) } }

    private func start() {
        guard !isWatching.load(ordering: .sequentiallyConsistent), !isWatching.exchange(true, ordering: .sequentiallyConsistent) else { return }
        // Without a thread to watch, an unanswered kick has no consequence; everything else still works.
        do throws(Errno) { try HostThread.start { [self] in look() } } catch { isWatching.store(false, ordering: .sequentiallyConsistent) }
    }

    /// Looks once a second, until there is no mark.
    private func look() {
        while true {
            parker.park(until: MonotonicInstant.after(nanoseconds: Self.interval))
            if hasMarks() { continue }
            // Whoever marks looks at `isWatching` afterwards: one of both sees the other.
            isWatching.store(false, ordering: .sequentiallyConsistent)
            guard hasMarks(), !isWatching.exchange(true, ordering: .sequentiallyConsistent) else { return }
        }
    }

    private func hasMarks() -> Bool {
        let now = MonotonicInstant.now.nanoseconds
        let all = interrupters.withLock { Array($0.values) }
        return all.reduce(false) { $1.check(now: now) || $0 }
    }
}
