import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An inode of the in-memory file systems: tmpfs, devtmpfs, and the overlay, where an inode may show a lower node until it is changed.
///
/// An inode over an unchanged lower node can be made again at any time, so its directory holds it weakly and it holds its directory
/// (`origins`). The first change *pins* it: the directory, and every directory above, then holds its child strongly, and the child
/// lets go of them. Memory thus grows with what was changed, not with what was looked at.
///
/// Lock order: a directory's `state`, an inode's `state` and the data's locks are never held together, except that the data's locks
/// are taken one after the other as `TmpfsData` says.
final class TmpfsInode: Sendable {
    enum Content: Sendable {
        case directory(TmpfsDirectory)
        case regular(TmpfsData)
        case symbolicLink([UInt8])
        case special
    }
    /// What happened to the node since it was made or first seen: what an export of the upper layer asks.
    struct Changes: OptionSet, Sendable {
        let rawValue: UInt8
        static let created = Changes(rawValue: 1)
        static let data = Changes(rawValue: 2)
        static let attributes = Changes(rawValue: 4)
        static let extendedAttributes = Changes(rawValue: 8)
        static let moved = Changes(rawValue: 16)
        static let names = Changes(rawValue: 32)
        /// Made or changed before the program started.
        static let setUp = Changes(rawValue: 64)
    }
    /// A directory that shows this node under `name` without holding it.
    struct Origin: Sendable {
        var directory: TmpfsInode
        var name: FileName
    }
    struct State {
        var mode: FileMode
        var linkCount: UInt32
        var uid: UInt32
        var gid: UInt32
        var specialDevice = DeviceNumber(major: 0, minor: 0)
        var accessTime: Timespec
        var modificationTime: Timespec
        var changeTime: Timespec
        var birthTime: Timespec?
        /// Nil while those of the lower node stand.
        var extendedAttributes: [[UInt8]: [UInt8]]?
        /// Size and blocks of a lower directory or symbolic link, as the host shows them.
        var lowerSize: UInt64 = 0
        var lowerBlocks: UInt64 = 0
        var origins: [Origin] = []
        var changes: Changes = []
        /// An O_TMPFILE file that may still be given a name.
        var isLinkable = false
    }

    let core: TmpfsCore
    let number: UInt64
    let type: FileType
    let content: Content
    let lower: (any LowerNode)?
    /// Set for lower files with several links, which `core` finds again by it.
    private let identity: TmpfsCore.HostIdentity?
    let state: Mutex<State>
    /// FileFlags as bits.
    private let flagBits = Atomic<UInt32>(0)
    /// The node is held by its directory for good.
    private let pinned: Atomic<Bool>
    /// The access time is later than modification and change: reads need not look (relatime).
    let accessTimeIsFresh = Atomic<Bool>(false)
    private let sharedState = AtomicLazyReference<InodeState>()

    /// A node of the upper layer. The caller charged the inode quota.
    init(
        core: TmpfsCore, number: UInt64? = nil, content: Content, mode: FileMode, uid: UInt32, gid: UInt32, linkCount: UInt32? = nil,
        specialDevice: DeviceNumber = DeviceNumber(major: 0, minor: 0)
    ) {
        self.core = core
        self.number = number ?? core.newNumber()
        type = mode.type ?? .regular
        self.content = content
        lower = nil
        identity = nil
        let now = FileSystemClock.now
        var state = State(
            mode: mode, linkCount: linkCount ?? (mode.isDirectory ? 2 : 1), uid: uid, gid: gid, accessTime: now, modificationTime: now,
            changeTime: now, birthTime: now)
        state.specialDevice = specialDevice
        state.changes = .created
        state.extendedAttributes = [:]
        self.state = Mutex(state)
        pinned = Atomic(true)
    }

