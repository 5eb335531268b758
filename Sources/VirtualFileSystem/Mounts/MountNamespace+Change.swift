import LinuxABI
import Synchronization

/// Propagation types: MS_SHARED and its like.
public enum MountPropagation: UInt64, Sendable {
    case unbindable = 0x2_0000
    case isPrivate = 0x4_0000
    case slave = 0x8_0000
    case shared = 0x10_0000
}

extension MountNamespace {
    /// do_change_type: of the mount whose root `place` is. - Throws: EINVAL.
    public func setPropagation(_ type: MountPropagation, of place: Path, recursive: Bool) throws(Errno) {
        guard place.dentry === place.mount.root else { throw .EINVAL }
        try table.change { s, _ throws(Errno) in
            try self.check(s, holds: place.mount)
            s.setPropagation(type, of: recursive ? s.tree(at: place.mount.id) : [place.mount.id])
            s.touch(number)
        }
    }

    /// New flags for a mount: a remount with MS_BIND. - Throws: EINVAL, EPERM for flags that are locked.
    public func setFlags(_ flags: MountFlags, of place: Path) throws(Errno) {
        guard place.dentry === place.mount.root else { throw .EINVAL }
        try table.change { s, _ throws(Errno) in
            try self.check(s, holds: place.mount)
            try place.mount.change(to: flags)
            s.touch(number)
        }
    }

    /// mount_setattr(2): on a mount of this namespace or of a detached tree. All mounts change or none.
    /// - Throws: EINVAL, EPERM.
    public func setAttributes(
        _ place: Path, set: MountFlags, clear: MountFlags, propagation: MountPropagation?, recursive: Bool
    ) throws(Errno) {
        guard place.dentry === place.mount.root else { throw .EINVAL }
        try table.change { s, _ throws(Errno) in
            guard let node = s.nodes[place.mount.id], node.namespace == number || s.isNew(place.mount.id) else { throw .EINVAL }
            let ids = recursive ? s.tree(at: place.mount.id) : [place.mount.id]
            for id in ids {
                guard let mount = s.nodes[id]?.mount else { continue }
                try mount.check(mount.flags.subtracting(clear).union(set))
            }
            for id in ids {
                guard let mount = s.nodes[id]?.mount else { continue }
                mount.flags = mount.flags.subtracting(clear).union(set)
            }
            if let propagation { s.setPropagation(propagation, of: ids) }
            s.touch(node.namespace)
        }
    }

    /// What /proc/PID/mountinfo and statmount(2) show of the propagation of a mount: its peer group, its master, the closest group above
    /// whose events it gets that has a member under `root`; 0 for none.
    public func propagation(of mount: Mount, under root: Path? = nil) -> (group: Int32, master: Int32, from: Int32, isUnbindable: Bool) {
        table.state.withLock { s in
            guard let node = s.nodes[mount.id] else { return (0, 0, 0, false) }
            var from: Int32 = 0
            if let root, node.master != 0 {
                var next = node.master
                while next != 0 {
                    let members = s.members(of: next)
                    let isSeen = members.contains { id in
                        guard let member = s.nodes[id], member.namespace == number else { return false }
                        return member.mount.rootPath.isReachable(from: root)
                    }
                    if isSeen {
                        from = next
                        break
                    }
                    next = members.first.flatMap { s.nodes[$0]?.master } ?? 0
                }
            }
            return (node.group, node.master, from, node.isUnbindable)
        }
    }

    /// mount_too_revealing: whether a new instance of `type` (proc, sysfs) shows no more than one that is mounted here already.
    /// Returns the flags that the new mount must keep; nil when it must not be made.
    public func visibleInstanceFlags(_ type: String, wanted: MountFlags) -> MountFlags? {
        table.state.withLock { s in
            for node in s.nodes.values where node.namespace == number && node.mount.fileSystem.typeName == type {
                let mount = node.mount
                guard mount.root.parent == nil else { continue }
                let locked = mount.lockedFlags
                if mount.flags.contains(.readOnly) && locked.contains(.readOnly) && !wanted.contains(.readOnly) { continue }
                if !locked.isDisjoint(with: .accessTimes)
                    && mount.flags.intersection(.accessTimes) != wanted.intersection(.accessTimes) { continue }
                // Mounts on it must hide nothing: they sit on directories that are always empty.
                let hides = node.children.contains { child in
                    guard let above = s.nodes[child]?.mount, above.isLocked.load(ordering: .relaxed) else { return false }
                    return true
                }
                if hides { continue }
                return locked.intersection([.readOnly, .accessTimes])
            }
            return nil
        }
    }
}

extension Mount {
    /// Whether its flags may become `new`. - Throws: EPERM for flags that are locked.
    public func checkChange(to new: MountFlags) throws(Errno) { try check(new) }
    /// can_change_locked_flags. - Throws: EPERM.
    func check(_ new: MountFlags) throws(Errno) {
        let locked = lockedFlags
        if locked.isEmpty { return }
        guard new.isSuperset(of: locked.intersection([.readOnly, .noDevices, .noSetUserID, .noExecute])) else { throw .EPERM }
        if !locked.isDisjoint(with: .accessTimes) && flags.intersection(.accessTimes) != new.intersection(.accessTimes) { throw .EPERM }
    }
    func change(to new: MountFlags) throws(Errno) {
        try check(new)
        flags = new
    }
}

extension MountTable.State {
    mutating func setPropagation(_ type: MountPropagation, of ids: [Int32]) {
        for id in ids {
            guard let node = nodes[id] else { continue }
            if type == .shared {
                if node.group == 0 { giveGroup(id) }
                nodes[id]?.isUnbindable = false
                continue
            }
            let heard = leaveGroup(id)
            if node.group != 0 { nodes[id]?.master = heard }
            if type != .slave { nodes[id]?.master = 0 }
            nodes[id]?.isUnbindable = type == .unbindable
        }
    }
}
