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
    let handle: NodeHandle
    let key: GoferFileSystem.Key
    let type: FileType
    let shared = InodeState()

    struct State {
        var status: HostFileStatus
        var linkTarget: [UInt8]?
        /// For `..` in listings: the directory it was last found in.
        var parentNumber: UInt64?
        var readable: CacheSlot<SharedHostDescriptor>?
        /// Kept only while somebody uses it: a file open for writing can't be executed on the host (ETXTBSY).
        weak var writable: SharedHostDescriptor?
        /// Between creation and the first open.
        var created: SharedHostDescriptor?
        var mappings: [MappingRecord] = []
    }
    let state: Mutex<State>
    /// Until when `State.status` may be used, in nanoseconds of the monotonic clock: what one path walk learnt serves the call that made the
    /// walk, no more. Any change of ours ends it.
    private let freshUntil = Atomic<Int64>(0)
    private static let freshness: Int64 = 1_000_000
    /// Serialises appends of this sandbox, so that each knows where it ended.
    let appending = Mutex<Void>(())

    init(_ fileSystem: GoferFileSystem, _ handle: NodeHandle, _ status: HostFileStatus) {
        goferFileSystem = fileSystem
        self.handle = handle
        key = GoferFileSystem.Key(status)
        type = status.mode.type ?? .regular
        state = Mutex(State(status: status))
    }

    deinit {
        let slot = state.withLock { $0.readable }
        slot?.clear()
        goferFileSystem.forget(key)
    }

    var connection: GoferConnection { goferFileSystem.connection }
    var fileSystem: any FileSystem { goferFileSystem }
    var number: UInt64 { key.inode }

    // MARK: attributes

    func learned(_ status: HostFileStatus) {
        guard status.mode.type == type else { return }
        state.withLock { $0.status = status }
        freshUntil.store(MonotonicInstant.now.nanoseconds &+ Self.freshness, ordering: .relaxed)
    }
    /// What is known is old: something was changed.
    func changed() { freshUntil.store(0, ordering: .relaxed) }

    /// The host's answer now: from an open descriptor where there is one, else by a message.
    func currentStatus() throws(Errno) -> HostFileStatus {
        let (status, descriptor) = state.withLock { s in (s.status, s.writable ?? s.readable?.current) }
        if let descriptor { return try HostFileStatus(of: descriptor.number) }
        if freshUntil.load(ordering: .relaxed) > MonotonicInstant.now.nanoseconds { return status }
        let fetched = try connection.call(GetAttributesRequest(NodeTarget(handle.id)))
        guard GoferFileSystem.Key(fetched) == key, fetched.mode.type == type else { throw connection.fail("the Gofer mixed up two files") }
        learned(fetched)
        return fetched
    }

    func attributes() throws(Errno) -> FileAttributes { FileAttributes(try currentStatus()) }

    func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        var request = SetAttributesRequest(node: handle.id)
        request.permissions = change.permissions.map { $0 & 0o7777 }
        request.uid = change.uid
        request.gid = change.gid
        request.accessTime = Self.time(change.accessTime)
        request.modificationTime = Self.time(change.modificationTime)
        changed()
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
        let target = try connection.call(ReadLinkRequest(NodeTarget(handle.id))).bytes
        guard !target.isEmpty, target.count <= ProtocolLimits.maximumLink, NameRule.isPlain(target) else {
            throw connection.fail("the Gofer sent a malformed link")
        }
        state.withLock { $0.linkTarget = target }
        return target
    }

    // MARK: extended attributes

    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        try connection.call(GetExtendedAttributeRequest(NodeTarget(handle.id), name: try Self.attributeName(name))).bytes
    }
    func setExtendedAttribute(_ name: [UInt8], _ value: [UInt8], flags: Int32, caller: any Caller) throws(Errno) {
        guard value.count <= ProtocolLimits.maximumValue else { throw .E2BIG }
        changed()
        _ = try connection.call(
            SetExtendedAttributeRequest(
                node: handle.id, name: try Self.attributeName(name), value: value, flags: UInt32(bitPattern: flags) & 3))
    }
    func removeExtendedAttribute(_ name: [UInt8], caller: any Caller) throws(Errno) {
        changed()
        _ = try connection.call(RemoveExtendedAttributeRequest(node: handle.id, name: try Self.attributeName(name)))
    }
    func extendedAttributeNames() throws(Errno) -> [[UInt8]] {
        let list = try connection.call(ListExtendedAttributesRequest(NodeTarget(handle.id))).bytes
        return list.split(separator: 0).map { Array($0) }
    }
    private static func attributeName(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard (1...ProtocolLimits.maximumAttributeName).contains(name.count), NameRule.isPlain(name) else { throw .ERANGE }
        return name
    }
}
