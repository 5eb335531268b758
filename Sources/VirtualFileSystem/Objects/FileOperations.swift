import HostOS
import LinuxABI
import Memory

/// Where a read or write takes place.
public enum FilePosition: Sendable {
    /// Pipes, sockets, terminals: no position.
    case stream
    case offset(Int64)
    /// O_APPEND: the end of file at the moment of the write, atomically.
    case end
}

/// Behaviour of an open file: one object per open, or one shared object where opens need no state of their own.
///
/// No operation blocks: what would block throws EAGAIN, and the system-call layer waits on the file's wait queue and tries again.
/// (Disk I/O on the host counts as not blocking.)
public protocol FileOperations: AnyObject, Sendable {
    /// Whether the file has a position: lseek, pread and pwrite work (else ESPIPE).
    var isSeekable: Bool { get }
    /// Reads into `buffer`. Returns 0 at end of file. - Throws: EAGAIN when nothing is there yet.
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int
    /// Writes from `buffer`. Returns the bytes written and, for `.end`, the position after them.
    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64)
    /// Entries from `position` on; `emit` returns false when its buffer is full. Includes `.` and `..`.
    /// Returns the position to continue from.
    func readDirectory(from position: Int64, caller: any Caller, _ emit: (DirectoryEntry) -> Bool) throws(Errno) -> Int64
    /// lseek(2) with SEEK_END, SEEK_DATA, SEEK_HOLE: `current` is the present position. SEEK_SET and SEEK_CUR come here too.
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64
    /// Level-triggered readiness now.
    func readiness() -> PollEvents
    /// Registers for changes of readiness.
    func addWaiter(_ entry: WaitEntry)
    func removeWaiter(_ entry: WaitEntry)
    /// Whether epoll accepts the file (EPERM for regular files and directories).
    var isPollable: Bool { get }
    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int
    /// What mmap(2) maps; nil: ENODEV.
    var mappable: (any MemoryMappable)? { get }
    func synchronize(dataOnly: Bool) throws(Errno)
    func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno)
    /// fcntl(F_SETFL) changed status flags (O_APPEND, O_NONBLOCK, O_DIRECT are kept by the description).
    func statusFlagsChanged(_ flags: OpenFlags) throws(Errno)
    /// fcntl(2) commands that only some files know: F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS. Nil: not this file.
    func control(_ command: Int32, argument: UInt64, caller: any Caller) throws(Errno) -> Int?
    /// Extra lines of /proc/PID/fdinfo/N.
    var descriptionInfo: String { get }
    /// The last reference to the description went away.
    func released()
}

extension FileOperations {
    public var isSeekable: Bool { false }
    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int { throw .EINVAL }
    public func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        throw .EINVAL
    }
    public func readDirectory(from position: Int64, caller: any Caller, _ emit: (DirectoryEntry) -> Bool) throws(Errno) -> Int64 {
        throw .ENOTDIR
    }
    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 { throw .ESPIPE }
    public func readiness() -> PollEvents { [.allReadable, .allWritable] }
    public func addWaiter(_ entry: WaitEntry) {}
    public func removeWaiter(_ entry: WaitEntry) {}
    public var isPollable: Bool { false }
    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int { throw .ENOTTY }
    public var mappable: (any MemoryMappable)? { nil }
    public func synchronize(dataOnly: Bool) throws(Errno) { throw .EINVAL }
    public func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno) { throw .ENODEV }
    public func statusFlagsChanged(_ flags: OpenFlags) throws(Errno) {}
    public func control(_ command: Int32, argument: UInt64, caller: any Caller) throws(Errno) -> Int? { nil }
    public var descriptionInfo: String { "" }
    public func released() {}
}
