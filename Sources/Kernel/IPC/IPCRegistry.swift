import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// Owner and mode of a System V IPC object: Linux's kern_ipc_perm.
public struct IPCPermission: Sendable {
    public var key: Int32
    public var uid: UInt32
    public var gid: UInt32
    public var creatorUID: UInt32
    public var creatorGID: UInt32
    /// Permission bits and object flags.
    public var mode: UInt32
    /// Where capabilities count over the object.
    let userNamespace: UserNamespace

    init(key: Int32, mode: Int32, _ c: Credentials, in namespace: IPCNamespace) {
        self.key = key
        userNamespace = namespace.owner
        uid = c.effectiveUID
        gid = c.effectiveGID
        creatorUID = c.effectiveUID
        creatorGID = c.effectiveGID
        self.mode = UInt32(bitPattern: mode & 0o777)
    }

    /// Linux's ipcperms: any class's bits of `wanted` count. - Throws: EACCES.
    public func check(_ wanted: Int32, _ c: Credentials) throws(Errno) {
        let requested = UInt32(bitPattern: wanted >> 6 | wanted >> 3 | wanted) & 7
        var granted = mode
        if c.effectiveUID == creatorUID || c.effectiveUID == uid {
            granted >>= 6
        } else if isIn(creatorGID, c) || isIn(gid, c) {
            granted >>= 3
        }
        if requested & ~granted != 0 && !c.has(.ipcOwner, in: userNamespace) { throw .EACCES }
    }
    private func isIn(_ group: UInt32, _ c: Credentials) -> Bool { c.effectiveGID == group || c.groups.contains(group) }

    /// For IPC_SET and IPC_RMID. - Throws: EPERM.
    public func checkOwner(_ c: Credentials) throws(Errno) {
        if c.effectiveUID != uid && c.effectiveUID != creatorUID && !c.has(.sysAdmin, in: userNamespace) { throw .EPERM }
    }

    /// IPC_SET.
    mutating func change(_ new: IPCPermissionData, _ c: Credentials) throws(Errno) {
        guard let newUID = c.kernelUser(new.uid), let newGID = c.kernelGroup(new.gid) else { throw .EINVAL }
        uid = newUID
        gid = newGID
        mode = (mode & ~0o777) | (new.mode & 0o777)
    }

    /// As `reader` sees it.
    func data(id: Int32, for reader: Credentials) -> IPCPermissionData {
        var data = IPCPermissionData()
        data.key = key
        data.uid = reader.shownUser(uid)
        data.gid = reader.shownGroup(gid)
        data.creatorUID = reader.shownUser(creatorUID)
        data.creatorGID = reader.shownGroup(creatorGID)
        data.mode = mode
        data.sequence = UInt16(truncatingIfNeeded: id / IPCRegistry.slotLimit)
        return data
    }
}

/// Numbers of System V IPC objects.
public enum IPCRegistry {
    /// IPCMNI: an ID is its sequence times this plus its slot.
    static let slotLimit: Int32 = 32768

    /// The objects of one kind.
    struct Table<Object: AnyObject & Sendable>: Sendable {
        private(set) var objects: [Int32: Object] = [:]
        private var keys: [Int32: Int32] = [:]
        private var usedSlots: Set<Int32> = []
        private var sequence: Int32 = 0
        private var lastSlot: Int32 = -1

        var count: Int { objects.count }
        func object(_ id: Int32) -> Object? { objects[id] }
        func id(forKey key: Int32) -> Int32? { key == IPCFlags.privateKey ? nil : keys[key] }
        /// By slot, for the *_STAT commands: the ID there.
        func id(inSlot slot: Int32) -> Int32? { objects.keys.first { $0 % IPCRegistry.slotLimit == slot } }
        /// The highest slot in use, 0 for none.
        var highestSlot: Int32 { usedSlots.max() ?? 0 }

        /// Gives `make`'s object the lowest free slot. Slots that come round again get another sequence number.
        mutating func insert(key: Int32, limit: Int, _ make: (Int32) throws(Errno) -> Object) throws(Errno) -> Int32 {
            guard objects.count < limit else { throw .ENOSPC }
            var slot: Int32 = 0
            while usedSlots.contains(slot) { slot += 1 }
            let next = slot > lastSlot ? sequence : sequence == 0x7fff ? 0 : sequence + 1
            let id = next &* IPCRegistry.slotLimit &+ slot
            objects[id] = try make(id)
            (sequence, lastSlot) = (next, slot)
            usedSlots.insert(slot)
            if key != IPCFlags.privateKey { keys[key] = id }
            return id
        }
        mutating func remove(_ id: Int32, key: Int32) {
            guard objects.removeValue(forKey: id) != nil else { return }
            usedSlots.remove(id % IPCRegistry.slotLimit)
            if keys[key] == id { keys[key] = nil }
        }
        mutating func forgetKey(_ key: Int32, of id: Int32) { if keys[key] == id { keys[key] = nil } }
    }

    static var now: Int64 { HostClock.realtime.timespec.seconds }
}

/// System V IPC objects and POSIX message queues: ipc_namespaces(7).
///
/// Lock order: a table's lock, then an object's.
public final class IPCNamespace: Namespace {
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?
    public let posixQueues = POSIXQueueNamespace()
    let segments = Mutex(IPCRegistry.Table<SharedMemorySegment>())
    let semaphores = Mutex(IPCRegistry.Table<SemaphoreSet>())
    let queues = Mutex(IPCRegistry.Table<MessageQueue>())

    /// The initial one.
    public init() {
        number = NamespaceKind.ipc.initialNumber
        owner = .initial
        charge = nil
    }
    /// An empty one. - Throws: ENOSPC.
    init(owner: UserNamespace, by uid: UInt32) throws(Errno) {
        charge = try NamespaceCharge(.ipc, in: owner, by: uid)
        number = NamespaceKind.nextNumber()
        self.owner = owner
    }
    public var kind: NamespaceKind { .ipc }

    /// Linux's ipcget: the object of a key, or a new one.
    func get<Object>(
        _ table: borrowing Mutex<IPCRegistry.Table<Object>>, key: Int32, flags: Int32, limit: Int,
        check: (Object) throws(Errno) -> Void, make: (Int32) throws(Errno) -> Object
    ) throws(Errno) -> Int32 {
        try table.withLock { t throws(Errno) in
            if let id = t.id(forKey: key), let found = t.object(id) {
                if flags & (IPCFlags.create | IPCFlags.exclusive) == IPCFlags.create | IPCFlags.exclusive { throw .EEXIST }
                try check(found)
                return id
            }
            if key != IPCFlags.privateKey && flags & IPCFlags.create == 0 { throw .ENOENT }
            return try t.insert(key: key, limit: limit, make)
        }
    }

    /// The process ended: its semaphore adjustments are undone (SEM_UNDO of semop(2)).
    func processEnded(_ group: ThreadGroup) {
        for set in semaphores.withLock({ Array($0.objects.values) }) { set.undo(for: group) }
    }
}
