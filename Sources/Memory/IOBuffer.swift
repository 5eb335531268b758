import HostOS
import LinuxABI

/// One `struct iovec`.
public struct IOVector: GuestData {
    public var base: GuestAddress
    public var length: UInt64
    public init() { self.init(base: .null, length: 0) }
    public init(base: GuestAddress, length: UInt64) {
        self.base = base
        self.length = length
    }
}

/// The memory that a read fills or a write drains: guest memory (one range or a vector) or the kernel's own bytes. It has a cursor:
/// every `put` and `take` advances it. File implementations see only this type, never addresses.
///
/// A fault in the middle leaves the bytes before it transferred: `put` and `take` return how much they moved, and throw EFAULT
/// only when they moved nothing.
public struct IOBuffer {
    /// A guest range; `length` was bounded by the caller (MAX_RW_COUNT).
    public init(_ space: AddressSpace, _ address: GuestAddress, _ length: Int) { remaining = length }
    /// A guest vector, bounds checked by the caller.
    public init(_ space: AddressSpace, _ vectors: [IOVector]) { remaining = 0 }
    /// Kernel bytes to be filled by a read, `capacity` at most.
    public init(kernelCapacity capacity: Int) { remaining = capacity }
    /// Kernel bytes to be drained by a write.
    public init(kernelBytes: [UInt8]) { remaining = kernelBytes.count }

    /// Bytes left in the buffer.
    public private(set) var remaining: Int
    /// Bytes moved so far.
    public private(set) var transferred: Int = 0
    /// For a kernel buffer: what was put into it.
    public var kernelBytes: [UInt8] { [] }

    /// Limits what is left to `count`.
    public mutating func truncate(to count: Int) {}

    /// Copies from `bytes` into the buffer, as much as fits. For read(2).
    public mutating func put(_ bytes: RawSpan) throws(Errno) -> Int { throw .EFAULT }
    public mutating func put(_ bytes: [UInt8]) throws(Errno) -> Int { throw .EFAULT }
    public mutating func putZeroes(_ count: Int) throws(Errno) -> Int { throw .EFAULT }
    public mutating func put(_ memoryFile: MemoryFile, offset: UInt64, count: Int) throws(Errno) -> Int { throw .EFAULT }

    /// Copies up to `count` bytes out of the buffer. For write(2).
    public mutating func take(_ count: Int) throws(Errno) -> [UInt8] { throw .EFAULT }
    public mutating func take(into bytes: inout MutableRawSpan) throws(Errno) -> Int { throw .EFAULT }
    public mutating func take(into memoryFile: MemoryFile, offset: UInt64, count: Int) throws(Errno) -> Int { throw .EFAULT }

    /// preadv2(2) from a host descriptor straight into the buffer; offset -1 uses the descriptor's own position. Returns 0 at end of file.
    public mutating func fill(fromHost descriptor: Int32, offset: Int64, flags: Int32 = 0) throws(Errno) -> Int { throw .EFAULT }
    /// pwritev2(2) from the buffer to a host descriptor.
    public mutating func drain(toHost descriptor: Int32, offset: Int64, flags: Int32 = 0) throws(Errno) -> Int { throw .EFAULT }
}
