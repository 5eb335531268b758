import CHost
import Glibc
import LinuxABI

/// Whole transfers on blocking host descriptors, and small descriptor helpers.
public enum HostIO {
    /// Writes all of `bytes`, restarting after EINTR. A socket's SIGPIPE is suppressed; EPIPE is thrown.
    public static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) throws(Errno) {
        var done = 0
        while done < bytes.count {
            // SAFETY: the pointer covers `bytes.count` bytes and is used within the closure only.
            let n = unsafe bytes.withUnsafeBytes { unsafe chost_write_nosignal(descriptor, $0.baseAddress! + done, bytes.count - done) }
            if n < 0 {
                if hostErrno() == .EINTR { continue }
                throw hostErrno()
            }
            done += n
        }
    }

    /// Reads exactly `count` bytes, or nil when the file ends before them.
    public static func readExactly(_ descriptor: Int32, _ count: Int) throws(Errno) -> [UInt8]? {
        if count == 0 { return [] }
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // SAFETY: at most `count` bytes are stored, and `initialized` says how many.
            while initialized < count {
                let n = unsafe read(descriptor, buffer.baseAddress! + initialized, count - initialized)
                if n < 0 {
                    if hostErrno() == .EINTR { continue }
                    failure = hostErrno()
                    return
                }
                if n == 0 { return }
                initialized += n
            }
        }
        if let failure { throw failure }
        return bytes.count == count ? bytes : nil
    }

    /// Whether `descriptor` is open.
    public static func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) != -1 }
}

/// A connected AF_UNIX stream pair, close-on-exec.
@frozen public struct SocketPair: ~Copyable {
    public var near: HostDescriptor
    public var far: HostDescriptor

    public init() throws(Errno) {
        var a: Int32 = -1
        var b: Int32 = -1
        // SAFETY: `chost_socketpair` stores two descriptors into two live locals.
        try hostCall(unsafe chost_socketpair(&a, &b))
        near = HostDescriptor(owning: a)
        far = HostDescriptor(owning: b)
    }
}
