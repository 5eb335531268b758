import CHost
import HostOS
import LinuxABI
import Synchronization

/// Sends kicks, and ends stub processes that do not answer theirs: a guest can block the signal by returning from a forged frame, and would
/// then run for ever.
///
/// A thread of its own looks after outstanding kicks once a second, and sleeps while there is none.
final class KickWatch: Sendable {
    /// How long a thread that runs guest code may take to answer.
    private static let patience: Int64 = 10_000_000_000
    private static let interval: Int64 = 1_000_000_000

    private struct Outstanding {
        let interrupter: Interrupter
        let run: UInt64
        let since: MonotonicInstant
    }
    private struct State {
        var outstanding: [Outstanding] = []
        var isWatching = false
    }
    private let state = Mutex(State())
    private let parker = HostParker()

    func interrupter(process: StubProcess, thread: Int32) -> Interrupter { Interrupter(self, process: process, thread: thread) }

    /// Kicks one guest thread. Any thread may use it, also after the guest thread is gone.
    final class Interrupter: PlatformInterrupter {
        private let watch: KickWatch
        private let process: StubProcess
        /// 0 once the thread serves somebody else.
        private let thread: Mutex<Int32>
        /// Odd while guest code runs; counts the runs.
        private let run = Atomic<UInt64>(0)

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
            if current & 1 != 0 { watch.add(self, run: current) }
        }
        func retire() { thread.withLock { $0 = 0 } }

        fileprivate func isStill(in run: UInt64) -> Bool { self.run.load(ordering: .relaxed) == run && thread.withLock { $0 != 0 } }
        fileprivate func giveUp() { process.kill() }
    }

    private func add(_ interrupter: Interrupter, run: UInt64) {
        let mustStart = state.withLock { s in
            s.outstanding.append(Outstanding(interrupter: interrupter, run: run, since: MonotonicInstant.now))
            defer { s.isWatching = true }
            return !s.isWatching
        }
        guard mustStart else { return }
        // Without a thread to watch, an unanswered kick has no consequence; everything else still works.
        do throws(Errno) { try HostThread.start { [self] in look() } } catch { state.withLock { $0.isWatching = false } }
    }

    /// Looks once a second, until nothing is outstanding.
    private func look() {
        while true {
            parker.park(until: MonotonicInstant.after(nanoseconds: Self.interval))
            let (late, isDone) = state.withLock { s in
                s.outstanding.removeAll { !$0.interrupter.isStill(in: $0.run) }
                let limit = MonotonicInstant(nanoseconds: MonotonicInstant.now.nanoseconds - Self.patience)
                let late = s.outstanding.filter { $0.since < limit }
                if s.outstanding.isEmpty { s.isWatching = false }
                return (late, s.outstanding.isEmpty)
            }
            for entry in late { entry.interrupter.giveUp() }
            if isDone { return }
        }
    }
}
