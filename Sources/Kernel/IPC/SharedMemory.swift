import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A System V shared-memory segment: shmget(2). What mappings map is the segment itself, which counts them and passes on to the memory
/// behind it.
public final class SharedMemorySegment: MemoryMappable {
    /// SHM_DEST and SHM_LOCKED in the mode of shmid_ds.
    static let destroyed: UInt32 = 0o1000
    static let locked: UInt32 = 0o2000

    public let id: Int32
    public let size: UInt64
    private let content: any MemoryMappable
    struct State: Sendable {
        /// The namespace holds the segment, until it ends itself.
        weak var namespace: IPCNamespace?
        var permission: IPCPermission
        var attachTime: Int64 = 0
        var detachTime: Int64 = 0
        var changeTime: Int64
        var creator: Int32
        var lastUser: Int32 = 0
        var attaches = 0
    }
    let state: Mutex<State>

    init(id: Int32, size: UInt64, content: any MemoryMappable, permission: IPCPermission, creator: Int32, namespace: IPCNamespace) {
        self.id = id
        self.size = size
        self.content = content
        state = Mutex(State(namespace: namespace, permission: permission, changeTime: IPCRegistry.now, creator: creator))
    }

    /// Name in /proc/PID/maps.
    public var mappedPath: [UInt8] {
        let key = UInt32(bitPattern: state.withLock { $0.permission.key })
        let digits = String(key, radix: 16)
        return Array(("/SYSV" + String(repeating: "0", count: 8 - digits.count) + digits + " (deleted)").utf8)
    }

    // MARK: MemoryMappable

    public func backing(offset: UInt64, length: UInt64, forWriting: Bool) throws(Errno) -> [MappablePiece] {
        try content.backing(offset: offset, length: length, forWriting: forWriting)
    }
    public func addMapping(_ record: MappingRecord) {
        content.addMapping(record)
        state.withLock {
            $0.attaches += 1
            $0.attachTime = IPCRegistry.now
        }
    }
    public func removeMapping(_ record: MappingRecord) {
        content.removeMapping(record)
        let isLast = state.withLock { s -> Bool in
            s.attaches -= 1
            s.detachTime = IPCRegistry.now
            return s.attaches == 0 && s.permission.mode & Self.destroyed != 0
        }
        if isLast { state.withLock { $0.namespace }?.forget(self) }
    }
    /// The segment's ID shows as the inode number.
    public var mappingIdentity: (device: DeviceNumber, inode: UInt64) {
        (content.mappingIdentity.device, UInt64(UInt32(bitPattern: id)))
    }
    public var mappableSize: UInt64 { content.mappableSize }
    public func synchronizeMapping(offset: UInt64, length: UInt64) throws(Errno) {}
}

/// One shmat(2): what its VMA holds.
public final class SharedMemoryAttachment: MappedFileOwner {
    public let segment: SharedMemorySegment
    public init(_ segment: SharedMemorySegment) { self.segment = segment }
    public var mappedPath: [UInt8] { segment.mappedPath }
}

extension IPCNamespace {
    /// kernel.shmmax, kernel.shmall (pages), kernel.shmmni.
    public static let maximumSegmentSize: UInt64 = .max - (1 << 24)
    public static let maximumSegmentPages: UInt64 = .max - (1 << 24)
    public static let maximumSegments = 4096

    /// shmget(2). `content` makes the memory of a new segment, its size in whole pages.
    public func sharedMemory(
        key: Int32, size: UInt64, flags: Int32, for current: CurrentTask, content: (UInt64) throws(Errno) -> any MemoryMappable
    ) throws(Errno) -> Int32 {
        let credentials = current.credentials
        return try get(
            segments, key: key, flags: flags, limit: Self.maximumSegments,
            check: { found throws(Errno) in
                if found.size < size { throw .EINVAL }
                try found.state.withLock { $0.permission }.check(flags, credentials)
            },
            make: { id throws(Errno) in
                if size < 1 || size > Self.maximumSegmentSize { throw .EINVAL }
                // The most that an address space could hold.
                guard let rounded = Page.up(size), rounded <= 1 << 46 else { throw .ENOMEM }
                return SharedMemorySegment(
                    id: id, size: size, content: try content(rounded),
                    permission: IPCPermission(key: key, mode: flags, credentials, in: self), creator: current.threadGroup.id, namespace: self)
            })
    }

