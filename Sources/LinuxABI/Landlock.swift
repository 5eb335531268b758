/// LANDLOCK_ACCESS_FS_*: what a domain may forbid to do with files (landlock(7)).
public struct LandlockFileAccess: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    private init(bit: UInt64) { rawValue = 1 << bit }
    public static let execute = LandlockFileAccess(bit: 0)
    public static let writeFile = LandlockFileAccess(bit: 1)
    public static let readFile = LandlockFileAccess(bit: 2)
    public static let readDirectory = LandlockFileAccess(bit: 3)
    public static let removeDirectory = LandlockFileAccess(bit: 4)
    public static let removeFile = LandlockFileAccess(bit: 5)
    public static let makeCharacterDevice = LandlockFileAccess(bit: 6)
    public static let makeDirectory = LandlockFileAccess(bit: 7)
    public static let makeRegular = LandlockFileAccess(bit: 8)
    public static let makeSocket = LandlockFileAccess(bit: 9)
    public static let makeFIFO = LandlockFileAccess(bit: 10)
    public static let makeBlockDevice = LandlockFileAccess(bit: 11)
    public static let makeSymbolicLink = LandlockFileAccess(bit: 12)
    public static let refer = LandlockFileAccess(bit: 13)
    public static let truncate = LandlockFileAccess(bit: 14)
    public static let deviceControl = LandlockFileAccess(bit: 15)
    public static let all = LandlockFileAccess(rawValue: (1 << 16) - 1)
    /// Those that mean something for a file that is no directory.
    public static let ofFiles: LandlockFileAccess = [.execute, .writeFile, .readFile, .truncate, .deviceControl]
}

/// LANDLOCK_ACCESS_NET_*.
public struct LandlockNetworkAccess: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let bindTCP = LandlockNetworkAccess(rawValue: 1)
    public static let connectTCP = LandlockNetworkAccess(rawValue: 2)
    public static let all: LandlockNetworkAccess = [.bindTCP, .connectTCP]
}

/// LANDLOCK_SCOPE_*: what stays within the domain.
public struct LandlockScope: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let abstractUnixSocket = LandlockScope(rawValue: 1)
    public static let signal = LandlockScope(rawValue: 2)
    public static let all: LandlockScope = [.abstractUnixSocket, .signal]
}

/// `struct landlock_ruleset_attr`, 24 bytes; older programs give less.
public struct LandlockRulesetAttributes: GuestData {
    public var fileAccess: UInt64 = 0
    public var networkAccess: UInt64 = 0
    public var scope: UInt64 = 0
    public init() {}
}
