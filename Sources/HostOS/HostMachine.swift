import CHost
import Glibc

/// The host machine.
public enum HostMachine {
    /// Bytes of physical memory.
    public static let memoryBytes: UInt64 = {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        return pages > 0 ? UInt64(pages) * 4096 : 1 << 30
    }()

    /// Whether the host's kernel is at least this version (uname(2)).
    public static func isKernel(atLeast version: (major: Int, minor: Int)) -> Bool {
        let found = Int(chost_kernel_version())
        return found >= version.major << 16 | version.minor
    }
}
