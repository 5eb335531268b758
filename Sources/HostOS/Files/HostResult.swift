import LinuxABI

/// A C shim's result: the value, or the negated errno.
@inlinable @discardableResult
public func hostResult(_ result: Int) throws(Errno) -> Int {
    if result < 0 { throw Errno(rawValue: Int32(truncatingIfNeeded: -result)) }
    return result
}

/// How openat2(2) resolves: RESOLVE_*.
public struct ResolveFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let noCrossDevice = ResolveFlags(rawValue: 0x01)
    public static let noMagicLinks = ResolveFlags(rawValue: 0x02)
    public static let noSymbolicLinks = ResolveFlags(rawValue: 0x04)
    public static let beneath = ResolveFlags(rawValue: 0x08)
    public static let inRoot = ResolveFlags(rawValue: 0x10)
}

/// Names for the host are NUL-terminated byte arrays.
extension [UInt8] {
    /// With a NUL appended. Bytes behind an inner NUL would be lost, so callers check names before.
    @inlinable public var nulTerminated: [UInt8] {
        var copy = self
        copy.append(0)
        return copy
    }
}