    /// - Throws: EINVAL.
    public func segment(_ id: Int32) throws(Errno) -> SharedMemorySegment {
        guard id >= 0, let found = segments.withLock({ $0.object(id) }) else { throw .EINVAL }
        return found
    }

    func forget(_ segment: SharedMemorySegment) {
        segments.withLock { $0.remove(segment.id, key: segment.state.withLock { $0.permission.key }) }
    }

    /// IPC_RMID: gone when nobody is attached.
    public func remove(_ segment: SharedMemorySegment, for current: CurrentTask) throws(Errno) {
        let (key, isUnused) = try segment.state.withLock { s throws(Errno) in
            try s.permission.checkOwner(current.credentials)
            let key = s.permission.key
            s.permission.mode |= SharedMemorySegment.destroyed
            // The key is free for another segment at once.
            s.permission.key = IPCFlags.privateKey
            return (key, s.attaches == 0)
        }
        segments.withLock {
            $0.forgetKey(key, of: segment.id)
            if isUnused { $0.remove(segment.id, key: key) }
        }
    }

    /// SHM_INFO. Also the highest slot.
    public func sharedMemoryUsage() -> (usage: SharedMemoryUsage, highest: Int32) {
        segments.withLock { t in
            var usage = SharedMemoryUsage()
            usage.segments = Int32(t.count)
            for segment in t.objects.values { usage.totalPages += (segment.size + Page.size - 1) / Page.size }
            return (usage, t.highestSlot)
        }
    }
    /// The segment in a slot of the table, for SHM_STAT. - Throws: EINVAL.
    public func segment(inSlot slot: Int32) throws(Errno) -> SharedMemorySegment {
        guard let id = segments.withLock({ $0.id(inSlot: slot) }) else { throw .EINVAL }
        return try segment(id)
    }
}

extension SharedMemorySegment {
    /// As `c` sees it.
    public func status(_ c: Credentials) -> SharedMemoryData {
        state.withLock { s in
            var data = SharedMemoryData()
            data.permission = s.permission.data(id: id, for: c)
            data.size = size
            data.attachTime = s.attachTime
            data.detachTime = s.detachTime
            data.changeTime = s.changeTime
            data.creator = s.creator
            data.lastUser = s.lastUser
            data.attaches = UInt64(max(0, s.attaches))
            return data
        }
    }
    /// - Throws: EACCES.
    public func check(_ wanted: Int32, _ c: Credentials) throws(Errno) { try state.withLock { $0.permission }.check(wanted, c) }
    /// Whether IPC_RMID was called: Linux still lets those attach that know the ID.
    public func noteUser(_ group: ThreadGroup) { state.withLock { $0.lastUser = group.id } }
    /// IPC_SET. - Throws: EPERM, EINVAL.
    public func change(_ new: IPCPermissionData, _ c: Credentials) throws(Errno) {
        try state.withLock { s throws(Errno) in
            try s.permission.checkOwner(c)
            try s.permission.change(new, c)
            s.changeTime = IPCRegistry.now
        }
    }
    /// SHM_LOCK and SHM_UNLOCK: memory is never swapped, so only the mark changes. - Throws: EPERM.
    public func setLocked(_ locked: Bool, _ c: Credentials) throws(Errno) {
        try state.withLock { s throws(Errno) in
            if !c.has(.ipcLock, in: s.permission.userNamespace) && c.effectiveUID != s.permission.uid && c.effectiveUID != s.permission.creatorUID { throw .EPERM }
            s.permission.mode = locked ? s.permission.mode | Self.locked : s.permission.mode & ~Self.locked
        }
    }
}
