import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A node of a granted host tree as the overlay's lower layer. The policy is exclusive: what was learnt once stays true, so
/// attributes, link targets and whole directories are kept, and a directory that was listed answers all further look-ups without a message.
///
/// Lock: `state` is a leaf; no request is made with it held.
public final class GoferLowerNode: LowerNode {
    let tree: GoferLowerTree
    let parent: GoferLowerNode?
    let name: [UInt8]
    let status: HostFileStatus
    /// The root's handle, which can't be had again.
    private let rootHandle: NodeHandle?
    public let type: FileType

    struct State {
        var handle: CacheSlot<NodeHandle>?
        var listing: CacheSlot<LowerListing>?
        var descriptor: CacheSlot<SharedHostDescriptor>?
        var linkTarget: [UInt8]?
        var attributeNames: [[UInt8]]?
        /// Look-ups of entries that the Gofer was asked.
        var misses = 0
    }
    let state = Mutex(State())

    /// The root of grant number `grant`.
    /// - Throws: why the grant could not be opened: ENOENT, EACCES, ….
    public static func attach(_ connection: GoferConnection, grant: Int) throws(Errno) -> GoferLowerNode {
        let reply = try connection.call(AttachRequest(grant: UInt32(truncatingIfNeeded: grant)))
        return GoferLowerNode(GoferLowerTree(connection), root: NodeHandle(reply.node, connection), reply.status)
    }

    private init(_ tree: GoferLowerTree, root: NodeHandle, _ status: HostFileStatus) {
        self.tree = tree
        parent = nil
        name = []
        rootHandle = root
        self.status = status
        type = status.mode.type ?? .regular
    }

    private init(parent: GoferLowerNode, _ name: [UInt8], _ status: HostFileStatus, _ handle: NodeID) {
        tree = parent.tree
        self.parent = parent
        self.name = name
        rootHandle = nil
        self.status = status
        type = status.mode.type ?? .regular
        if handle != .none {
            let slot = tree.handles.insert(NodeHandle(handle, tree.connection))
            state.withLock { $0.handle = slot }
        }
    }

    deinit {
        let (handle, descriptor, listing) = state.withLock { ($0.handle, $0.descriptor, $0.listing) }
        handle?.clear()
        descriptor?.clear()
        listing?.clear()
    }

    // MARK: naming the node to the Gofer

    private var ownHandle: NodeHandle? { rootHandle ?? state.withLock { $0.handle }?.current }

    /// A directory's handle, fetched again when the cache dropped it.
    func directoryHandle() throws(Errno) -> NodeHandle {
        if let handle = ownHandle { return handle }
        guard type == .directory else { throw .ENOTDIR }
        guard let parent else { throw .EIO }
        let above = try parent.directoryHandle()
        let reply = try tree.connection.call(WalkRequest(node: above.id, handles: .directories, names: [name]))
        withExtendedLifetime(above) {}
        if reply.stopped != 0 { throw Errno(rawValue: reply.stopped) }
        guard reply.nodes.count == 1, reply.nodes[0].node != .none else { throw tree.connection.fail("the Gofer sent no handle") }
        return adopt(reply.nodes[0].node)
    }

    private func adopt(_ id: NodeID) -> NodeHandle {
        let handle = NodeHandle(id, tree.connection)
        let slot = tree.handles.insert(handle)
        let replaced = state.withLock { s in
            defer { s.handle = slot }
            return s.handle
        }
        replaced?.clear()
        return handle
    }

    /// Calls `body` with what names this node, by its own handle or its directory's.
    func withTarget<R>(_ body: (NodeTarget) throws(Errno) -> R) throws(Errno) -> R {
        if let handle = ownHandle {
            defer { withExtendedLifetime(handle) {} }
            return try body(NodeTarget(handle.id))
        }
        guard let parent else { throw .EIO }
        let above = try parent.directoryHandle()
        defer { withExtendedLifetime(above) {} }
        return try body(NodeTarget(above.id, name))
    }

    /// The directory's listing, while it is kept.
    var currentListing: LowerListing? { state.withLock { $0.listing }?.current }

    // MARK: LowerNode

    public func attributes() throws(Errno) -> FileAttributes { FileAttributes(status, tree.connection) }

    public func lookup(_ name: FileName) throws(Errno) -> (any LowerNode)? {
        guard type == .directory else { throw .ENOTDIR }
        if let listing = currentListing {
            guard let entry = listing[name] else { return listing.isFiltered ? try walkOne(name.bytes) : nil }
            if let status = entry.status { return node(name.bytes, status, link: entry.link) }
        }
        guard NameRule.isComponent(name.bytes) else { throw name.bytes.count > 255 ? .ENAMETOOLONG : .ENOENT }
        if isReadingDue() {
            let listing = try fetchListing(.all)
            guard let entry = listing[name] else { return listing.isFiltered ? try walkOne(name.bytes) : nil }
            if let status = entry.status { return node(name.bytes, status, link: entry.link) }
        }
        return try walkOne(name.bytes)
    }

