import LinuxABI
import Synchronization

extension MountNamespace {
    /// pivot_root(2) for a process with the root `root`. The caller moves the processes over that have the old root.
    /// - Throws: EINVAL, EBUSY, ENOENT.
    public func pivot(to new: Path, putting old: Path, root: Path) throws(Errno) {
        let old = old.top
        try table.change { s, _ throws(Errno) in
            let (newMount, oldMount, rootMount) = (new.mount, old.mount, root.mount)
            func isShared(_ mount: Mount?) -> Bool { mount.flatMap { s.nodes[$0.id] }.map { $0.group != 0 } ?? false }
            if isShared(oldMount) || isShared(newMount.parent) || isShared(rootMount.parent) { throw .EINVAL }
            try self.check(s, holds: rootMount)
            try self.check(s, holds: newMount)
            if newMount.isLocked.load(ordering: .relaxed) { throw .EINVAL }
            if new.dentry.isDeleted { throw .ENOENT }
            if newMount === rootMount || oldMount === rootMount { throw .EBUSY }
            guard root.dentry === rootMount.root, new.dentry === newMount.root else { throw .EINVAL }
            let isNamespaceRoot = self.root.mount === rootMount
            let rootPosition = rootMount.position.withLock { $0 }
            guard isNamespaceRoot || rootPosition != nil, newMount.position.withLock({ $0 != nil }) else { throw .EINVAL }
            guard old.isReachable(from: new), new.isReachable(from: root) else { throw .EINVAL }
            s.disconnect(newMount.id)
            if rootMount.isLocked.exchange(false, ordering: .relaxed) { newMount.isLocked.store(true, ordering: .relaxed) }
            s.disconnect(rootMount.id)
            s.connect(rootMount.id, at: old)
            if let rootPosition {
                s.connect(newMount.id, at: Path(mount: rootPosition.parent, dentry: rootPosition.mountPoint))
            } else {
                self.setRoot(newMount)
            }
            s.touch(number)
        }
    }
}
