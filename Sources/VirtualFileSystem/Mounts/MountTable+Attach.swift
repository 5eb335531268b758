import LinuxABI
import Synchronization

extension MountTable.State {
    /// attach_recursive_mnt: puts the tree at `source`, which is disconnected, on `place`, and copies of it on the places that get events
    /// from there. - Throws: ENOSPC beyond fs.mount-max, EINVAL.
    mutating func attach(_ source: Int32, at place: Path) throws(Errno) {
        guard let destination = nodes[place.mount.id] else { throw .EINVAL }
        let namespace = destination.namespace
        let all = tree(at: source)
        if mounts(of: namespace) + all.count > MountTable.maximumMounts { throw .ENOSPC }
        var copies: [(root: Int32, place: Path)] = []
        if destination.group != 0 {
            for id in all where nodes[id]?.group == 0 { giveGroup(id) }
            try propagate(source, at: place.dentry, from: destination.group, except: place.mount.id, &copies)
        }
        for id in all { nodes[id]?.namespace = namespace }
        connect(source, at: place)
        touch(namespace)
        let owner = owners[namespace]
        for copy in copies {
            guard let target = nodes[copy.place.mount.id]?.namespace else { continue }
            for id in tree(at: copy.root) { nodes[id]?.namespace = target }
            connect(copy.root, at: copy.place)
            if owners[target] != owner {
                lockTree(at: copy.root)
                nodes[copy.root]?.mount.isLocked.store(false, ordering: .relaxed)
            }
            touch(target)
        }
    }

    /// Copies `source` for the members of `group` but one, and for what gets events from the group.
    private mutating func propagate(
        _ source: Int32, at dentry: Dentry, from group: Int32, except: Int32, _ copies: inout [(root: Int32, place: Path)]
    ) throws(Errno) {
        for id in members(of: group) where id != except && !isNew(id) {
            guard let mount = nodes[id]?.mount, mount.root.isAncestorOrSelf(of: dentry), let copy = try copyOfTree(source, []) else { continue }
            copies.append((copy, Path(mount: mount, dentry: dentry)))
        }
        // Of each peer group among the slaves, the first member gets a slave copy in a new group, which the others share.
        var done: Set<Int32> = []
        for id in nodes.keys.sorted() {
            guard let node = nodes[id], node.master == group, !isNew(id) else { continue }
            if node.group == 0 {
                guard node.mount.root.isAncestorOrSelf(of: dentry), let copy = try copyOfTree(source, .slave) else { continue }
                copies.append((copy, Path(mount: node.mount, dentry: dentry)))
            } else if done.insert(node.group).inserted {
                let first = members(of: node.group).first { !isNew($0) && nodes[$0]?.mount.root.isAncestorOrSelf(of: dentry) == true }
                guard let first, let mount = nodes[first]?.mount, let copy = try copyOfTree(source, [.slave, .makeShared]) else {
                    try propagate(source, at: dentry, from: node.group, except: 0, &copies)
                    continue
                }
                copies.append((copy, Path(mount: mount, dentry: dentry)))
                try propagate(copy, at: dentry, from: node.group, except: first, &copies)
            }
        }
    }

    private mutating func copyOfTree(_ source: Int32, _ options: MountCopyOptions) throws(Errno) -> Int32? {
        guard let mount = nodes[source]?.mount else { return nil }
        let copies = try copyTree(mount.rootPath, options, namespace: 0)
        guard let root = copies[source] else { return nil }
        nodes[root]?.mount.isLocked.store(false, ordering: .relaxed)
        return root
    }

    // MARK: the other way

    /// The mounts at the same place in all that gets events from where `id` is mounted (propagation_next).
    func counterparts(of id: Int32) -> [Int32] {
        guard let mount = nodes[id]?.mount, let position = mount.position.withLock({ $0 }), let parent = nodes[position.parent.id],
            parent.group != 0
        else { return [] }
        var result: [Int32] = []
        var groups = [parent.group]
        var seen: Set<Int32> = [parent.group]
        while let group = groups.popLast() {
            for (other, node) in nodes where node.group == group || node.master == group {
                if node.master == group, node.group != 0, seen.insert(node.group).inserted { groups.append(node.group) }
                guard other != position.parent.id, let there = node.mount.mounted(on: position.mountPoint) else { continue }
                result.append(there.id)
            }
        }
        return result.sorted()
    }

    /// umount_tree: disconnects and forgets `roots` with all below. Locked mounts stay on their parents, which nobody finds any more, so
    /// that what they hide stays hidden from those who still hold a place there.
    mutating func detachTree(_ roots: [Int32], _ gone: inout [Mount]) {
        for root in roots {
            guard let namespace = nodes[root]?.namespace else { continue }
            for id in tree(at: root).reversed() {
                guard let mount = nodes[id]?.mount else { continue }
                if id != root && mount.isLocked.load(ordering: .relaxed) {
                    // No way up any more: that would keep the parent for ever.
                    mount.position.withLock { $0 = nil }
                } else {
                    disconnect(id)
                }
                forget(id)
                gone.append(mount)
            }
            touch(namespace)
        }
    }
}
