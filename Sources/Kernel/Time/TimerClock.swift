import HostOS
import LinuxABI

/// What a timer counts on.
enum TimerClock: Sendable {
    case host(HostClock)
    case task(WeakTask, ProcessorClockKind)
    case group(WeakThreadGroup, ProcessorClockKind)

    /// Nanoseconds now; 0 for the CPU time of somebody gone.
    var now: Int64 {
        switch self {
        case .host(let clock): clock.nanoseconds
        case .task(let task, let kind): task.task.map { ProcessorClock.pick($0.usage, kind) } ?? 0
        case .group(let group, let kind): group.group.map { ProcessorClock.pick($0.usage, kind) } ?? 0
        }
    }
    var isProcessorTime: Bool { if case .host = self { false } else { true } }

    init(_ clock: ProcessorClock) {
        switch clock {
        case .task(let task, let kind): self = .task(WeakTask(task), kind)
        case .group(let group, let kind): self = .group(WeakThreadGroup(group), kind)
        }
    }
    init(_ clock: HostClock) { self = .host(clock) }
}

/// References that keep nobody alive: timers belong to processes, not the other way round.
struct WeakTask: Sendable {
    weak let task: Task?
    init(_ task: Task) { self.task = task }
}
struct WeakThreadGroup: Sendable {
    weak let group: ThreadGroup?
    init(_ group: ThreadGroup) { self.group = group }
}
