import CHost
import Glibc
import LinuxABI

/// Vectored reads and writes on host descriptors, on memory that the caller pins.
public enum HostTransfer {
    /// preadv2(2); offset -1 uses the descriptor's position. Repeats after EINTR. Returns 0 at end of file.
    public static func read(
        _ descriptor: Int32, into vectors: UnsafeBufferPointer<iovec>, offset: Int64, flags: Int32 = 0
    ) throws(Errno) -> Int {
        // SAFETY: the caller keeps the memory behind `vectors` mapped for the call; bad addresses give EFAULT.
        try unsafe hostCall(chost_preadv2(descriptor, vectors.baseAddress, Int32(vectors.count), offset, flags))
    }

    /// pwritev2(2), likewise.
    public static func write(
        _ descriptor: Int32, from vectors: UnsafeBufferPointer<iovec>, offset: Int64, flags: Int32 = 0
    ) throws(Errno) -> Int {
        // SAFETY: as in `read`.
        try unsafe hostCall(chost_pwritev2(descriptor, vectors.baseAddress, Int32(vectors.count), offset, flags))
    }

    /// One buffer.
    public static func read(
        _ descriptor: Int32, into address: UnsafeMutableRawPointer, count: Int, offset: Int64, flags: Int32 = 0
    ) throws(Errno) -> Int {
        var vector = unsafe iovec(iov_base: address, iov_len: count)
        // SAFETY: `vector` is a live local; the caller keeps its memory.
        return try unsafe hostCall(chost_preadv2(descriptor, &vector, 1, offset, flags))
    }

    public static func write(
        _ descriptor: Int32, from address: UnsafeRawPointer, count: Int, offset: Int64, flags: Int32 = 0
    ) throws(Errno) -> Int {
        var vector = unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: address), iov_len: count)
        // SAFETY: as above; the call only reads through the pointer.
        return try unsafe hostCall(chost_pwritev2(descriptor, &vector, 1, offset, flags))
    }
}

/// membarrier(2) of the host.
public enum HostBarrier {
    /// Whether MEMBARRIER_CMD_GLOBAL is there (it is not on nohz_full kernels).
    public static var isGlobalSupported: Bool { chost_membarrier(0) > 0 && chost_membarrier(0) & 1 == 1 }
    /// MEMBARRIER_CMD_GLOBAL: every thread running on the host passes a full barrier before this returns.
    public static func global() throws(Errno) {
        try hostCall(chost_membarrier(1))
    }
}