    /// A node that shows `lower`.
    init(
        core: TmpfsCore, lower: any LowerNode, attributes a: FileAttributes, content: Content, identity: TmpfsCore.HostIdentity?,
        isPinned: Bool
    ) {
        self.core = core
        self.lower = lower
        number = core.number(forHost: a.inode, device: a.device)
        type = lower.type
        self.content = content
        self.identity = identity
        var state = State(
            mode: FileMode(lower.type, a.mode.permissions), linkCount: a.linkCount, uid: a.uid, gid: a.gid, accessTime: a.accessTime,
            modificationTime: a.modificationTime, changeTime: a.changeTime, birthTime: a.birthTime)
        state.specialDevice = a.specialDevice
        state.lowerSize = a.size
        state.lowerBlocks = a.blocks
        self.state = Mutex(state)
        pinned = Atomic(isPinned)
        core.countInode()
    }

    deinit {
        if let identity { core.forget(identity) }
        core.unchargeInode()
        var orphans = state.withLock { s in s.origins.map(\.directory) }
        state.withLock { $0.origins = [] }
        if case .directory(let directory) = content { orphans += directory.takeNodes() }
        if !orphans.isEmpty { DeferredRelease.release(&orphans) }
    }

    var directory: TmpfsDirectory? {
        if case .directory(let directory) = content { directory } else { nil }
    }
    var data: TmpfsData? {
        if case .regular(let data) = content { data } else { nil }
    }

    // MARK: pinning

    var isPinned: Bool { pinned.load(ordering: .acquiring) }

    /// Must come before every change of the node.
    func pin() {
        if isPinned { return }
        var pending: [TmpfsInode] = [self]
        while let node = pending.popLast() {
            let origins = node.takeOrigins()
            for origin in origins {
                origin.directory.directory?.hold(node, origin.name)
                pending.append(origin.directory)
            }
        }
    }

    private func takeOrigins() -> [Origin] {
        state.withLock { s in
            pinned.store(true, ordering: .releasing)
            let old = s.origins
            s.origins = []
            return old
        }
    }

    /// Records that `directory` shows this node as `name`; false when the node is pinned, and must be held.
    func addOrigin(_ directory: TmpfsInode, _ name: FileName) -> Bool {
        state.withLock {
            if isPinned { return false }
            if !$0.origins.contains(where: { $0.directory === directory && $0.name == name }) {
                $0.origins.append(Origin(directory: directory, name: name))
            }
            return true
        }
    }

    // MARK: times

    /// Content changed: modification and change time.
    func touchModified(_ changes: Changes) {
        let now = FileSystemClock.now
        state.withLock {
            $0.modificationTime = now
            $0.changeTime = now
            $0.changes.formUnion(changes)
        }
        accessTimeIsFresh.store(false, ordering: .relaxed)
    }
    func touchChanged() {
        let now = FileSystemClock.now
        state.withLock { $0.changeTime = now }
        accessTimeIsFresh.store(false, ordering: .relaxed)
    }

    /// A read, by the relatime rule: the access time follows when it is not later than the others or a day old. An access time
    /// alone does not pin the node.
    func touchAccessed() {
        if accessTimeIsFresh.load(ordering: .relaxed) || flags.contains(.noAccessTime) { return }
        let now = FileSystemClock.now
        state.withLock {
            let a = $0.accessTime
            let isStale =
                !Timespec.isEarlier($0.modificationTime, a) || !Timespec.isEarlier($0.changeTime, a) || now.seconds - a.seconds >= 86400
            if isStale { $0.accessTime = now }
            // Within one tick of the clock the three are equal, and the next read looks again.
            let fresh = Timespec.isEarlier($0.modificationTime, $0.accessTime) && Timespec.isEarlier($0.changeTime, $0.accessTime)
            accessTimeIsFresh.store(fresh, ordering: .relaxed)
        }
    }
}

// MARK: Inode

extension TmpfsInode: Inode {
    var fileSystem: any FileSystem { core.fileSystem }

