import LinuxABI
import Synchronization

/// The mounts that a group of processes sees: mount_namespaces(7), Linux's mnt_namespace.
public final class MountNamespace: Namespace {
    let table: MountTable
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?
    /// The number that the root mount reports as its parent's: that of a mount which nobody sees.
    public let hiddenParentID: Int32
    /// Set once the tree is there; pivot_root(2) changes it.
    private let rootMount: Mutex<Mount>

    public convenience init(rootFileSystem: any FileSystem) {
        self.init(rootFileSystem: rootFileSystem, cacheCapacity: DentryTree.defaultCapacity)
    }

    /// The initial one.
    init(rootFileSystem: any FileSystem, cacheCapacity: Int) {
        table = MountTable()
        number = NamespaceKind.mnt.initialNumber
        owner = .initial
        charge = nil
        let dentry = Dentry(root: rootFileSystem.root, capacity: cacheCapacity)
        let ids = table.state.withLock { s in (s.nextID(), s.nextID()) }
        hiddenParentID = ids.0
        let mount = Mount(id: ids.1, fileSystem: rootFileSystem, root: dentry, flags: .relativeAccessTime, source: Array("none".utf8))
        rootMount = Mutex(mount)
        table.state.withLock { s in
            s.nodes[mount.id] = MountTable.Node(mount: mount, namespace: number)
            s.owners[number] = .initial
        }
    }

    /// One with nothing in it, for tasks that have ended.
    public static let empty = MountNamespace(rootFileSystem: AnonymousFileSystem.shared, cacheCapacity: 0)

    private init(table: MountTable, number: UInt64, owner: UserNamespace, charge: NamespaceCharge, root: Mount, hiddenParentID: Int32) {
        self.table = table
        self.number = number
        self.owner = owner
        self.charge = charge
        self.hiddenParentID = hiddenParentID
        rootMount = Mutex(root)
    }

    /// Its mounts go with it; with the initial one the whole table does.
    deinit { if charge != nil { table.dissolve(number) } }

    public var kind: NamespaceKind { .mnt }
    /// Drivers behind device nodes.
    public var devices: DeviceRegistry { table.devices }
    /// What mount(2) can make.
    public var fileSystemTypes: FileSystemTypeRegistry { table.fileSystemTypes }

    /// The lowest mount.
    public var root: Path { rootMount.withLock { $0 }.rootPath }
    /// What a process sees at `/` that never changed its root.
    public var topRoot: Path { root.top }
    func setRoot(_ mount: Mount) { rootMount.withLock { $0 = mount } }

    /// What is mounted at (`mount`, `dentry`); nil when nothing is.
    public func mounted(on mount: Mount, _ dentry: Dentry) -> Mount? { mount.mounted(on: dentry) }
    /// `path`, or what is mounted over it, however many deep.
    public func top(of path: Path) -> Path { path.top }

    /// All mounts, in the order of the tree.
    public var mounts: [Mount] {
        let root = rootMount.withLock { $0 }.id
        return table.state.withLock { s in s.tree(at: root).compactMap { s.nodes[$0]?.mount } }
    }
    /// Drops the names and inodes that the caches of all mounted file systems hold and nobody uses.
    public func dropUnusedNames() { for mount in mounts { mount.root.tree.dropUnused() } }
    public func contains(_ mount: Mount) -> Bool { table.state.withLock { $0.nodes[mount.id]?.namespace == number } }
    /// A count that grows with every change.
    public var changeCount: UInt64 { table.state.withLock { $0.changes[number] ?? 0 } }
    /// Fires when this or another namespace changes.
    public var changed: WaitQueue { table.changed }

    /// Whether something is mounted on `dentry` here, whatever way leads to it (is_local_mountpoint).
    func isMountPoint(_ dentry: Dentry) -> Bool {
        guard dentry.isMountPoint else { return false }
        return table.state.withLock { s in
            s.nodes.values.contains { $0.namespace == number && $0.mount.position.withLock { $0?.mountPoint === dentry } }
        }
    }
    /// `dentry` was removed: what other namespaces have mounted on it goes (detach_mounts).
    func detachMounts(on dentry: Dentry) {
        guard dentry.isMountPoint else { return }
        try? table.change { s, gone throws(Errno) in
            let ids = s.nodes.values.filter { $0.mount.position.withLock { $0?.mountPoint === dentry } }.map(\.mount.id)
            s.detachTree(ids, &gone)
        }
    }

    // MARK: copies

    /// From places in a namespace to the same places in its copy.
    public struct Counterparts: Sendable {
        fileprivate let mounts: [Int32: Mount]
        public func counterpart(of path: Path) -> Path {
            mounts[path.mount.id].map { Path(mount: $0, dentry: path.dentry) } ?? path
        }
    }

    /// copy_mnt_ns. - Throws: ENOSPC.
    public func copy(owner newOwner: UserNamespace, by uid: UInt32) throws(Errno) -> (MountNamespace, Counterparts) {
        let charge = try NamespaceCharge(.mnt, in: newOwner, by: uid)
        let fresh = NamespaceKind.nextNumber()
        let isLessPrivileged = newOwner !== owner
        let old = root
        return try table.change { s, _ throws(Errno) in
            var options: MountCopyOptions = .copyUnbindable
            if isLessPrivileged { options.insert(.sharedToSlave) }
            let hidden = s.nextID()
            let copies = try s.copyTree(old, options, namespace: fresh)
            guard let rootID = copies[old.mount.id], let root = s.nodes[rootID]?.mount else { throw .EINVAL }
            if isLessPrivileged {
                s.lockTree(at: rootID)
                // On Linux it sits on a hidden root file system, and so is locked too.
                root.isLocked.store(true, ordering: .relaxed)
            }
            let places = Counterparts(mounts: copies.compactMapValues { s.nodes[$0]?.mount })
            s.owners[fresh] = newOwner
            return (
                MountNamespace(table: table, number: fresh, owner: newOwner, charge: charge, root: root, hiddenParentID: hidden), places
            )
        }
    }
}

extension MountNamespace {
    /// What sysfs(2) and /proc/filesystems list: the types that can be mounted, those that are, and those without a tree.
    public var listedFileSystemTypes: [String] {
        var names = Set(fileSystemTypes.names)
        for mount in mounts { names.insert(mount.fileSystem.typeName) }
        names.formUnion(["proc", "sysfs", "tmpfs", "pipefs", "sockfs"])
        return names.sorted()
    }
}
