/// F_SEAL_* of fcntl(2): what may no longer be done to a file.
public struct FileSeals: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// No further seals.
    public static let seal = FileSeals(rawValue: 0x01)
    public static let shrink = FileSeals(rawValue: 0x02)
    public static let grow = FileSeals(rawValue: 0x04)
    public static let write = FileSeals(rawValue: 0x08)
    /// As `write`, but mappings that exist may go on writing.
    public static let futureWrite = FileSeals(rawValue: 0x10)
    /// The execute mode bits are fixed.
    public static let execute = FileSeals(rawValue: 0x20)
    public static let all = FileSeals(rawValue: 0x3f)
}
