import CHost
import LinuxABI

/// Names of host files: operations on an entry of a directory descriptor. Names hold no NUL.
public enum HostNames {
    /// openat2(2), close-on-exec.
    public static func open(
        _ name: [UInt8], in directory: Int32, _ flags: OpenFlags, mode: UInt16 = 0, resolve: ResolveFlags
    ) throws(Errno) -> HostDescriptor {
        // SAFETY: the name ends with NUL and lives through the call.
        let number = try hostResult(
            unsafe chost_openat2(directory, name.nulTerminated, UInt64(flags.rawValue), UInt64(mode), resolve.rawValue))
        return HostDescriptor(owning: Int32(truncatingIfNeeded: number))
    }

    /// openat(2), close-on-exec. For trusted paths only: symbolic links are followed.
    public static func openTrusted(_ path: [UInt8], in directory: Int32 = HostAt.workingDirectory, _ flags: OpenFlags, mode: UInt16 = 0)
        throws(Errno) -> HostDescriptor
    {
        // SAFETY: the name ends with NUL and lives through the call.
        let number = try hostResult(
            unsafe chost_openat(directory, path.nulTerminated, Int32(bitPattern: flags.rawValue), UInt32(mode)))
        return HostDescriptor(owning: Int32(truncatingIfNeeded: number))
    }

    /// readlinkat(2); an empty name means the O_PATH descriptor itself.
    public static func readLink(_ name: [UInt8], in directory: Int32) throws(Errno) -> [UInt8] {
        var length = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            // SAFETY: at most 4096 bytes are stored and counted; the name ends with NUL.
            length = unsafe chost_readlinkat(directory, name.nulTerminated, buffer.baseAddress, 4096)
            count = max(0, length)
        }
        try hostResult(length)
        return bytes
    }

    // SAFETY, for all below: names end with NUL and live through the call.
    public static func makeDirectory(_ name: [UInt8], in directory: Int32, mode: UInt16) throws(Errno) {
        try hostResult(unsafe chost_mkdirat(directory, name.nulTerminated, UInt32(mode)))
    }
    public static func makeFIFO(_ name: [UInt8], in directory: Int32, mode: UInt16) throws(Errno) {
        try hostResult(unsafe chost_mkfifoat(directory, name.nulTerminated, UInt32(mode)))
    }
    public static func makeSymbolicLink(_ name: [UInt8], in directory: Int32, target: [UInt8]) throws(Errno) {
        try hostResult(unsafe chost_symlinkat(target.nulTerminated, directory, name.nulTerminated))
    }
    public static func link(_ from: [UInt8], in fromDirectory: Int32, to name: [UInt8], in directory: Int32, flags: Int32) throws(Errno) {
        try hostResult(unsafe chost_linkat(fromDirectory, from.nulTerminated, directory, name.nulTerminated, flags))
    }
    public static func unlink(_ name: [UInt8], in directory: Int32, isDirectory: Bool) throws(Errno) {
        try hostResult(unsafe chost_unlinkat(directory, name.nulTerminated, isDirectory ? HostAt.removeDirectory : 0))
    }
    /// renameat2(2).
    public static func rename(_ from: [UInt8], in fromDirectory: Int32, to name: [UInt8], in directory: Int32, flags: UInt32)
        throws(Errno)
    {
        try hostResult(unsafe chost_renameat2(fromDirectory, from.nulTerminated, directory, name.nulTerminated, flags))
    }
    /// fchownat(2); `UInt32.max` leaves an id as it is.
    public static func changeOwner(_ name: [UInt8], in directory: Int32, uid: UInt32, gid: UInt32, flags: Int32) throws(Errno) {
        try hostResult(unsafe chost_fchownat(directory, name.nulTerminated, uid, gid, flags))
    }
    /// fchmodat(2): follows a symbolic link.
    public static func changeMode(_ name: [UInt8], in directory: Int32, mode: UInt16) throws(Errno) {
        try hostResult(unsafe chost_fchmodat(directory, name.nulTerminated, UInt32(mode)))
    }
    /// One time of utimensat(2).
    public enum Time: Sendable, Equatable {
        case now, omit
        case set(Timespec)
        var pair: (Int64, Int64) {
            switch self {
            case .now: (0, (1 << 30) - 1)
            case .omit: (0, (1 << 30) - 2)
            case .set(let t): (t.seconds, t.nanoseconds)
            }
        }
    }
    /// utimensat(2).
    public static func changeTimes(_ name: [UInt8], in directory: Int32, access: Time, modification: Time, flags: Int32) throws(Errno) {
        let a = access.pair
        let m = modification.pair
        try hostResult(unsafe chost_utimensat(directory, name.nulTerminated, [a.0, m.0], [a.1, m.1], flags))
    }
    /// truncate(2): follows symbolic links.
    public static func truncate(_ path: [UInt8], to length: Int64) throws(Errno) {
        try hostResult(unsafe chost_truncate(path.nulTerminated, length))
    }
}
