import LinuxABI

/// How a thread group ended.
public enum ExitStatus: Sendable, Equatable {
    case exited(UInt8)
    case killed(Signal, coreDumped: Bool = false)

    /// The status word of wait(2).
    public var waitStatus: Int32 {
        switch self {
        case .exited(let code): Int32(code) << 8
        case .killed(let signal, let dumped): signal.rawValue | (dumped ? 0x80 : 0)
        }
    }
    /// si_code of SIGCHLD and waitid(2).
    public var childCode: Int32 {
        switch self {
        case .exited: SignalInfo.CLD_EXITED
        case .killed(_, let dumped): dumped ? SignalInfo.CLD_DUMPED : SignalInfo.CLD_KILLED
        }
    }
    /// si_status of SIGCHLD and waitid(2).
    public var childStatus: Int32 {
        switch self {
        case .exited(let code): Int32(code)
        case .killed(let signal, _): signal.rawValue
        }
    }
}
