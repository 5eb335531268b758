/// PR_SET_MDWE of prctl(2): memory that is writable, or was not executable, does not become executable.
public struct ExecGainRule: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// PR_MDWE_REFUSE_EXEC_GAIN.
    public static let refuse = ExecGainRule(rawValue: 1)
    /// PR_MDWE_NO_INHERIT: children start without.
    public static let notInherited = ExecGainRule(rawValue: 2)

    var isInherited: Bool { !contains(.notInherited) }
}

/// PR_MCE_KILL of prctl(2): when a thread hears of a memory error in a page of its own. The host deals with such errors, so that
/// it is kept and reported only.
public enum MachineCheckPolicy: Int32, Sendable {
    case late = 0
    case early = 1
    case standard = 2
}
