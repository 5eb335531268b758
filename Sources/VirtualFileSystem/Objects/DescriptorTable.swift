import LinuxABI
import Synchronization

/// A process's file descriptors: Linux's files_struct. Shared with CLONE_FILES.
public final class DescriptorTable: Sendable {
    public struct Entry: Sendable {
        public var description: FileDescription
        public var closeOnExec: Bool
    }
    private let entries = Mutex<[Entry?]>([])

    public init() {}

    /// - Throws: EBADF.
    public func get(_ number: Int32) throws(Errno) -> FileDescription { throw .EBADF }
    public func entry(_ number: Int32) throws(Errno) -> Entry { throw .EBADF }
    /// Puts `description` at the lowest free number from `minimum` on, below `limit` (RLIMIT_NOFILE).
    /// - Throws: EMFILE.
    public func install(_ description: FileDescription, closeOnExec: Bool, minimum: Int32 = 0, limit: Int32) throws(Errno) -> Int32 {
        throw .EMFILE
    }
    /// dup2(2): puts it at exactly `number`, returning what was there.
    public func replace(_ number: Int32, _ description: FileDescription, closeOnExec: Bool, limit: Int32) throws(Errno)
        -> FileDescription?
    { throw .EBADF }
    /// Takes the entry out. - Throws: EBADF.
    public func remove(_ number: Int32) throws(Errno) -> FileDescription { throw .EBADF }
    public func setCloseOnExec(_ number: Int32, _ value: Bool) throws(Errno) { throw .EBADF }
    /// A copy for fork.
    public func copy() -> DescriptorTable { self }
    /// Removes and returns close-on-exec entries.
    public func removeCloseOnExec() -> [FileDescription] { [] }
    public func removeAll() -> [FileDescription] { [] }
    /// All open numbers in order.
    public func snapshot() -> [(number: Int32, entry: Entry)] { [] }
}
