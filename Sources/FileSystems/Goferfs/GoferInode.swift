import GoferProtocol
import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A host file of a shared tree. Owner, group and mode are the host's; the VFS checks the guest's credentials against them, and the
/// Gofer acts with the rights of the user who started the sandbox.
final class GoferInode: Inode {
    let goferFileSystem: GoferFileSystem
    let key: GoferFileSystem.Key
    let type: FileType
    let shared = InodeState()

    /// Where a file was found.
    struct Origin {
        var directory: GoferInode
        var name: [UInt8]
        let hash: UInt64
        init(directory: GoferInode, name: [UInt8]) {
            self.directory = directory
            self.name = name
            hash = NameHash.of(name)
        }
    }
    struct State {
        var status: HostFileStatus
        /// Fetched by `origin` when it is wanted.
        var handle: NodeHandle?
        /// The name that it was last known by: without a handle it is asked for by it, and what was read ahead of the directory may answer for it.
        var origin: Origin?
        var linkTarget: [UInt8]?
        /// For `..` in listings: the directory it was last found in.
        var parentNumber: UInt64?
        var readable: CacheSlot<SharedHostDescriptor>?
        /// Kept only while somebody uses it: a file open for writing can't be executed on the host (ETXTBSY).
        weak var writable: SharedHostDescriptor?
        /// The host allowed writing only.
        var writableReads = true
        /// Tells attributes, for what has no descriptor that reads or writes.
        var inspector: CacheSlot<SharedHostDescriptor>?
        /// Between creation and the first open.
        var created: SharedHostDescriptor?
        var mappings: [MappingRecord] = []
        /// Carries the sandbox's locks on the host's file while there are any.
        var lockFile: SharedHostDescriptor?
    }
    let state: Mutex<State>
    /// Of a directory: its names, as long as they need not be asked for. A leaf below the change queue's lock.
    let names = Mutex(NameKnowledge())
    /// Until when `State.status` may be used, in nanoseconds of the monotonic clock: what one path walk learnt serves the call that made the
    /// walk, no more. Any change of ours ends it.
    private let freshUntil = Atomic<Int64>(0)
    private static let freshness: Int64 = 100_000
    /// When the sandbox last changed the file, as far as anybody watches.
    private let ownChange = Atomic<Int64>(-1_000_000_000)
    /// Serialises appends of this sandbox, so that each knows where it ended.
    let appending = Mutex<Void>(())

    init(_ fileSystem: GoferFileSystem, _ handle: NodeHandle?, _ status: HostFileStatus) {
        goferFileSystem = fileSystem
        key = GoferFileSystem.Key(status)
        type = status.mode.type ?? .regular
        state = Mutex(State(status: status, handle: handle))
        if type == .regular { shared.setOutsideLocks(self) }
    }

    deinit {
        let (readable, inspector) = state.withLock { ($0.readable, $0.inspector) }
        readable?.clear()
        inspector?.clear()
        let (watch, ahead) = names.withLock { ($0.watch, $0.ahead) }
        ahead?.clear()
        if watch != 0 { connection.changes?.forget(watch) }
        goferFileSystem.forget(key)
    }

    var connection: GoferConnection { goferFileSystem.connection }
    var fileSystem: any FileSystem { goferFileSystem }
    var number: UInt64 { key.inode }

    // MARK: attributes

    func learned(_ status: HostFileStatus) {
        guard status.mode.type == type else { return }
        if type == .directory {
            // What is known to hold is younger.
            names.withLock { n in if !n.hasStatus { state.withLock { $0.status = status } } }
        } else {
            state.withLock { $0.status = status }
        }
        freshUntil.store(MonotonicInstant.now.nanoseconds &+ Self.freshness, ordering: .relaxed)
    }
    /// What is known is old: something was changed.
    func changed() {
        freshUntil.store(0, ordering: .relaxed)
        if FileNotice.isOn { ownChange.store(MonotonicInstant.now.nanoseconds, ordering: .relaxed) }
        if type == .directory {
            names.withLock { $0.hasStatus = false }
        } else if let origin = state.withLock({ $0.origin }) {
            // The host's event may speak of another name of the file, and of stores through a mapping there is none.
            origin.directory.names.withLock { $0.changedEntry(origin.hash) }
        }
    }
    /// Within a second; asked only while somebody watches something.
    var changedLately: Bool {
        shared.hasWriters || MonotonicInstant.now.nanoseconds &- ownChange.load(ordering: .relaxed) < 1_000_000_000
    }
    /// Of mode or owner.
    func changedAccess() {
        changed()
        if type == .directory { names.withLock { $0.access = nil } }
    }

