import HostOS
import LinuxABI

/// The memory file: one sparse memfd per sandbox that backs all guest memory and all in-memory file data, mapped once into the
/// Sentry. Ranges are whole pages and counted: `allocate` gives a count of one, `retain` and `release` work on any subrange, and
/// a page whose count reaches zero is recycled.
///
/// Its lock is the last of the memory module's: nothing else is called with it held.
@safe public final class MemoryFile: Sendable {
    private let file: HostDescriptor
    /// The window's size, and the file's.
    public let size: UInt64
    /// Memory that allocations may promise at most in one piece (Linux's heuristic overcommit), and that the sandbox reports as RAM.
    public let totalBytes: UInt64
    // SAFETY: `size` bytes mapped in init and unmapped in deinit. Guests write to them at any time, so they are only copied from and to,
    // never bound to a type whose values have invariants.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    private let allocator: HostMutex<MemoryFileAllocator>

    /// Creates the memfd and maps its window: `window` bytes, or as much as the host lets the process map.
    /// - Parameters:
    ///   - totalBytes: the sandbox's memory; nil: the host's RAM.
    ///   - window: a power of two. A process that has several memory files needs smaller windows: its address space holds seven of 16 TiB.
    /// - Throws: the host's errno (ENOMEM, EFBIG under a file-size limit, …).
    public init(totalBytes: UInt64? = nil, window: UInt64 = 16 << 40) throws(Errno) {
        file = try HostMemory.makeMemoryFile()
        self.totalBytes = totalBytes ?? HostMemory.physicalBytes
        // ftruncate past RLIMIT_FSIZE raises SIGXFSZ.
        let limit = HostLimit.fileSize.raise()
        var size = window
        while size > limit { size /= 2 }
        while true {
            guard size >= 64 << 20 else { throw .ENOMEM }
            do throws(Errno) {
                try HostMemory.setSize(file.number, size)
                unsafe base = try HostMemory.mapWindow(file.number, length: size)
                break
            } catch {
                size /= 2
            }
        }
        self.size = size
        allocator = HostMutex(MemoryFileAllocator(size: size))
    }

    // SAFETY: the window was mapped in init, and pointers into it are used only while the file is referred to.
    deinit { unsafe HostMemory.unmap(base, length: size) }

    /// The memfd, for stub processes to inherit.
    public var descriptor: Int32 { file.number }

    // MARK: ranges

    /// Allocates `length` bytes (a multiple of the page size) that read as zeroes.
    /// - Throws: ENOMEM when the file is full, EINVAL for a length that is no positive multiple of the page size.
    public func allocate(_ length: UInt64) throws(Errno) -> UInt64 {
        try allocate(length, preferred: nil).offset
    }

    /// As `allocate`. `preferred` is where the caller would like it, to continue a neighbour. `isWarm` says that the pages are present.
    func allocate(_ length: UInt64, preferred: UInt64?, allowWarm: Bool = true) throws(Errno) -> (offset: UInt64, isWarm: Bool) {
        guard length != 0, length & (Page.size - 1) == 0 else { throw .EINVAL }
        if allowWarm, let offset = allocator.withLock({ $0.takeWarm(length) }) {
            zero(offset, length)
            return (offset, true)
        }
        if let offset = allocator.withLock({ $0.takeFresh(length, preferred: preferred) }) { return (offset, false) }
        trim()
        if let offset = allocator.withLock({ $0.takeFresh(length, preferred: nil) }) { return (offset, false) }
        throw .ENOMEM
    }

    public func retain(_ offset: UInt64, _ length: UInt64) {
        guard length != 0 else { return }
        allocator.withLock { $0.retain(offset, length) }
    }

    public func release(_ offset: UInt64, _ length: UInt64) {
        guard length != 0 else { return }
        let cold = allocator.withLock { allocator in
            var cold: [MemoryRange] = []
            allocator.release(offset, length, cold: &cold)
            return cold
        }
        giveBack(cold)
    }

    func release(_ ranges: [MemoryRange]) {
        guard !ranges.isEmpty else { return }
        let cold = allocator.withLock { allocator in
            var cold: [MemoryRange] = []
            for range in ranges { allocator.release(range.offset, range.length, cold: &cold) }
            return cold
        }
        giveBack(cold)
    }

    /// Punches without the lock (large holes take long), then makes the runs available.
    private func giveBack(_ runs: [MemoryRange]) {
        for run in runs {
            do throws(Errno) {
                try HostMemory.punchHole(file.number, offset: run.offset, length: run.length)
            } catch {
                zero(run.offset, run.length)
            }
            allocator.withLock { $0.addFree(run) }
        }
    }

