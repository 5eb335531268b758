import CHost
import Glibc
import LinuxABI

/// Host system calls behind the memory file and its window. Callers own the addresses they pass.
public enum HostMemory {
    /// An empty, executable, close-on-exec memfd.
    public static func makeMemoryFile() throws(Errno) -> HostDescriptor {
        // SAFETY: a static string is a valid C string for the call.
        let number = unsafe chost_memory_file("stockade-memory")
        return HostDescriptor(owning: try hostCall(number))
    }

    /// The first bytes of a memory file, as far as it goes.
    public static func contents(of descriptor: Int32, limit: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        // SAFETY: the array has `limit` bytes.
        let count = try hostCall(unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, limit, 0) })
        return Array(bytes.prefix(count))
    }

    public static func setSize(_ descriptor: Int32, _ size: UInt64) throws(Errno) {
        guard let size = Int64(exactly: size) else { throw .EFBIG }
        try hostCall(ftruncate(descriptor, Int(size)))
    }

    /// Maps `length` bytes of the file from its start, shared, readable and writable, without reserving memory.
    public static func mapWindow(_ descriptor: Int32, length: UInt64) throws(Errno) -> UnsafeMutableRawPointer {
        try unsafe map(descriptor, offset: 0, length: length, flags: MAP_SHARED | MAP_NORESERVE)
    }

    /// Maps one run of a file, shared, readable and writable.
    public static func mapShared(_ descriptor: Int32, offset: UInt64, length: UInt64) throws(Errno) -> UnsafeMutableRawPointer {
        try unsafe map(descriptor, offset: offset, length: length, flags: MAP_SHARED)
    }

    private static func map(_ descriptor: Int32, offset: UInt64, length: UInt64, flags: Int32) throws(Errno)
        -> UnsafeMutableRawPointer
    {
        guard let count = Int(exactly: length), let offset = Int(exactly: offset) else { throw .EINVAL }
        // SAFETY: the kernel chooses a free range, so no live memory is replaced.
        let address = unsafe mmap(nil, count, PROT_READ | PROT_WRITE, flags, descriptor, offset)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { throw hostErrno() }
        return unsafe address
    }

    /// - Precondition: `[address, address+length)` was mapped by this type and is not used any more.
    public static func unmap(_ address: UnsafeMutableRawPointer, length: UInt64) {
        // SAFETY: by the precondition.
        _ = unsafe munmap(address, Int(truncatingIfNeeded: length))
    }

    /// Gives the pages back to the host; they read as zeroes afterwards, in every mapping.
    public static func punchHole(_ descriptor: Int32, offset: UInt64, length: UInt64) throws(Errno) {
        // FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE (linux/falloc.h)
        try hostCall(chost_memory_allocate(descriptor, 0x01 | 0x02, Int64(truncatingIfNeeded: offset), Int64(truncatingIfNeeded: length)))
    }

    /// Makes the pages of a mapped window present; contents stay. The fallback for Linux before 5.14 reserves storage only.
    /// - Precondition: `address` is where `offset` of the file is mapped, writable.
    public static func commit(
        _ descriptor: Int32, offset: UInt64, length: UInt64, mappedAt address: UnsafeMutableRawPointer
    ) throws(Errno) {
        // SAFETY: MADV_POPULATE_WRITE (23) changes no contents, and reports what would raise SIGBUS.
        if unsafe madvise(address, Int(truncatingIfNeeded: length), 23) == 0 { return }
        let error = hostErrno()
        guard error == .EINVAL else { throw error }
        try hostCall(chost_memory_allocate(descriptor, 0x01, Int64(truncatingIfNeeded: offset), Int64(truncatingIfNeeded: length)))
    }

    /// Bytes of storage the file occupies.
    public static func allocatedBytes(_ descriptor: Int32) -> UInt64 {
        var status = stat()
        // SAFETY: `status` is a live local for the duration of the call.
        guard unsafe fstat(descriptor, &status) == 0 else { return 0 }
        return UInt64(truncatingIfNeeded: status.st_blocks) &* 512
    }

    /// The first run of present pages at or after `offset`, by SEEK_DATA and SEEK_HOLE; nil when there is none.
    public static func nextData(_ descriptor: Int32, from offset: UInt64) -> (start: UInt64, end: UInt64)? {
        let start = chost_seek_data(descriptor, Int64(truncatingIfNeeded: offset))
        guard start >= 0 else { return nil }
        let end = chost_seek_hole(descriptor, start)
        guard end > start else { return nil }
        return (UInt64(start), UInt64(end))
    }

    /// mincore(2) on a window: bit 0 of each byte says whether the page is present.
    public static func residency(_ address: UnsafeMutableRawPointer, pages: Int) throws(Errno) -> [UInt8] {
        var vector = [UInt8](repeating: 0, count: pages)
        // SAFETY: `vector` has one byte per page; the caller's range is mapped.
        let status = unsafe vector.withUnsafeMutableBufferPointer { unsafe mincore(address, pages * 4096, $0.baseAddress) }
        try hostCall(status)
        return vector
    }

    /// How many pages of a window are present; nil when the host does not say.
    public static func presentPages(_ address: UnsafeMutableRawPointer, pages: UInt64) -> UInt64? {
        // SAFETY: the caller's range is mapped.
        let count = unsafe chost_count_present(address, UInt(pages))
        return count < 0 ? nil : UInt64(count)
    }

    /// RAM of the host in bytes.
    public static var physicalBytes: UInt64 {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return pages > 0 ? UInt64(pages) &* 4096 : 1 << 30
    }
}
