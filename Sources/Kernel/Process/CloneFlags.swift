import LinuxABI

/// CLONE_* of clone(2) and unshare(2).
public struct CloneFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The low byte of clone's flags: the exit signal.
    public static let signalMask: UInt64 = 0xff
    /// clone3 and unshare only.
    public static let newTime = CloneFlags(rawValue: 0x80)
    public static let memory = CloneFlags(rawValue: 0x100)
    public static let fileSystem = CloneFlags(rawValue: 0x200)
    public static let files = CloneFlags(rawValue: 0x400)
    public static let signalHandlers = CloneFlags(rawValue: 0x800)
    public static let pidFile = CloneFlags(rawValue: 0x1000)
    public static let ptrace = CloneFlags(rawValue: 0x2000)
    public static let vfork = CloneFlags(rawValue: 0x4000)
    public static let parent = CloneFlags(rawValue: 0x8000)
    public static let thread = CloneFlags(rawValue: 0x1_0000)
    public static let newMount = CloneFlags(rawValue: 0x2_0000)
    public static let systemVSemaphores = CloneFlags(rawValue: 0x4_0000)
    public static let setTLS = CloneFlags(rawValue: 0x8_0000)
    public static let parentSetTID = CloneFlags(rawValue: 0x10_0000)
    public static let childClearTID = CloneFlags(rawValue: 0x20_0000)
    public static let detached = CloneFlags(rawValue: 0x40_0000)
    public static let untraced = CloneFlags(rawValue: 0x80_0000)
    public static let childSetTID = CloneFlags(rawValue: 0x100_0000)
    public static let newCgroup = CloneFlags(rawValue: 0x200_0000)
    public static let newUTS = CloneFlags(rawValue: 0x400_0000)
    public static let newIPC = CloneFlags(rawValue: 0x800_0000)
    public static let newUser = CloneFlags(rawValue: 0x1000_0000)
    public static let newPID = CloneFlags(rawValue: 0x2000_0000)
    public static let newNetwork = CloneFlags(rawValue: 0x4000_0000)
    public static let io = CloneFlags(rawValue: 0x8000_0000)
    /// clone3 only.
    public static let clearSignalHandlers = CloneFlags(rawValue: 0x1_0000_0000)
    public static let intoCgroup = CloneFlags(rawValue: 0x2_0000_0000)

    public static let namespaces: CloneFlags = [
        .newTime, .newMount, .newCgroup, .newUTS, .newIPC, .newUser, .newPID, .newNetwork,
    ]
}

/// What clone(2), clone3(2), fork(2) and vfork(2) ask for.
public struct CloneRequest: Sendable {
    public var flags: CloneFlags
    /// Nil for none.
    public var exitSignal: Signal?
    /// The child's stack pointer; null keeps the parent's.
    public var stackPointer: GuestAddress
    public var tls: UInt64
    public var parentTID: GuestAddress
    public var childTID: GuestAddress
    /// Where CLONE_PIDFD's descriptor goes.
    public var pidFile: GuestAddress
    /// The numbers the child must get (`set_tid` of clone3(2)), innermost pid namespace first; empty for any.
    public var wantedNumbers: [Int32]
    public init(
        flags: CloneFlags, exitSignal: Signal?, stackPointer: GuestAddress = .null, tls: UInt64 = 0, parentTID: GuestAddress = .null,
        childTID: GuestAddress = .null, pidFile: GuestAddress = .null, wantedNumbers: [Int32] = []
    ) {
        self.flags = flags
        self.exitSignal = exitSignal
        self.stackPointer = stackPointer
        self.tls = tls
        self.parentTID = parentTID
        self.childTID = childTID
        self.pidFile = pidFile
        self.wantedNumbers = wantedNumbers
    }
}
