import HostOS

/// What the host must grant the command before a sandbox is started: checked first, so that a limit is named and not the call that ran
/// into it.
public enum HostRequirements {
    private struct Need {
        let limit: HostLimit
        let name: String
        let command: String
        let least: UInt64
        let unit: (divisor: UInt64, name: String)
    }

    /// Descriptors: pipes and sockets of eight stub processes, the sandbox's own files and some room. Address space: the window onto guest
    /// memory and the Sentry's own. File size: the memory file's smallest.
    private static let needs = [
        Need(limit: .openFiles, name: "open files", command: "ulimit -n", least: 256, unit: (1, "")),
        Need(limit: .fileSize, name: "file size", command: "ulimit -f", least: 64 << 20, unit: (1 << 20, " MiB")),
        Need(limit: .addressSpace, name: "address space", command: "ulimit -v", least: 1 << 30, unit: (1 << 20, " MiB")),
    ]

    /// The first limit that is too low, in one line with the remedy; nil when all suffice.
    public static func problem() -> String? {
        for need in needs {
            let granted = need.limit == .addressSpace ? need.limit.current : need.limit.maximum
            guard granted < need.least else { continue }
            let (divisor, unit) = need.unit
            return "the limit on \(need.name) is \(granted / divisor)\(unit); a sandbox needs \(need.least / divisor)\(unit), raise it (\(need.command))"
        }
        return nil
    }
}
