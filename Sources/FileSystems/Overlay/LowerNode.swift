import HostOS
import LinuxABI
import VirtualFileSystem

/// A node of a read-only lower layer: what the overlay needs of it, and all it may ask. Implemented by the Gofer client; an
/// in-memory one serves tests. The tree does not change while the sandbox runs (exclusive policy), so results may be cached.
public protocol LowerNode: AnyObject, Sendable {
    var type: FileType { get }
    /// As the host reports them: owner, mode, times, link count, size, host inode number and device.
    func attributes() throws(Errno) -> FileAttributes
    /// Nil when the name does not exist. Directories only.
    func lookup(_ name: FileName) throws(Errno) -> (any LowerNode)?
    /// All names but `.` and `..`.
    func list() throws(Errno) -> [LowerEntry]
    func readLink() throws(Errno) -> [UInt8]
    /// A read-only host descriptor of a regular file, donated by the Gofer; the same object while it is cached.
    func open() throws(Errno) -> SharedHostDescriptor
    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8]
    func extendedAttributeNames() throws(Errno) -> [[UInt8]]
}

public struct LowerEntry: Sendable {
    public var name: FileName
    public var inode: UInt64
    public var type: FileType
    public init(name: FileName, inode: UInt64, type: FileType) {
        self.name = name
        self.inode = inode
        self.type = type
    }
}
