import HostOS

/// Deadlines that no thread sleeps on: itimers, POSIX timers, timerfd. One host thread, started with the first timer, sleeps until the
/// earliest deadline; an idle sandbox without timers has no such thread.
public final class TimerService: Sendable {
    public init() {}

    /// An armed or disarmed one-shot timer.
    public final class Timer: Sendable {
        let action: @Sendable () -> Void
        init(_ action: @escaping @Sendable () -> Void) { self.action = action }
    }
    /// A disarmed timer. `action` runs on the timer thread without locks held and must not block.
    public func makeTimer(_ action: @escaping @Sendable () -> Void) -> Timer { Timer(action) }
    /// Arms for `deadline` (replacing an earlier one), or disarms with nil.
    public func set(_ timer: Timer, _ deadline: MonotonicInstant?) {}
}
