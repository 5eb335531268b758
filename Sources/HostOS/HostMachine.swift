import Glibc

/// The host machine.
public enum HostMachine {
    /// Bytes of physical memory.
    public static let memoryBytes: UInt64 = {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return pages > 0 ? UInt64(pages) * 4096 : 1 << 30
    }()
}
