import LinuxABI
import Synchronization

/// The mounts that a group of processes sees: Linux's mnt_namespace. All mounts are private; there is no propagation.
public final class MountNamespace: Sendable {
    public let root: Path
    /// Drivers behind device nodes.
    public let devices = DeviceRegistry()
    /// What mount(2) can make.
    public let fileSystemTypes = FileSystemTypeRegistry()

    private struct Key: Hashable {
        let mount: ObjectIdentifier
        let dentry: ObjectIdentifier
    }
    private struct State {
        /// In the order of mounting.
        var mounts: [Mount]
        /// One mount a place: a second one at the same path sits on the root of the first.
        var byPlace: [Key: Mount] = [:]
        var nextID: Int32 = 2
    }
    private let state: Mutex<State>

    public convenience init(rootFileSystem: any FileSystem) {
        self.init(rootFileSystem: rootFileSystem, cacheCapacity: DentryTree.defaultCapacity)
    }

    init(rootFileSystem: any FileSystem, cacheCapacity: Int) {
        let dentry = Dentry(root: rootFileSystem.root, capacity: cacheCapacity)
        let mount = Mount(id: 1, fileSystem: rootFileSystem, root: dentry)
        root = Path(mount: mount, dentry: dentry)
        state = Mutex(State(mounts: [mount]))
    }

    /// What is mounted at (`mount`, `dentry`); nil when nothing is.
    public func mounted(on mount: Mount, _ dentry: Dentry) -> Mount? {
        let key = Key(mount: ObjectIdentifier(mount), dentry: ObjectIdentifier(dentry))
        return state.withLock { $0.byPlace[key] }
    }

    /// `path`, or what is mounted over it, however many deep.
    public func top(of path: Path) -> Path {
        var path = path
        while path.dentry.isMountPoint, let next = mounted(on: path.mount, path.dentry) {
            path = Path(mount: next, dentry: next.root)
        }
        return path
    }

    /// All mounts, in the order of mounting.
    public var mounts: [Mount] { state.withLock { $0.mounts } }

    /// Mounts `fileSystem` over `place`. Directories go on directories, other files on other files.
    /// - Throws: ENOTDIR, ENOENT when the place was removed.
    @discardableResult
    public func mount(_ fileSystem: any FileSystem, at place: Path, flags: MountFlags = [], source: [UInt8] = Array("none".utf8))
        throws(Errno) -> Mount
    {
        // A file system that is mounted already keeps its one tree of dentries.
        let known = mounts.first { $0.fileSystem === fileSystem }.map { Self.rootOfTree($0.root) }
        return try attach(fileSystem, known ?? Dentry(root: fileSystem.root), at: place, flags: flags, source: source)
    }

    /// Makes `subtree` visible at `place` too (MS_BIND); with `recursive`, together with what is mounted below it (MS_REC).
    /// - Throws: as `mount`.
    @discardableResult
    public func bind(_ subtree: Path, at place: Path, recursive: Bool = false) throws(Errno) -> Mount {
        let below = recursive ? mountsBelow(subtree) : []
        let bound = try attach(
            subtree.mount.fileSystem, subtree.dentry, at: place, flags: subtree.mount.flags, source: subtree.mount.source)
        var copies: [ObjectIdentifier: Mount] = [ObjectIdentifier(subtree.mount): bound]
        for mount in below {
            guard let position = mount.position.withLock({ $0 }), let parent = copies[ObjectIdentifier(position.parent)] else { continue }
            copies[ObjectIdentifier(mount)] = try attach(
                mount.fileSystem, mount.root, at: Path(mount: parent, dentry: position.mountPoint), flags: mount.flags,
                source: mount.source)
        }
        return bound
    }

    /// Moves a mount to another place (MS_MOVE).
    /// - Throws: EINVAL for the root of the namespace, ELOOP when `place` lies in the mount.
    public func move(_ mount: Mount, to place: Path) throws(Errno) {
        let place = top(of: place)
        guard mount.root.isDirectory == place.dentry.isDirectory else { throw .ENOTDIR }
        try state.withLock { state throws(Errno) in
            guard let old = mount.position.withLock({ $0 }) else { throw .EINVAL }
            var above: Mount? = place.mount
            while let m = above {
                if m === mount { throw .ELOOP }
                above = m.parent
            }
            Self.detach(mount, old, &state)
            Self.attach(mount, Mount.Position(parent: place.mount, mountPoint: place.dentry), &state)
        }
    }

