import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A granted host path as a file system of its own: what `--bind` mounts. The host may change it at any time (shared policy), so names
/// are confirmed with the Gofer; data goes through donated descriptors straight to the host file.
///
/// One host inode is one inode object for as long as anybody refers to it, so that locks, mappings and size agree.
///
/// Lock order: an inode's `state` before nothing; `inodes` is a leaf. No request is made with either held.
public final class GoferFileSystem: FileSystem {
    let connection: GoferConnection
    private let rootHandle: NodeHandle
    private let rootStatus: HostFileStatus
    private let isReadOnly: Bool

    struct Key: Hashable {
        var device: DeviceNumber
        var inode: UInt64
        /// Tells two files apart that had one number after the other, where the host knows it.
        private var birthSeconds: Int64
        private var birthNanoseconds: Int64
        init(_ status: HostFileStatus) {
            device = status.device
            inode = status.inode
            birthSeconds = status.birthTime?.seconds ?? 0
            birthNanoseconds = status.birthTime?.nanoseconds ?? 0
        }
    }
    private struct Weak {
        weak var inode: GoferInode?
    }
    private let inodes = Mutex<[Key: Weak]>([:])
    private let rootInode = Mutex<GoferInode?>(nil)

    /// Attaches grant number `grant`, which may be a directory or a single file.
    /// - Throws: why the grant could not be opened: ENOENT, EACCES, ….
    public init(_ connection: GoferConnection, grant: Int, isReadOnly: Bool) throws(Errno) {
        connection.startChangeQueue()
        let reply = try connection.call(AttachRequest(grant: UInt32(truncatingIfNeeded: grant), watches: true))
        self.connection = connection
        self.isReadOnly = isReadOnly
        rootHandle = NodeHandle(reply.node, connection)
        rootStatus = reply.status
        let inode = GoferInode(self, rootHandle, reply.status)
        rootInode.withLock { $0 = inode }
        inodes.withLock { $0[Key(reply.status)] = Weak(inode: inode) }
        inode.startWatch(reply.watch, reply.status)
    }

    public var typeName: String { "goferfs" }
    public var device: DeviceNumber { rootStatus.device }
    public var cachePolicy: CachePolicy { .shared }
    public var handleBudget: HandleBudget? { connection.handles }
    public var root: any Inode { rootInode.withLock { $0 } ?? GoferInode(self, rootHandle, rootStatus) }
    /// Whether the root is a directory; a single file can be mounted on a file.
    public var rootType: FileType { rootStatus.mode.type ?? .regular }

    public func statistics() throws(Errno) -> FileSystemStatistics {
        FileSystemStatistics(try connection.call(FileSystemStatusRequest(node: rootHandle.id)))
    }

    public func synchronize() throws(Errno) {
        if isReadOnly || !(rootType == .directory || rootType == .regular) { return }
        _ = try connection.call(SynchronizeRequest(node: rootHandle.id, extent: .fileSystem))
    }

    /// The inode object for a node that the Gofer named, with its attributes brought up to date.
    func inode(_ reply: NodeReply) throws(Errno) -> GoferInode {
        guard reply.node != .none else { throw connection.fail("the Gofer sent no handle") }
        let handle = NodeHandle(reply.node, connection)
        let key = Key(reply.status)
        let inode = inode(key, reply.status, handle)
        inode.adopt(handle, watch: reply.watch)
        inode.learned(reply.status)
        if reply.watch != 0 { inode.startWatch(reply.watch, reply.status) }
        return inode
    }

    /// The inode object for a file seen in a listing, which has no handle yet.
    func inode(_ status: HostFileStatus, origin: GoferInode.Origin) -> GoferInode {
        let inode = inode(Key(status), status, nil)
        let old = inode.state.withLock { s -> GoferInode.Origin? in
            // A directory that has a handle does without.
            guard s.handle == nil || inode.type != .directory else { return nil }
            defer { s.origin = origin }
            return s.origin
        }
        // Its directory may go with it, which takes other locks.
        _ = consume old
        // What changes in a directory is not told to who watches the one above.
        if inode.type != .directory { inode.learned(status) }
        return inode
    }

    private func inode(_ key: Key, _ status: HostFileStatus, _ handle: NodeHandle?) -> GoferInode {
        inodes.withLock { table -> GoferInode in
            if let present = table[key]?.inode, present.type == status.mode.type { return present }
            let fresh = GoferInode(self, handle, status)
            table[key] = Weak(inode: fresh)
            return fresh
        }
    }

    /// The inode object of a file that somebody refers to.
    func present(_ key: Key) -> GoferInode? { inodes.withLock { $0[key]?.inode } }

    /// An inode object went away.
    func forget(_ key: Key) {
        inodes.withLock { table in
            if let entry = table[key], entry.inode == nil { table[key] = nil }
        }
    }
}
