/// PROT_* of mmap(2).
public struct Protection: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let read = Protection(rawValue: 1)
    public static let write = Protection(rawValue: 2)
    public static let execute = Protection(rawValue: 4)
    public static let growsDown = Protection(rawValue: 0x0100_0000)
    public static let growsUp = Protection(rawValue: 0x0200_0000)
    public static let none: Protection = []
}

/// MAP_* of mmap(2), x86-64 values.
public struct MapFlags: OptionSet, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let shared = MapFlags(rawValue: 0x01)
    public static let `private` = MapFlags(rawValue: 0x02)
    /// MAP_SHARED_VALIDATE is both type bits.
    public static let typeMask: UInt32 = 0x0f
    public static let fixed = MapFlags(rawValue: 0x10)
    public static let anonymous = MapFlags(rawValue: 0x20)
    public static let low32Bit = MapFlags(rawValue: 0x40)
    public static let growsDown = MapFlags(rawValue: 0x0100)
    public static let denyWrite = MapFlags(rawValue: 0x0800)
    public static let executable = MapFlags(rawValue: 0x1000)
    public static let locked = MapFlags(rawValue: 0x2000)
    public static let noReserve = MapFlags(rawValue: 0x4000)
    public static let populate = MapFlags(rawValue: 0x8000)
    public static let nonBlock = MapFlags(rawValue: 0x1_0000)
    public static let stack = MapFlags(rawValue: 0x2_0000)
    public static let hugeTLB = MapFlags(rawValue: 0x4_0000)
    public static let sync = MapFlags(rawValue: 0x8_0000)
    public static let fixedNoReplace = MapFlags(rawValue: 0x10_0000)
}
