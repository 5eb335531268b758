import LinuxABI
import Synchronization

/// All mounts of the sandbox, in every mount namespace and outside: Linux's namespace_sem with what it guards. Data only; a mount is known
/// here by its ID.
///
/// Propagation (mount_namespaces(7)) goes by peer groups: `group` is the one that a mount is in, `master` the one that it gets events from.
final class MountTable: Sendable {
    /// fs.mount-max.
    static let maximumMounts = 100_000

    struct Node: Sendable {
        /// Never nil but while umount2(2) counts references.
        var held: Mount?
        var mount: Mount { held ?? Self.placeholder }
        private static let placeholder = Mount(id: 0, fileSystem: AnonymousFileSystem.shared, root: Dentry(root: AnonymousFileSystem.shared.root))
        /// Number of the mount namespace, or of the detached tree, that it belongs to; 0 while a tree is being made.
        var namespace: UInt64
        /// In the order of mounting.
        var children: [Int32] = []
        /// 0: private.
        var group: Int32 = 0
        /// 0: no slave.
        var master: Int32 = 0
        var isUnbindable = false

        init(mount: Mount, namespace: UInt64) {
            held = mount
            self.namespace = namespace
        }
    }
    struct State: Sendable {
        var nodes: [Int32: Node] = [:]
        var lastID: Int32 = 0
        var lastGroup: Int32 = 0
        /// Of the mount namespaces; a detached tree has none.
        var owners: [UInt64: UserNamespace] = [:]
        /// Changes per namespace: poll(2) on /proc/PID/mounts.
        var changes: [UInt64: UInt64] = [:]

        mutating func nextID() -> Int32 {
            lastID &+= 1
            return lastID
        }
        mutating func nextGroup() -> Int32 {
            lastGroup &+= 1
            return lastGroup
        }
        mutating func giveGroup(_ id: Int32) {
            let group = nextGroup()
            nodes[id]?.group = group
        }
        func members(of group: Int32) -> [Int32] { nodes.filter { $0.value.group == group }.keys.sorted() }
        /// The tree at `id`, parents first, in the order of mounting.
        func tree(at id: Int32) -> [Int32] {
            var result: [Int32] = []
            var rest = [id]
            while let next = rest.popLast() {
                guard let node = nodes[next] else { continue }
                result.append(next)
                rest += node.children.reversed()
            }
            return result
        }
        /// Not in any namespace yet (IS_MNT_NEW): nothing propagates there.
        func isNew(_ id: Int32) -> Bool { nodes[id].map { owners[$0.namespace] == nil } ?? true }
        func mounts(of namespace: UInt64) -> Int { nodes.values.count { $0.namespace == namespace } }
    }
    let state = Mutex(State())
    /// Fires when any namespace changes.
    let changed = WaitQueue()
    let devices = DeviceRegistry()
    let fileSystemTypes = FileSystemTypeRegistry()

    /// Runs `body` with the lock held. What it detached goes when the lock is free: a mount may be the last to hold files.
    func change<R>(_ body: (inout State, inout [Mount]) throws(Errno) -> R) throws(Errno) -> R {
        var dropped: [Mount] = []
        defer {
            changed.notify(.everything)
            release(dropped)
        }
        return try state.withLock { s throws(Errno) in
            var gone: [Mount] = []
            defer { dropped = gone }
            return try body(&s, &gone)
        }
    }

    /// A namespace or a detached tree ends: so do all its mounts.
    func dissolve(_ namespace: UInt64) {
        try? change { s, gone throws(Errno) in
            let all = s.nodes.values.filter { $0.namespace == namespace }
            let roots = all.filter { node in
                guard let parent = node.mount.parent else { return true }
                return s.nodes[parent.id]?.namespace != namespace
            }
            for root in roots { s.detachTree([root.mount.id], &gone) }
            s.owners[namespace] = nil
            s.changes[namespace] = nil
        }
    }

    /// Drops the cached names of file systems that nothing mounts any more.
    private func release(_ dropped: [Mount]) {
        guard !dropped.isEmpty else { return }
        let live = state.withLock { s in Set(s.nodes.values.map { ObjectIdentifier($0.mount.fileSystem) }) }
        for mount in dropped where !live.contains(ObjectIdentifier(mount.fileSystem)) { mount.root.tree.dropAll() }
    }
}

extension MountTable.State {
    // MARK: links; nothing here looks at propagation

    mutating func connect(_ id: Int32, at place: Path) {
        guard let mount = nodes[id]?.mount else { return }
        // What is mounted there already moves on top: a propagated mount slips beneath.
        let above = place.mount.mounted(on: place.dentry)
        place.dentry.pin()
        mount.position.withLock { $0 = Mount.Position(parent: place.mount, mountPoint: place.dentry) }
        place.dentry.mountCount.wrappingAdd(1, ordering: .relaxed)
        place.mount.setMounted(mount, on: place.dentry)
        nodes[place.mount.id]?.children.append(id)
        guard let above, above !== mount else { return }
        nodes[place.mount.id]?.children.removeAll { $0 == above.id }
        above.position.withLock { $0 = Mount.Position(parent: mount, mountPoint: mount.root) }
        place.dentry.mountCount.wrappingSubtract(1, ordering: .relaxed)
        mount.root.mountCount.wrappingAdd(1, ordering: .relaxed)
        mount.setMounted(above, on: mount.root)
        nodes[id]?.children.append(above.id)
    }
    @discardableResult
    mutating func disconnect(_ id: Int32) -> Mount.Position? {
        guard let mount = nodes[id]?.mount, let position = mount.position.withLock({ $0 }) else { return nil }
        mount.position.withLock { $0 = nil }
        position.mountPoint.mountCount.wrappingSubtract(1, ordering: .relaxed)
        if position.parent.mounted(on: position.mountPoint) === mount { position.parent.setMounted(nil, on: position.mountPoint) }
        nodes[position.parent.id]?.children.removeAll { $0 == id }
        return position
    }
    mutating func touch(_ namespace: UInt64) { changes[namespace, default: 0] += 1 }

    /// Leaves its peer group: what listened to it alone listens to its own master now. Returns the group that still can be listened to.
    @discardableResult
    mutating func leaveGroup(_ id: Int32) -> Int32 {
        guard let node = nodes[id] else { return 0 }
        guard node.group != 0 else { return node.master }
        nodes[id]?.group = 0
        if nodes.values.contains(where: { $0.group == node.group }) { return node.group }
        for key in nodes.keys where nodes[key]?.master == node.group { nodes[key]?.master = node.master }
        return node.master
    }

    /// Forgets a mount that is disconnected.
    mutating func forget(_ id: Int32) {
        leaveGroup(id)
        nodes[id] = nil
    }
}
