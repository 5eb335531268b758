import CHost
import LinuxABI

/// Extended attributes of host files by path: xattr(7). Paths and names hold no NUL.
public enum HostExtendedAttributes {
    /// XATTR_SIZE_MAX and XATTR_LIST_MAX.
    public static let maximumSize = 65536

    public static func get(_ path: [UInt8], _ name: [UInt8]) throws(Errno) -> [UInt8] {
        var length = 0
        let value = unsafe [UInt8](unsafeUninitializedCapacity: maximumSize) { buffer, count in
            // SAFETY: at most `maximumSize` bytes are stored and counted; both strings end with NUL.
            length = unsafe chost_getxattr(path.nulTerminated, name.nulTerminated, buffer.baseAddress, maximumSize)
            count = max(0, length)
        }
        try hostResult(length)
        return value
    }
    public static func set(_ path: [UInt8], _ name: [UInt8], _ value: [UInt8], flags: Int32) throws(Errno) {
        // SAFETY: strings end with NUL; `value` is as long as said.
        try hostResult(unsafe chost_setxattr(path.nulTerminated, name.nulTerminated, value, value.count, flags))
    }
    public static func remove(_ path: [UInt8], _ name: [UInt8]) throws(Errno) {
        // SAFETY: both strings end with NUL.
        try hostResult(unsafe chost_removexattr(path.nulTerminated, name.nulTerminated))
    }
    /// All names, each followed by a NUL; of a symbolic link itself unless it is followed.
    public static func list(_ path: [UInt8], follow: Bool = true) throws(Errno) -> [UInt8] {
        do {
            // Few files have so many.
            return try list(path, follow: follow, capacity: 1024)
        } catch {
            if error != .ERANGE { throw error }
            return try list(path, follow: follow, capacity: maximumSize)
        }
    }
    private static func list(_ path: [UInt8], follow: Bool, capacity: Int) throws(Errno) -> [UInt8] {
        var length = 0
        let names = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            // SAFETY: at most `capacity` bytes are stored and counted; the path ends with NUL.
            length = unsafe follow
                ? chost_listxattr(path.nulTerminated, buffer.baseAddress, capacity)
                : chost_llistxattr(path.nulTerminated, buffer.baseAddress, capacity)
            count = max(0, length)
        }
        try hostResult(length)
        return names
    }
}
