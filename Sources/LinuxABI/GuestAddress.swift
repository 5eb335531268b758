/// A virtual address in a guest's address space. It is never dereferenced: `Memory` translates it.
public struct GuestAddress: Hashable, Comparable, Sendable, BitwiseCopyable, RawRepresentable {
    public var rawValue: UInt64

    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(_ rawValue: UInt64) { self.rawValue = rawValue }

    public static let null = GuestAddress(0)
    public var isNull: Bool { rawValue == 0 }

    @inlinable public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// Wraps: the caller bounds the result where it matters.
    @inlinable public static func + (a: Self, n: UInt64) -> Self { Self(a.rawValue &+ n) }
    @inlinable public static func + (a: Self, n: Int) -> Self { Self(a.rawValue &+ UInt64(bitPattern: Int64(n))) }
    @inlinable public static func - (a: Self, n: UInt64) -> Self { Self(a.rawValue &- n) }
    @inlinable public static func - (a: Self, b: Self) -> UInt64 { a.rawValue &- b.rawValue }

    /// The address `count` bytes on, or nil when that leaves the 64-bit space.
    @inlinable public func adding(_ count: UInt64) -> Self? {
        let (sum, overflow) = rawValue.addingReportingOverflow(count)
        return overflow ? nil : Self(sum)
    }

    @inlinable public var pageBase: Self { Self(rawValue & ~(Page.size - 1)) }
    @inlinable public var pageOffset: UInt64 { rawValue & (Page.size - 1) }
    @inlinable public var isPageAligned: Bool { pageOffset == 0 }
}

/// The page of x86-64: 4 KiB.
public enum Page {
    public static let size: UInt64 = 4096
    public static let shift: UInt64 = 12

    @inlinable public static func down(_ n: UInt64) -> UInt64 { n & ~(size - 1) }
    /// `n` rounded up to whole pages, or nil on overflow.
    @inlinable public static func up(_ n: UInt64) -> UInt64? {
        let (sum, overflow) = n.addingReportingOverflow(size - 1)
        return overflow ? nil : sum & ~(size - 1)
    }
}

/// Half-open range of guest addresses.
public struct GuestRange: Hashable, Sendable, BitwiseCopyable {
    public var start: GuestAddress
    public var end: GuestAddress

    @inlinable public init(start: GuestAddress, end: GuestAddress) {
        self.start = start
        self.end = end
    }
    /// Nil when `start + length` overflows.
    @inlinable public init?(start: GuestAddress, length: UInt64) {
        guard let end = start.adding(length) else { return nil }
        self.init(start: start, end: end)
    }
    @inlinable public var length: UInt64 { end.rawValue &- start.rawValue }
    @inlinable public var isEmpty: Bool { end <= start }
    @inlinable public func contains(_ a: GuestAddress) -> Bool { a >= start && a < end }
    @inlinable public func overlaps(_ other: GuestRange) -> Bool { start < other.end && other.start < end }
    @inlinable public func intersection(_ o: GuestRange) -> GuestRange? {
        let s = max(start, o.start), e = min(end, o.end)
        return s < e ? GuestRange(start: s, end: e) : nil
    }
}

/// The guest's address-space limits on x86-64 (Documentation/arch/x86/x86_64/mm.rst).
public enum AddressLimits {
    /// First address that a guest may map: vm.mmap_min_addr's usual value.
    public static let minimum = GuestAddress(0x1_0000)
    /// One past the last user address that a guest may use: TASK_SIZE less the region the stub keeps.
    public static let maximum = GuestAddress(0x7fff_0000_0000)
    /// The stub region starts here and ends at TASK_SIZE (0x7fff_ffff_f000).
    public static let stubBase = GuestAddress(0x7fff_0000_0000)
    /// TASK_SIZE: one past the last address of user space.
    public static let end = GuestAddress(0x7fff_ffff_f000)
}

/// A value that is copied between guest and Sentry as raw bytes. Conforming types hold fixed-width integers only, are laid out
/// as the C struct of the x86-64 ABI (explicit padding fields), and every bit pattern is a valid value.
public protocol GuestData: BitwiseCopyable, Sendable {
    init()
}

extension UInt8: GuestData {}
extension Int8: GuestData {}
extension UInt16: GuestData {}
extension Int16: GuestData {}
extension UInt32: GuestData {}
extension Int32: GuestData {}
extension UInt64: GuestData {}
extension Int64: GuestData {}
extension GuestAddress: GuestData {
    public init() { self.init(0) }
}
