import LinuxABI

/// What a task does at the moment: the state letter of proc_pid_stat(5) and what belongs to it.
public enum RunState: Sendable {
    /// In guest code, or in kernel code on its behalf.
    case running
    /// Parked; a signal wakes it.
    case sleeping
    /// Parked until a vfork child execs or exits; only a fatal signal wakes it.
    case waitingForChild
    /// Stopped by job control.
    case stopped(by: Signal)
    /// Stopped for its tracer.
    case traced
    /// Ended, not yet waited for.
    case zombie(ExitStatus)
    /// Ended and gone.
    case dead

    public var letter: Character {
        switch self {
        case .running: "R"
        case .sleeping: "S"
        case .waitingForChild: "D"
        case .stopped: "T"
        case .traced: "t"
        case .zombie: "Z"
        case .dead: "X"
        }
    }
}
