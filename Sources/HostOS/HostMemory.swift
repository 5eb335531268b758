import Glibc

/// The host's memory.
public enum HostMemory {
    /// Bytes of physical memory.
    public static let totalBytes: UInt64 = {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return pages > 0 ? UInt64(pages) * 4096 : 1 << 30
    }()
}
