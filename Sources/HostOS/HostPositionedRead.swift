import Glibc
import LinuxABI

extension HostIO {
    /// pread(2) until `bytes` is full or the file ends; EINTR restarts. Returns the bytes read.
    public static func positionedRead(_ descriptor: Int32, at offset: UInt64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        var done = 0
        var failure: Errno?
        let count = bytes.byteCount
        while done < count && failure == nil {
            guard let position = Int(exactly: offset &+ UInt64(done)) else { break }
            // SAFETY: the pointer covers `count` bytes, of which the last `count - done` are written, within the closure only.
            let n = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress! + done, count - done, position) }
            if n < 0 {
                if hostErrno() == .EINTR { continue }
                failure = hostErrno()
            } else if n == 0 {
                break
            } else {
                done += n
            }
        }
        if let failure { throw failure }
        return done
    }

    /// As above into a new array, which holds only what was read.
    public static func positionedRead(_ descriptor: Int32, at offset: UInt64, count: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // SAFETY: at most `count` bytes are stored, and `initialized` says how many.
            while initialized < count, let position = Int(exactly: offset &+ UInt64(initialized)) {
                let n = unsafe pread(descriptor, buffer.baseAddress! + initialized, count - initialized, position)
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
        return bytes
    }
}