    var shared: InodeState {
        if let found = sharedState.load() { return found }
        return sharedState.storeIfNil(InodeState())
    }

    func attributes() throws(Errno) -> FileAttributes {
        var result = state.withLock { s in
            var a = FileAttributes(device: core.device, inode: number, mode: s.mode, linkCount: s.linkCount, uid: s.uid, gid: s.gid)
            a.specialDevice = s.specialDevice
            a.accessTime = s.accessTime
            a.modificationTime = s.modificationTime
            a.changeTime = s.changeTime
            a.birthTime = s.birthTime
            a.size = s.lowerSize
            a.blocks = s.lowerBlocks
            return a
        }
        switch content {
        case .regular(let data): (result.size, result.blocks) = data.sizeAndBlocks
        // As tmpfs counts: 20 bytes an entry, `.` and `..` too.
        case .directory(let directory): if lower == nil { result.size = 20 * UInt64(directory.liveCount + 2) }
        case .symbolicLink(let target): result.size = UInt64(target.count)
        case .special: break
        }
        return result
    }

    var keepsFlags: Bool { type == .regular || type == .directory }
    var flags: FileFlags { FileFlags(rawValue: flagBits.load(ordering: .relaxed)) }
    func setFlags(_ flags: FileFlags) throws(Errno) {
        pin()
        flagBits.store(flags.rawValue, ordering: .relaxed)
        touchChanged()
    }

    /// Nobody may write what is immutable.
    func checkAccess(_ access: AccessMask, _ credentials: Credentials) throws(Errno) {
        if access.contains(.write) && flags.contains(.immutable) { throw .EPERM }
        try Permissions.check(access, attributes(), credentials)
    }

    func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        if let permissions = change.permissions, let data, data.seals.contains(.execute) {
            let old = state.withLock { $0.mode.permissions }
            if (old ^ permissions) & 0o111 != 0 { throw .EPERM }
        }
        pin()
        let now = FileSystemClock.now
        state.withLock { s in
            if let permissions = change.permissions { s.mode.permissions = permissions }
            if let uid = change.uid { s.uid = uid }
            if let gid = change.gid { s.gid = gid }
            switch change.accessTime {
            case .now: s.accessTime = now
            case .set(let time): s.accessTime = time
            case nil: break
            }
            switch change.modificationTime {
            case .now: s.modificationTime = now
            case .set(let time): s.modificationTime = time
            case nil: break
            }
            s.changeTime = now
            s.changes.insert(.attributes)
        }
        accessTimeIsFresh.store(false, ordering: .relaxed)
    }

    func readLink(caller: any Caller) throws(Errno) -> [UInt8] {
        guard case .symbolicLink(let target) = content else { throw .EINVAL }
        touchAccessed()
        return target
    }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        switch content {
        case .regular(let data):
            if flags.contains(.exclusive) && flags.contains(.temporaryFileBit) { state.withLock { $0.isLinkable = false } }
            return TmpfsFile(self, data, flags, lower: try lowerDescriptor(data, flags))
        case .directory(let directory): return TmpfsDirectoryFile(self, directory, flags)
        case .symbolicLink: throw .ELOOP
        case .special: throw .ENXIO
        }
    }

    /// The lower descriptor is fetched at open, so that a file the host refuses says so there; a writer that never reads does
    /// without.
    private func lowerDescriptor(_ data: TmpfsData, _ flags: OpenFlags) throws(Errno) -> SharedHostDescriptor? {
        guard data.lower != nil, data.map.withLock({ $0.lowerSize > 0 }) else { return nil }
        do {
            return try data.lowerDescriptor()
        } catch {
            if flags.isReadable { throw error }
            return nil
        }
    }

    func truncate(to length: UInt64, caller: any Caller) throws(Errno) {
        guard let data else { throw type == .directory ? .EISDIR : .EINVAL }
        pin()
        try data.truncate(to: length)
        touchModified(.data)
    }
}