    /// The host's answer now: from an open descriptor where there is one, from what is known of a watched directory, else by a message.
    func currentStatus() throws(Errno) -> HostFileStatus {
        if type == .directory { return try directoryStatus() }
        let (status, descriptor) = state.withLock { s in (s.status, s.writable ?? s.readable?.current ?? s.inspector?.current) }
        if let descriptor { return try HostFileStatus(of: descriptor.number) }
        if freshUntil.load(ordering: .relaxed) > MonotonicInstant.now.nanoseconds { return status }
        if let known = statusAhead() { return known }
        let (reply, inspector) = try asking { (target, wish) throws(Errno) in
            try connection.callForAnyDescriptor(InspectRequest(target, handles: wish))
        }
        let slot = connection.descriptors.insert(inspector)
        let replaced = state.withLock { s in
            defer { s.inspector = slot }
            return s.inspector
        }
        replaced?.clear()
        return reply.status
    }

    /// From a listing with attributes, which is read when others of the directory were asked for too.
    private func statusAhead() -> HostFileStatus? {
        // Stores through a mapping change a file without an event.
        let origin = state.withLock { $0.writable == nil && $0.mappings.isEmpty ? $0.origin : nil }
        guard let origin else { return nil }
        synchronizeNames()
        var answer = origin.directory.answerAhead(origin.name, origin.hash)
        if case .unknown = answer, origin.directory.isCertain(origin.hash, child: self), origin.directory.readAheadIfDue() {
            answer = origin.directory.answerAhead(origin.name, origin.hash)
        }
        guard case .entry(let status, _) = answer, GoferFileSystem.Key(status) == key else { return nil }
        return status
    }

    private func directoryStatus() throws(Errno) -> HostFileStatus {
        synchronizeNames()
        if names.withLock({ $0.hasStatus }) { return state.withLock { $0.status } }
        if freshUntil.load(ordering: .relaxed) > MonotonicInstant.now.nanoseconds { return state.withLock { $0.status } }
        let since = names.withLock { ($0.nameChanges, $0.entryChanges) }
        let fetched = try connection.call(GetAttributesRequest(NodeTarget(try handle().id)))
        guard GoferFileSystem.Key(fetched) == key, fetched.mode.type == type else { throw connection.fail("the Gofer mixed up two files") }
        // Changes made meanwhile still stand in the queue: taken in first, they show in the counts.
        synchronizeNames()
        names.withLock { n in
            guard n.watch != 0, since == (n.nameChanges, n.entryChanges) else { return }
            state.withLock { $0.status = fetched }
            n.hasStatus = true
            n.access = access(fetched)
        }
        return fetched
    }

    func attributes() throws(Errno) -> FileAttributes { FileAttributes(try currentStatus(), connection) }

    /// A watched directory's mode and owner are known; the walk that led here has taken in the host's changes.
    func accessAttributes() throws(Errno) -> FileAttributes {
        guard type == .directory, let access = names.withLock({ $0.access }) else { return try attributes() }
        return FileAttributes(device: key.device, inode: key.inode, mode: access.mode, uid: access.uid, gid: access.gid)
    }

    /// What permission to use a directory depends on, from its status.
    func access(_ status: HostFileStatus) -> NameKnowledge.Access {
        .init(mode: status.mode, uid: connection.userInside(status.uid), gid: connection.groupInside(status.gid))
    }

    // MARK: handle

    /// What names this file to the Gofer, whatever happens to its names.
    /// - Throws: ESTALE when the file that was seen in a listing is no longer there.
    func handle() throws(Errno) -> NodeHandle {
        let (present, origin) = state.withLock { ($0.handle, $0.origin) }
        if let present { return present }
        guard let origin else { throw .ESTALE }
        let above = try origin.directory.handle()
        let reply = try connection.call(WalkRequest(node: above.id, handles: .all, watches: true, names: [origin.name]))
        withExtendedLifetime(above) {}
        guard let found = reply.nodes.first, found.node != .none else { throw .ESTALE }
        let fresh = NodeHandle(found.node, connection)
        guard GoferFileSystem.Key(found.status) == key else { throw stale(origin) }
        adopt(fresh, watch: found.watch)
        if found.watch != 0 { startWatch(found.watch, found.status) }
        return fresh
    }