    /// umount2(2) of the mount numbered `id`. The caller must hold no reference to it: a mount with other references is busy.
    /// With `detach` (MNT_DETACH) it disappears, and all below it, whoever uses it.
    /// - Throws: EINVAL when it is not a mount of this namespace or its root, EBUSY.
    public func unmount(id: Int32, detach lazily: Bool) throws(Errno) {
        var orphans: [DentryTree] = []
        try state.withLock { state throws(Errno) in
            guard let index = state.mounts.firstIndex(where: { $0.id == id }) else { throw .EINVAL }
            var mount: Mount? = state.mounts[index]
            guard let position = mount?.position.withLock({ $0 }) else { throw .EINVAL }
            let below = state.mounts.filter { $0.id != id && $0.isBelow(id) }
            if !lazily {
                guard below.isEmpty else { throw .EBUSY }
                if let mount { Self.detach(mount, position, &state) }
                state.mounts.remove(at: index)
                guard isKnownUniquelyReferenced(&mount) else {
                    if let mount {
                        state.mounts.insert(mount, at: index)
                        Self.attach(mount, position, &state)
                    }
                    throw .EBUSY
                }
            } else {
                for child in below + [mount].compactMap({ $0 }) {
                    if let place = child.position.withLock({ $0 }) { Self.detach(child, place, &state) }
                }
                state.mounts.removeAll { mount in mount.id == id || below.contains { $0 === mount } }
            }
            for gone in below + [mount].compactMap({ $0 })
            where !state.mounts.contains(where: { $0.fileSystem === gone.fileSystem }) {
                orphans.append(gone.root.tree)
            }
        }
        for tree in orphans { tree.dropAll() }
    }

    // MARK: internals

    private func attach(_ fileSystem: any FileSystem, _ root: Dentry, at place: Path, flags: MountFlags, source: [UInt8]) throws(Errno)
        -> Mount
    {
        let place = top(of: place)
        guard root.isDirectory == place.dentry.isDirectory else { throw .ENOTDIR }
        guard !place.dentry.isDeleted else { throw .ENOENT }
        place.dentry.pin()
        return state.withLock { state in
            let mount = Mount(id: state.nextID, fileSystem: fileSystem, root: root, flags: flags, source: source)
            state.nextID &+= 1
            state.mounts.append(mount)
            Self.attach(mount, Mount.Position(parent: place.mount, mountPoint: place.dentry), &state)
            return mount
        }
    }

    private static func attach(_ mount: Mount, _ position: Mount.Position, _ state: inout State) {
        mount.position.withLock { $0 = position }
        position.mountPoint.mountCount.wrappingAdd(1, ordering: .relaxed)
        state.byPlace[Key(mount: ObjectIdentifier(position.parent), dentry: ObjectIdentifier(position.mountPoint))] = mount
    }

    private static func detach(_ mount: Mount, _ position: Mount.Position, _ state: inout State) {
        mount.position.withLock { $0 = nil }
        position.mountPoint.mountCount.wrappingSubtract(1, ordering: .relaxed)
        state.byPlace[Key(mount: ObjectIdentifier(position.parent), dentry: ObjectIdentifier(position.mountPoint))] = nil
    }

    private static func rootOfTree(_ dentry: Dentry) -> Dentry {
        var dentry = dentry
        while let parent = dentry.parent { dentry = parent }
        return dentry
    }

    /// Mounts on `subtree` or below it, parents first.
    private func mountsBelow(_ subtree: Path) -> [Mount] {
        var inside: Set<ObjectIdentifier> = []
        var result: [Mount] = []
        for mount in mounts {
            guard let position = mount.position.withLock({ $0 }) else { continue }
            let isInside =
                position.parent === subtree.mount
                ? subtree.dentry.isAncestorOrSelf(of: position.mountPoint) : inside.contains(ObjectIdentifier(position.parent))
            if isInside {
                inside.insert(ObjectIdentifier(mount))
                result.append(mount)
            }
        }
        return result
    }
}

extension Mount {
    /// Whether this mount hangs, directly or not, on the one numbered `id`.
    fileprivate func isBelow(_ id: Int32) -> Bool {
        var above = parent
        while let mount = above {
            if mount.id == id { return true }
            above = mount.parent
        }
        return false
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
