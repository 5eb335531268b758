import HostOS
import LinuxABI
import Synchronization

/// Deadlines that no thread sleeps on: itimers, POSIX timers, timerfd. One host thread, started with the first timer, sleeps until the
/// earliest deadline; an idle sandbox without timers has no such thread.
///
/// Lock order: this lock comes after every other; actions run without it.
public final class TimerService: Sendable {
    /// An armed or disarmed one-shot timer.
    public final class Timer: Sendable {
        let action: @Sendable () -> Void
        /// Place in the heap, -1 when disarmed. Guarded by the service's lock; atomic only so that the class is Sendable.
        let index = Atomic<Int>(-1)
        init(_ action: @escaping @Sendable () -> Void) { self.action = action }
    }

    fileprivate struct Entry: Sendable {
        var deadline: MonotonicInstant
        /// Arming order, so that equal deadlines fire first come, first served.
        var order: UInt64
        var timer: Timer
        func isBefore(_ other: Entry) -> Bool {
            deadline == other.deadline ? order < other.order : deadline < other.deadline
        }
    }
    fileprivate struct State: Sendable {
        /// A binary heap.
        var heap: [Entry] = []
        var nextOrder: UInt64 = 0
        var isRunning = false
        /// What the thread sleeps until; nil while it does not sleep or has no deadline.
        var sleepsUntil: MonotonicInstant?
    }
    private let state = Mutex(State())
    private let parker = HostParker()

    public init() {}

    /// A disarmed timer. `action` runs on the timer thread without locks held and must not block. It may still run once after the timer
    /// was disarmed or set anew, when the old deadline had just passed: actions look at their own state.
    public func makeTimer(_ action: @escaping @Sendable () -> Void) -> Timer { Timer(action) }

    /// Arms for `deadline` (replacing an earlier one), or disarms with nil.
    public func set(_ timer: Timer, _ deadline: MonotonicInstant?) {
        let (mustWake, mustStart) = state.withLock { s -> (Bool, Bool) in
            let index = timer.index.load(ordering: .relaxed)
            guard let deadline else {
                if index >= 0 { s.remove(at: index) }
                return (false, false)
            }
            let entry = Entry(deadline: deadline, order: s.nextOrder, timer: timer)
            s.nextOrder &+= 1
            if index >= 0 { s.replace(at: index, entry) } else { s.insert(entry) }
            let mustStart = !s.isRunning
            s.isRunning = true
            // An earlier deadline than the one the thread sleeps for.
            let mustWake = s.heap[0].timer === timer && (s.sleepsUntil.map { deadline < $0 } ?? true)
            return (mustWake && !mustStart, mustStart)
        }
        if mustStart {
            do throws(Errno) {
                try HostThread.start { [self] in run() }
            } catch {
                // No host thread now: the next `set` tries again.
                state.withLock { $0.isRunning = false }
            }
        } else if mustWake {
            parker.wake()
        }
    }

    /// Whether the timer thread was started.
    public var isRunning: Bool { state.withLock { $0.isRunning } }

    private func run() {
        while true {
            let (due, next) = state.withLock { s -> (Timer?, MonotonicInstant?) in
                guard let first = s.heap.first else {
                    s.sleepsUntil = nil
                    return (nil, nil)
                }
                if first.deadline <= .now {
                    s.remove(at: 0)
                    return (first.timer, nil)
                }
                s.sleepsUntil = first.deadline
                return (nil, first.deadline)
            }
            if let due {
                due.action()
            } else {
                parker.park(until: next)
                state.withLock { $0.sleepsUntil = nil }
            }
        }
    }
}

extension TimerService.State {
    fileprivate mutating func place(_ entry: TimerService.Entry, at index: Int) {
        heap[index] = entry
        entry.timer.index.store(index, ordering: .relaxed)
    }
    fileprivate mutating func insert(_ entry: TimerService.Entry) {
        heap.append(entry)
        rise(heap.count - 1, entry)
    }
    fileprivate mutating func replace(at index: Int, _ entry: TimerService.Entry) {
        if entry.isBefore(heap[index]) { rise(index, entry) } else { sink(index, entry) }
    }
    fileprivate mutating func remove(at index: Int) {
        heap[index].timer.index.store(-1, ordering: .relaxed)
        let last = heap.removeLast()
        if index < heap.count {
            if index > 0 && last.isBefore(heap[(index - 1) / 2]) { rise(index, last) } else { sink(index, last) }
        }
    }
    private mutating func rise(_ start: Int, _ entry: TimerService.Entry) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            place(heap[parent], at: index)
            index = parent
        }
        place(entry, at: index)
    }
    private mutating func sink(_ start: Int, _ entry: TimerService.Entry) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count && heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            place(heap[child], at: index)
            index = child
        }
        place(entry, at: index)
    }
}
