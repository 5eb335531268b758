import LinuxABI
import Synchronization

/// mount(2), umount2(2), pivot_root(2). Callers have checked that they may (CAP_SYS_ADMIN in the owner of the namespace).
extension MountNamespace {
    /// Mounts `fileSystem` over `place`. Directories go on directories, other files on other files.
    /// - Throws: ENOTDIR, ENOENT when the place was removed, EINVAL for a place of another namespace, EBUSY when the same is mounted there.
    @discardableResult
    public func mount(
        _ fileSystem: any FileSystem, at place: Path, flags: MountFlags = [], source: [UInt8] = Array("none".utf8), readOnly: Bool = false
    ) throws(Errno) -> Mount {
        let place = try checked(place, isDirectory: fileSystem.root.type == .directory)
        return try table.change { s, _ throws(Errno) in
            try self.check(s, holds: place.mount)
            let id = s.makeMount(of: fileSystem, flags: flags, source: source, readOnly: readOnly)
            guard let mount = s.nodes[id]?.mount else { throw .EINVAL }
            if place.dentry === place.mount.root && place.mount.fileSystem === fileSystem && place.mount.root === mount.root {
                s.discard(id)
                throw .EBUSY
            }
            do throws(Errno) { try s.attach(id, at: place) } catch {
                s.discard(id)
                throw error
            }
            return mount
        }
    }

    /// Makes `subtree` visible at `place` too (MS_BIND); with `recursive`, together with what is mounted below it (MS_REC).
    /// - Throws: EINVAL (unbindable, another namespace's, would uncover what a locked mount hides), and as `mount`.
    @discardableResult
    public func bind(_ subtree: Path, at place: Path, recursive: Bool = false) throws(Errno) -> Mount {
        let place = try checked(place, isDirectory: subtree.dentry.isDirectory)
        return try table.change { s, _ throws(Errno) in
            try self.check(s, holds: place.mount)
            let root = try self.copyForBind(&s, subtree, recursive: recursive)
            do throws(Errno) { try s.attach(root, at: place) } catch {
                s.discard(root)
                throw error
            }
            guard let mount = s.nodes[root]?.mount else { throw .EINVAL }
            return mount
        }
    }

    /// The copy that a bind mount or open_tree(2) with OPEN_TREE_CLONE shows.
    func copyForBind(_ s: inout MountTable.State, _ subtree: Path, recursive: Bool) throws(Errno) -> Int32 {
        // The own namespace's, or a tree of no namespace that the caller holds open.
        guard let node = s.nodes[subtree.mount.id], node.namespace == number || s.isNew(subtree.mount.id) || isNamespaceFile(subtree)
        else {
            // A file of nsfs lies in no tree at all.
            guard isNamespaceFile(subtree) else { throw .EINVAL }
            return s.makeMount(of: subtree)
        }
        if node.isUnbindable { throw .EINVAL }
        if !recursive {
            let hides = node.children.contains { child in
                guard let mount = s.nodes[child]?.mount, mount.isLocked.load(ordering: .relaxed) else { return false }
                return mount.position.withLock { $0.map { subtree.dentry.isAncestorOrSelf(of: $0.mountPoint) } ?? false }
            }
            if hides { throw .EINVAL }
            let copy = s.clone(subtree.mount.id, root: subtree.dentry, [], namespace: 0)
            s.nodes[copy]?.mount.isLocked.store(false, ordering: .relaxed)
            return copy
        }
        let copies = try s.copyTree(subtree, [], namespace: 0)
        guard let root = copies[subtree.mount.id] else { throw .EINVAL }
        s.nodes[root]?.mount.isLocked.store(false, ordering: .relaxed)
        return root
    }
    private func isNamespaceFile(_ path: Path) -> Bool { path.mount.fileSystem.typeName == "nsfs" }

    /// Moves a mount to another place (MS_MOVE, move_mount(2)).
    /// - Throws: EINVAL, ELOOP when `place` lies in the mount.
    public func move(_ mount: Mount, to place: Path) throws(Errno) {
        let place = place.top
        guard !place.dentry.isDeleted else { throw .ENOENT }
        try table.change { s, _ throws(Errno) in
            guard let node = s.nodes[mount.id], mount.root.isDirectory == place.dentry.isDirectory else { throw .EINVAL }
            let isDetached = s.isNew(mount.id)
            guard isDetached || node.namespace == number else { throw .EINVAL }
            try self.check(s, holds: place.mount)
            let old = mount.position.withLock { $0 }
            if !isDetached {
                guard let old else { throw .EINVAL }
                if s.nodes[old.parent.id]?.group ?? 0 != 0 { throw .EINVAL }
            }
            if mount.isLocked.load(ordering: .relaxed) { throw .EINVAL }
            let tree = s.tree(at: mount.id)
            if s.nodes[place.mount.id]?.group ?? 0 != 0, tree.contains(where: { s.nodes[$0]?.isUnbindable ?? false }) { throw .EINVAL }
            if tree.contains(place.mount.id) { throw .ELOOP }
            s.disconnect(mount.id)
            do throws(Errno) { try s.attach(mount.id, at: place) } catch {
                if let old { s.connect(mount.id, at: Path(mount: old.parent, dentry: old.mountPoint)) }
                throw error
            }
        }
    }

    /// The topmost place. - Throws: ENOTDIR, ENOENT.
    private func checked(_ place: Path, isDirectory: Bool) throws(Errno) -> Path {
        let place = place.top
        guard isDirectory == place.dentry.isDirectory else { throw .ENOTDIR }
        guard !place.dentry.isDeleted else { throw .ENOENT }
        return place
    }
    /// - Throws: EINVAL for a mount of another namespace (check_mnt).
    func check(_ s: MountTable.State, holds mount: Mount) throws(Errno) {
        guard s.nodes[mount.id]?.namespace == number else { throw .EINVAL }
    }
}

extension MountTable.State {
    /// A mount of a file system, attached nowhere. One that is mounted already keeps its one tree of dentries.
    mutating func makeMount(of fileSystem: any FileSystem, flags: MountFlags, source: [UInt8], readOnly: Bool) -> Int32 {
        let known = nodes.values.first { $0.mount.fileSystem === fileSystem }?.mount
        let root = known.map { Self.rootOfTree($0.root) } ?? Dentry(root: fileSystem.root)
        let superblock = known?.superblock ?? SuperblockState()
        if known == nil { superblock.isReadOnly = readOnly }
        let mount = Mount(id: nextID(), fileSystem: fileSystem, root: root, flags: flags, source: source, superblock: superblock)
        nodes[mount.id] = MountTable.Node(mount: mount, namespace: 0)
        return mount.id
    }
    /// A mount of a file outside every tree: /proc/PID/ns/X.
    mutating func makeMount(of place: Path) -> Int32 {
        let mount = Mount(id: nextID(), fileSystem: place.mount.fileSystem, root: place.dentry, source: Array("nsfs".utf8))
        nodes[mount.id] = MountTable.Node(mount: mount, namespace: 0)
        return mount.id
    }
    private static func rootOfTree(_ dentry: Dentry) -> Dentry {
        var dentry = dentry
        while let parent = dentry.parent { dentry = parent }
        return dentry
    }
}
