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

    /// What uname(2) calls the release, as major and minor number; nil when it cannot be read.
    public static var kernelVersion: (major: Int, minor: Int)? {
        let found = Int(chost_kernel_version())
        return found == 0 ? nil : (found >> 16, found & 0xffff)
    }
    /// Whether programs may set FS and GS base themselves.
    public static var hasSegmentBases: Bool { chost_has_fsgsbase() != 0 }
    public static var hasSeccompNotifications: Bool { chost_seccomp_knows(chost_seccomp_notify()) != 0 }
    public static var hasSeccompFilters: Bool { chost_seccomp_knows(chost_seccomp_trap()) != 0 }
    /// The version of Landlock; 0 for none.
    public static var landlockVersion: Int { Int(chost_landlock_version()) }
}