    /// Gives all memory that is kept for re-use back to the host: when the sandbox goes quiet or nears its limit.
    public func trim() { giveBack(allocator.withLock { $0.takeAllWarm() }) }

    /// The run around `offset` within `[lower, upper)` that is referred to once.
    func soleExtent(_ offset: UInt64, within lower: UInt64, _ upper: UInt64) -> (lower: UInt64, upper: UInt64)? {
        allocator.withLock { $0.soleExtent(offset, within: lower, upper) }
    }

    // MARK: contents

    /// SAFETY for callers: the pointer is valid for the allocated range that begins at `offset`.
    func pointer(_ offset: UInt64) -> UnsafeMutableRawPointer { unsafe base + Int(truncatingIfNeeded: offset) }

    private func check(_ offset: UInt64, _ length: UInt64) {
        precondition(offset <= size && length <= size - offset, "range outside the memory file")
    }

    /// Bytes of the window, for in-memory file systems and copies. `length` may be any byte count within allocated ranges.
    public func withBytes<R>(_ offset: UInt64, _ length: Int, _ body: (RawSpan) -> R) -> R {
        check(offset, UInt64(length))
        // SAFETY: within the window, which lives as long as `self`.
        let bytes = unsafe UnsafeRawBufferPointer(start: pointer(offset), count: length)
        return unsafe body(bytes.bytes)
    }

    public func withMutableBytes<R>(_ offset: UInt64, _ length: Int, _ body: (inout MutableRawSpan) -> R) -> R {
        check(offset, UInt64(length))
        // SAFETY: as in `withBytes`.
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: pointer(offset), count: length)
        var span = unsafe bytes.mutableBytes
        return body(&span)
    }

    public func zero(_ offset: UInt64, _ length: UInt64) {
        check(offset, length)
        // SAFETY: checked against the window.
        unsafe pointer(offset).initializeMemory(as: UInt8.self, repeating: 0, count: Int(length))
    }

    public func copy(from source: UInt64, to destination: UInt64, _ length: UInt64) {
        check(source, length)
        check(destination, length)
        // SAFETY: both checked against the window; copyMemory allows overlap.
        unsafe pointer(destination).copyMemory(from: pointer(source), byteCount: Int(length))
    }

    /// Gives the pages of an allocated range back to the host; they read as zeroes, also through guests' mappings.
    public func decommit(_ offset: UInt64, _ length: UInt64) {
        check(offset, length)
        do throws(Errno) {
            try HostMemory.punchHole(file.number, offset: offset, length: length)
        } catch {
            zero(offset, length)
        }
    }

    /// Makes the pages of an allocated range present, as long as an eighth of the sandbox's memory stays free: a request to populate
    /// must fail before the host runs out of memory.
    /// - Throws: ENOMEM, ENOSPC.
    func commit(_ offset: UInt64, _ length: UInt64) throws(Errno) {
        check(offset, length)
        let (total, overflow) = committedBytes.addingReportingOverflow(length)
        if overflow || total > totalBytes - totalBytes / 8 { throw .ENOMEM }
        // SAFETY: checked against the window.
        try unsafe HostMemory.commit(file.number, offset: offset, length: length, mappedAt: pointer(offset))
    }

    // MARK: what is present

    /// Bytes of host memory the file holds now.
    public var committedBytes: UInt64 { HostMemory.allocatedBytes(file.number) }

    /// Up to this length asking for every page is cheaper than looking for holes.
    private static let largestCounted: UInt64 = 16 << 20

    /// Bytes present in a range.
    func residentBytes(_ offset: UInt64, _ length: UInt64) -> UInt64 {
        if length <= Self.largestCounted {
            check(offset, length)
            // SAFETY: checked against the window.
            if let pages = unsafe HostMemory.presentPages(pointer(offset), pages: length / Page.size) { return pages * Page.size }
        }
        let end = offset + length
        var position = offset
        var total: UInt64 = 0
        while position < end, let run = HostMemory.nextData(file.number, from: position), run.start < end {
            total += min(run.end, end) - run.start
            position = run.end
        }
        return total
    }

    /// One byte per page: 1 when present.
    func residency(_ offset: UInt64, pages: Int) -> [UInt8] {
        check(offset, UInt64(pages) * Page.size)
        do throws(Errno) {
            // SAFETY: checked against the window.
            return try unsafe HostMemory.residency(pointer(offset), pages: pages).map { $0 & 1 }
        } catch {
            return [UInt8](repeating: 1, count: pages)
        }
    }
}
