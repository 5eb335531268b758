import CHost
import LinuxABI

/// Calls on an open host descriptor.
public enum HostFileCalls {
    /// lseek(2).
    public static func seek(_ descriptor: Int32, offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        Int64(try hostResult(chost_lseek(descriptor, offset, whence)))
    }
    public static func truncate(_ descriptor: Int32, to length: Int64) throws(Errno) {
        try hostResult(chost_ftruncate(descriptor, length))
    }
    public static func allocate(_ descriptor: Int32, mode: Int32, offset: Int64, length: Int64) throws(Errno) {
        try hostResult(chost_fallocate(descriptor, mode, offset, length))
    }
    public static func synchronize(_ descriptor: Int32, dataOnly: Bool) throws(Errno) {
        try hostResult(chost_fsync(descriptor, dataOnly ? 1 : 0))
    }
    public static func synchronizeFileSystem(_ descriptor: Int32) throws(Errno) { try hostResult(chost_syncfs(descriptor)) }
    public static func synchronizeRange(_ descriptor: Int32, offset: Int64, length: Int64) throws(Errno) {
        try hostResult(chost_sync_file_range(descriptor, offset, length))
    }
    /// fcntl(F_GETFL).
    public static func statusFlags(_ descriptor: Int32) throws(Errno) -> OpenFlags {
        OpenFlags(rawValue: UInt32(truncatingIfNeeded: try hostResult(chost_getfl(descriptor))))
    }
    /// A lock of the open file description (F_OFD_SETLK): `type` is F_RDLCK 0, F_WRLCK 1 or F_UNLCK 2. - Throws: EAGAIN when another stands in
    /// the way, EBADF when the descriptor's access does not allow it.
    public static func setLock(_ descriptor: Int32, type: Int16, start: Int64, end: Int64) throws(Errno) {
        try hostResult(chost_set_lock(descriptor, Int32(type), start, end == .max ? 0 : end - start + 1))
    }
    /// What stands in the way of such a lock: its type, first and last byte.
    public static func conflictingLock(_ descriptor: Int32, type: Int16, start: Int64, end: Int64) throws(Errno) -> (type: Int16, start: Int64, end: Int64)? {
        var kind = Int32(type)
        var first = start
        var length = end == .max ? 0 : end - start + 1
        // SAFETY: the pointers are to live locals.
        try hostResult(unsafe chost_get_lock(descriptor, &kind, &first, &length))
        if kind == 2 { return nil }
        return (Int16(truncatingIfNeeded: kind), first, length == 0 ? .max : first &+ length &- 1)
    }
    /// flock(2). - Throws: EWOULDBLOCK.
    public static func flock(_ descriptor: Int32, _ operation: Int32) throws(Errno) { try hostResult(chost_flock(descriptor, operation)) }
    /// copy_file_range(2). Returns 0 at the end of the source. - Throws: EXDEV, EINVAL and EOPNOTSUPP where the host can't.
    public static func copyRange(from: Int32, at offset: Int64, to: Int32, at target: Int64, count: Int) throws(Errno) -> Int {
        try hostResult(chost_copy_range(from, offset, to, target, count))
    }
    /// A close-on-exec duplicate; it shares position and flags.
    public static func duplicate(_ descriptor: Int32) throws(Errno) -> HostDescriptor {
        HostDescriptor(owning: Int32(truncatingIfNeeded: try hostResult(chost_dup(descriptor))))
    }
    /// ioctl(2) with a structure of exactly `bytes.count` bytes, which the caller knows to be the request's size.
    public static func control(_ descriptor: Int32, _ request: UInt32, _ bytes: inout [UInt8]) throws(Errno) -> Int {
        // SAFETY: the request reads and writes no more than the array holds; callers pass sizes from the ABI.
        let result = unsafe bytes.withUnsafeMutableBytes { unsafe chost_ioctl(descriptor, UInt64(request), $0.baseAddress) }
        return try hostResult(result)
    }
    /// ioctl(2) with an integer argument.
    public static func control(_ descriptor: Int32, _ request: UInt32, value: Int) throws(Errno) -> Int {
        try hostResult(chost_ioctl_value(descriptor, UInt64(request), value))
    }
    /// A chunk of directory records as getdents64(2) gives them; empty at the end.
    public static func directoryRecords(_ descriptor: Int32, capacity: Int) throws(Errno) -> [UInt8] {
        var length = 0
        let records = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            // SAFETY: at most `capacity` bytes are stored and counted.
            length = unsafe chost_getdents(descriptor, buffer.baseAddress, capacity)
            count = max(0, length)
        }
        try hostResult(length)
        return records
    }
    /// poll(2) on one descriptor. Zero when the time passed.
    public static func poll(_ descriptor: Int32, _ events: PollEvents, milliseconds: Int32) throws(Errno) -> PollEvents {
        let found = try hostResult(chost_poll(descriptor, Int32(truncatingIfNeeded: events.rawValue), milliseconds))
        return PollEvents(rawValue: UInt32(truncatingIfNeeded: found))
    }
    /// SIGPIPE and SIGXFSZ are ignored in the whole process: writes give EPIPE and EFBIG instead.
    public static func ignoreWriteSignals() { chost_ignore_sigpipe() }
}
