import HostOS
import LinuxABI

/// The memory file: one sparse memfd per sandbox that backs all guest memory and all in-memory file data, mapped once into the
/// Sentry. Ranges are whole pages and counted: `allocate` gives a count of one, `retain` and `release` work on any subrange, and
/// a page whose count reaches zero is recycled.
public final class MemoryFile: Sendable {
    /// Creates the memfd and maps its window.
    /// - Throws: the host's errno (ENOMEM, EFBIG under a file-size limit, …).
    public init() throws(Errno) { throw .ENOSYS }

    /// The memfd, for stub processes to inherit.
    public var descriptor: Int32 { -1 }

    /// Allocates `length` bytes (a multiple of the page size) that read as zeroes.
    public func allocate(_ length: UInt64) throws(Errno) -> UInt64 { throw .ENOMEM }
    public func retain(_ offset: UInt64, _ length: UInt64) {}
    public func release(_ offset: UInt64, _ length: UInt64) {}

    /// Bytes of the window, for in-memory file systems and copies. `length` may be any byte count within allocated ranges.
    public func withBytes<R>(_ offset: UInt64, _ length: Int, _ body: (RawSpan) -> R) -> R { fatalError("skeleton") }
    public func withMutableBytes<R>(_ offset: UInt64, _ length: Int, _ body: (inout MutableRawSpan) -> R) -> R { fatalError("skeleton") }
    public func zero(_ offset: UInt64, _ length: UInt64) {}
    public func copy(from source: UInt64, to destination: UInt64, _ length: UInt64) {}

    /// Bytes of host memory the file holds now.
    public var committedBytes: UInt64 { 0 }
}
