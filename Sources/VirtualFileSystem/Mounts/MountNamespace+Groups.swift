import LinuxABI
import Synchronization

/// move_mount(2) with MOVE_MOUNT_SET_GROUP and MOVE_MOUNT_BENEATH.
extension MountNamespace {
    /// do_set_group: the private mount `target` joins the peer group and gets the master of `source`, a mount of the same file system that
    /// shows no less. - Throws: EINVAL.
    public func joinGroup(of source: Path, with target: Path) throws(Errno) {
        guard source.dentry === source.mount.root, target.dentry === target.mount.root else { throw .EINVAL }
        try table.change { s, _ throws(Errno) in
            try self.check(s, holds: source.mount)
            try self.check(s, holds: target.mount)
            guard let from = s.nodes[source.mount.id], let to = s.nodes[target.mount.id], to.group == 0, to.master == 0,
                from.group != 0 || from.master != 0, source.mount.fileSystem === target.mount.fileSystem,
                source.mount.root.isAncestorOrSelf(of: target.mount.root)
            else { throw .EINVAL }
            s.nodes[target.mount.id]?.group = from.group
            s.nodes[target.mount.id]?.master = from.master
            s.touch(number)
        }
    }

    /// Puts `mount` under the one whose root `place` is. - Throws: EINVAL.
    public func move(_ mount: Mount, beneath place: Path) throws(Errno) {
        guard place.dentry === place.mount.root, let below = place.mount.mountPoint else { throw .EINVAL }
        try table.change { s, _ throws(Errno) in
            guard let node = s.nodes[mount.id], mount.root.isDirectory == place.dentry.isDirectory else { throw .EINVAL }
            let isDetached = s.isNew(mount.id)
            guard isDetached || node.namespace == number, !mount.isLocked.load(ordering: .relaxed) else { throw .EINVAL }
            try self.check(s, holds: place.mount)
            guard !place.mount.isLocked.load(ordering: .relaxed) else { throw .EINVAL }
            let old = mount.position.withLock { $0 }
            if !isDetached {
                guard let old, s.nodes[old.parent.id]?.group ?? 0 == 0 else { throw .EINVAL }
            }
            // Not beneath what it carries, nor where it would shadow its own peer.
            guard !s.tree(at: mount.id).contains(below.mount.id), !s.tree(at: mount.id).contains(place.mount.id) else { throw .EINVAL }
            s.disconnect(mount.id)
            do throws(Errno) { try s.attach(mount.id, at: below) } catch {
                if let old { s.connect(mount.id, at: Path(mount: old.parent, dentry: old.mountPoint)) }
                throw error
            }
        }
    }
}
