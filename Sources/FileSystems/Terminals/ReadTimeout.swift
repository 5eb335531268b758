import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

/// VTIME of a terminal read with VMIN 0 (termios(3)): the read that finds nothing starts the time, and the one that finds nothing
/// after it returns 0.
struct ReadTimeout: Sendable {
    private var deadline: MonotonicInstant?
    private var timer: TimerService.Timer?

    mutating func clear() { deadline = nil }

    /// Whether the time is over. Otherwise `wake` is called when it is.
    mutating func isOver(tenths: UInt8, _ caller: any Caller, _ wake: @escaping @Sendable () -> Void) -> Bool {
        if let deadline {
            if deadline <= MonotonicInstant.now {
                self.deadline = nil
                return true
            }
            return false
        }
        guard let timers = (caller as? CurrentTask)?.kernel.timers else { return true }
        let end = MonotonicInstant.after(nanoseconds: Int64(tenths) * 100_000_000)
        deadline = end
        let timer = self.timer ?? timers.makeTimer(wake)
        self.timer = timer
        timers.set(timer, end)
        return false
    }
}
