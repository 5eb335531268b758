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

/// What sendfile(2) and splice(2) do with a file: Linux moves data between files that have operations for it, others give EINVAL.
public struct Splicing: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    public static let source = Splicing(rawValue: 1)
    public static let target = Splicing(rawValue: 2)
}

/// Behaviour of an open file: one object per open, or one shared object where opens need no state of their own.
///
/// No operation blocks: what would block throws EAGAIN, and the system-call layer waits on the file's wait queue and tries again.
/// (Disk I/O on the host counts as not blocking.)
public protocol FileOperations: AnyObject, Sendable {
    /// Whether the file has a position: lseek, pread and pwrite work (else ESPIPE).
    var isSeekable: Bool { get }
    /// Whether the file keeps the position itself instead of the description: a file of the host that came in as standard input or
    /// output, whose position other host processes share. Then read(2) and write(2) pass `.stream`, `seek` moves the position and
    /// returns it (the description's own is not used), and only pread and pwrite pass `.offset`.
    var hasOwnPosition: Bool { get }
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
    /// Copies bytes to `target` without bringing them here: copy_file_range(2). Nil where that can't be; 0 at the end of the file.
    func copy(from offset: Int64, _ count: Int, to target: any FileOperations, at position: Int64, caller: any Caller) throws(Errno) -> Int?
    var splicing: Splicing { get }
    func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno)
    /// fcntl(F_SETFL) changed status flags (O_APPEND, O_NONBLOCK, O_DIRECT are kept by the description).
    func statusFlagsChanged(_ flags: OpenFlags) throws(Errno)
    /// Extra lines of /proc/PID/fdinfo/N.
    var descriptionInfo: String { get }
    /// F_GETPIPE_SZ: the capacity of a pipe in bytes; nil for every other file (fcntl(2) then gives EBADF).
    var pipeCapacity: Int? { get }
    /// F_SETPIPE_SZ: returns the capacity given, `bytes` rounded up. - Throws: EBUSY, EPERM, EINVAL; EBADF for what is no pipe.
    func setPipeCapacity(_ bytes: Int, caller: any Caller) throws(Errno) -> Int
    /// SO_RCVTIMEO (`events` readable) or SO_SNDTIMEO (writable): nanoseconds after which a blocked read or write gives up with
    /// EAGAIN; nil for no limit.
    func blockingTimeout(for events: PollEvents) -> Int64?
    /// The last reference to the description went away.
    func released()
    /// F_GET_SEALS of fcntl(2); nil for files without seals (EINVAL). A file sealed against writing (`write`, `futureWrite`) refuses
    /// new shared writable mappings with EPERM, and its shared mappings can't be made writable.
    var seals: FileSeals? { get }
    /// F_ADD_SEALS of fcntl(2) on a description opened for writing.
    /// - Throws: EPERM (sealed against sealing), EBUSY (shared writable mappings exist), EINVAL (unknown seals, or no seals here).
    func addSeals(_ seals: FileSeals) throws(Errno)
}

extension FileOperations {
    public var isSeekable: Bool { false }
    public var splicing: Splicing { [] }
    public var hasOwnPosition: Bool { false }
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
    public func copy(from offset: Int64, _ count: Int, to target: any FileOperations, at position: Int64, caller: any Caller) throws(Errno) -> Int? {
        nil
    }
    public func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno) { throw .ENODEV }
    public func statusFlagsChanged(_ flags: OpenFlags) throws(Errno) {}
    public var descriptionInfo: String { "" }
    public var pipeCapacity: Int? { nil }
    public func setPipeCapacity(_ bytes: Int, caller: any Caller) throws(Errno) -> Int { throw .EBADF }
    public func blockingTimeout(for events: PollEvents) -> Int64? { nil }
    public func released() {}
    public var seals: FileSeals? { nil }
    public func addSeals(_ seals: FileSeals) throws(Errno) { throw .EINVAL }
}
