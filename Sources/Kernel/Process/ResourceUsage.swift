/// Consumption that getrusage(2), times(2) and wait4(2) report.
public struct ResourceUsage: Sendable {
    /// Nanoseconds in guest code.
    public var user: Int64 = 0
    /// Nanoseconds in kernel code on the guest's behalf.
    public var system: Int64 = 0
    /// Largest resident set, in bytes.
    public var maximumResident: UInt64 = 0
    public var minorFaults: UInt64 = 0
    public var majorFaults: UInt64 = 0
    public var voluntarySwitches: UInt64 = 0
    public var involuntarySwitches: UInt64 = 0
    public init() {}

    public static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.user &+= b.user
        sum.system &+= b.system
        sum.maximumResident = max(a.maximumResident, b.maximumResident)
        sum.minorFaults &+= b.minorFaults
        sum.majorFaults &+= b.majorFaults
        sum.voluntarySwitches &+= b.voluntarySwitches
        sum.involuntarySwitches &+= b.involuntarySwitches
        return sum
    }
}