    /// Asks about this file by its handle, or by the name that it was found under, which brings a handle.
    /// - Throws: ESTALE when that name means something else now.
    func asking(_ request: (NodeTarget, HandleWish) throws(Errno) -> (reply: NodeReply, file: SharedHostDescriptor)) throws(Errno)
        -> (reply: NodeReply, file: SharedHostDescriptor)
    {
        let (present, origin) = state.withLock { ($0.handle, $0.origin) }
        if let present {
            defer { withExtendedLifetime(present) {} }
            let answer = try request(NodeTarget(present.id), .none)
            guard GoferFileSystem.Key(answer.reply.status) == key, answer.reply.status.mode.type == type else {
                throw connection.fail("the Gofer mixed up two files")
            }
            return answer
        }
        guard let origin else { throw .ESTALE }
        let above = try origin.directory.handle()
        defer { withExtendedLifetime(above) {} }
        let answer = try request(NodeTarget(above.id, origin.name), .all)
        let fresh = NodeHandle(answer.reply.node, connection)
        guard GoferFileSystem.Key(answer.reply.status) == key else { throw stale(origin) }
        adopt(fresh, watch: 0)
        return answer
    }

    /// The name means another file, of which no event told: it is looked up anew.
    func stale(_ origin: Origin) -> Errno {
        origin.directory.names.withLock { $0.forgetName(origin.hash) }
        return .ESTALE
    }

    /// Names this file for a request that only reads: by the name that it was found under while it has no handle.
    func readingTarget() throws(Errno) -> (target: NodeTarget, kept: NodeHandle) {
        let (present, origin) = state.withLock { ($0.handle, $0.origin) }
        if let present { return (NodeTarget(present.id), present) }
        guard let origin else { throw .ESTALE }
        let above = try origin.directory.handle()
        return (NodeTarget(above.id, origin.name), above)
    }

    /// A handle that came with a look-up. A watch lasts as long as the handle that it came with.
    func adopt(_ fresh: NodeHandle, watch: Int32) {
        let isWatched = watch != 0 && names.withLock { $0.watch == 0 }
        let old = state.withLock { s -> (handle: NodeHandle?, origin: Origin?) in
            guard s.handle == nil || isWatched else { return (nil, nil) }
            defer {
                s.handle = fresh
                // A directory needs it no more, and would keep all above it.
                if type == .directory { s.origin = nil }
            }
            return (s.handle, s.origin)
        }
        // What goes with them takes other locks.
        withExtendedLifetime(old) {}
    }

    func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        var request = SetAttributesRequest(node: try handle().id)
        request.permissions = change.permissions.map { $0 & 0o7777 }
        if let owners = connection.owners {
            // chown(2): EINVAL where the user namespace has no such number.
            if let uid = change.uid {
                guard let user = owners.user(outside: uid) else { throw .EINVAL }
                request.uid = user
            }
            if let gid = change.gid {
                guard let group = owners.group(outside: gid) else { throw .EINVAL }
                request.gid = group
            }
        } else {
            request.uid = change.uid
            request.gid = change.gid
        }
        request.accessTime = Self.time(change.accessTime)
        request.modificationTime = Self.time(change.modificationTime)
        changedAccess()
        defer { changedAccess() }
        learned(try connection.call(request))
    }

    private static func time(_ change: AttributeChange.TimeChange?) -> HostNames.Time {
        switch change {
        case nil: .omit
        case .now?: .now
        case .set(let time)?: .set(Timespec(seconds: time.seconds, nanoseconds: min(max(0, time.nanoseconds), 999_999_999)))
        }
    }

    func readLink(caller: any Caller) throws(Errno) -> [UInt8] {
        guard type == .symbolicLink else { throw .EINVAL }
        // The target of a link's inode never changes.
        if let target = state.withLock({ $0.linkTarget }) { return target }
        let target = try connection.call(ReadLinkRequest(NodeTarget(try handle().id))).bytes
        guard !target.isEmpty, target.count <= ProtocolLimits.maximumLink, NameRule.isPlain(target) else {
            throw connection.fail("the Gofer sent a malformed link")
        }
        state.withLock { $0.linkTarget = target }
        return target
    }
}
