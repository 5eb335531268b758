import CHost
import Glibc
import LinuxABI

/// The host's random numbers: getrandom(2).
public enum HostRandom {
    /// `count` random bytes.
    public static func bytes(_ count: Int) throws(Errno) -> [UInt8] {
        if count <= 0 { return [] }
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // SAFETY: at most `count` bytes are stored, and `initialized` says how many.
            while initialized < count {
                let n = unsafe chost_getrandom(buffer.baseAddress! + initialized, count - initialized)
                if n < 0 {
                    if hostErrno() == .EINTR { continue }
                    failure = hostErrno()
                    return
                }
                initialized += n
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