    private func walkOne(_ name: [UInt8]) throws(Errno) -> GoferLowerNode? {
        let handle = try directoryHandle()
        defer { withExtendedLifetime(handle) {} }
        let reply = try tree.connection.call(WalkRequest(node: handle.id, handles: .directories, names: [name]))
        if reply.stopped == Errno.ENOENT.rawValue { return nil }
        if reply.stopped != 0 { throw Errno(rawValue: reply.stopped) }
        guard let found = reply.nodes.first, reply.nodes.count == 1 else { throw tree.connection.fail("the Gofer's walk went astray") }
        let node = GoferLowerNode(parent: self, name, found.status, found.node)
        if node.type == .symbolicLink, !reply.link.isEmpty { node.state.withLock { $0.linkTarget = reply.link } }
        return node
    }

    /// Walks several components in one message: the nodes found, as far as there are any; it stops behind a symbolic link.
    public func walk(_ names: [FileName]) throws(Errno) -> [GoferLowerNode] {
        guard !names.isEmpty, names.count <= ProtocolLimits.maximumCount, names.allSatisfy({ NameRule.isComponent($0.bytes) }) else { return [] }
        let handle = try directoryHandle()
        defer { withExtendedLifetime(handle) {} }
        let reply = try tree.connection.call(WalkRequest(node: handle.id, handles: .directories, names: names.map(\.bytes)))
        guard reply.nodes.count <= names.count else { throw tree.connection.fail("the Gofer's walk went astray") }
        var nodes: [GoferLowerNode] = []
        var above = self
        for (name, found) in zip(names, reply.nodes) {
            above = GoferLowerNode(parent: above, name.bytes, found.status, found.node)
            nodes.append(above)
        }
        return nodes
    }

    private func node(_ name: [UInt8], _ status: HostFileStatus, link: [UInt8]) -> GoferLowerNode {
        let node = GoferLowerNode(parent: self, name, status, .none)
        if node.type == .symbolicLink, !link.isEmpty { node.state.withLock { $0.linkTarget = link } }
        return node
    }

    /// Whether so many entries were asked for one by one that all had better come in one message.
    private func isReadingDue() -> Bool {
        state.withLock { s in
            s.misses += 1
            let size = s.listing?.current.map { UInt64($0.entries.count) * 32 } ?? status.size
            guard s.misses >= GoferInode.missesBeforeReading(directorySize: size) else { return false }
            s.misses = 0
            return true
        }
    }

    /// Directories come with attributes, since whoever lists a tree goes into them; others' come when several are asked for.
    public func list() throws(Errno) -> [LowerEntry] {
        guard type == .directory else { throw .ENOTDIR }
        if let listing = currentListing { return listing.lowerEntries }
        return try fetchListing(.directories).lowerEntries
    }

    private func fetchListing(_ attributes: HandleWish) throws(Errno) -> LowerListing {
        let hasHandle = ownHandle != nil
        var entries: [ListedEntry] = []
        var reply = try withTarget { target throws(Errno) in
            try tree.connection.call(ListRequest(target, attributes: attributes, handles: hasHandle ? .none : .directories))
        }
        if reply.node != .none { _ = adopt(reply.node) }
        entries = reply.entries
        while reply.stream != .none {
            guard !reply.entries.isEmpty else { throw tree.connection.fail("the Gofer's directory has no end") }
            reply = try tree.connection.call(ListRequest(NodeTarget(.none), stream: reply.stream, attributes: attributes))
            entries.append(contentsOf: reply.entries)
        }
        for (index, entry) in entries.enumerated() where entry.status == nil && FileType(directoryEntryType: entry.type) == nil {
            // A file system without d_type, and the entry could not be looked at with the others.
            if let node = try walkOne(entry.name) { entries[index].type = node.type.directoryEntryType }
        }
        let listing = LowerListing(entries, isFiltered: reply.isFiltered)
        let slot = tree.listings.insert(listing, weight: entries.count + 4)
        let replaced = state.withLock { s in
            defer { s.listing = slot }
            return s.listing
        }
        replaced?.clear()
        return listing
    }

    public func readLink() throws(Errno) -> [UInt8] {
        guard type == .symbolicLink else { throw .EINVAL }
        if let target = state.withLock({ $0.linkTarget }) { return target }
        let target = try withTarget { target throws(Errno) in try tree.connection.call(ReadLinkRequest(target)).bytes }
        guard !target.isEmpty, target.count <= ProtocolLimits.maximumLink, NameRule.isPlain(target) else {
            throw tree.connection.fail("the Gofer sent a malformed link")
        }
        state.withLock { $0.linkTarget = target }
        return target
    }
}
