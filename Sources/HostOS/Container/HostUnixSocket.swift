import CHost
import LinuxABI

/// AF_UNIX stream sockets with a name in the host's file system.
public enum HostUnixSocket {
    /// Listens at `path`, which is shorter than 108 bytes; only the owner may connect.
    public static func listen(_ path: [UInt8]) throws(Errno) -> HostDescriptor {
        // SAFETY: the path ends with NUL and lives through the call.
        HostDescriptor(owning: try number(unsafe path.nulTerminated.withUnsafeBufferPointer { unsafe chost_unix_listen(cString($0)) }))
    }
    /// - Throws: ECONNREFUSED when nobody listens, ENOENT.
    public static func connect(_ path: [UInt8]) throws(Errno) -> HostDescriptor {
        // SAFETY: the path ends with NUL and lives through the call.
        HostDescriptor(owning: try number(unsafe path.nulTerminated.withUnsafeBufferPointer { unsafe chost_unix_connect(cString($0)) }))
    }
    /// The next client of a listening socket.
    public static func accept(_ descriptor: Int32) throws(Errno) -> HostDescriptor {
        HostDescriptor(owning: try number(chost_accept(descriptor)))
    }

    private static func number(_ result: Int) throws(Errno) -> Int32 { Int32(truncatingIfNeeded: try hostResult(result)) }
}

/// The bytes as the C string that they are: they end with NUL.
func cString(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafePointer<CChar> {
    // SAFETY: callers pass NUL-terminated, non-empty buffers; char and uint8_t have one layout.
    unsafe UnsafeRawPointer(bytes.baseAddress!).assumingMemoryBound(to: CChar.self)
}
