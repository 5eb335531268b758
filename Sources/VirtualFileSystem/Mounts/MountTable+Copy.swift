import LinuxABI
import Synchronization

/// How a mount is copied: Linux's CL_*.
struct MountCopyOptions: OptionSet, Sendable {
    let rawValue: UInt8
    /// Gets events from the original, and passes none on.
    static let slave = MountCopyOptions(rawValue: 1)
    /// In a peer group of its own, unless it is in the original's.
    static let makeShared = MountCopyOptions(rawValue: 2)
    static let copyUnbindable = MountCopyOptions(rawValue: 4)
    /// A shared original gets a slave: copies for a less privileged namespace.
    static let sharedToSlave = MountCopyOptions(rawValue: 8)
}

extension MountTable.State {
    /// clone_mnt: a mount of `root` like the mount `id`, attached nowhere.
    mutating func clone(_ id: Int32, root: Dentry, _ options: MountCopyOptions, namespace: UInt64) -> Int32 {
        guard let old = nodes[id] else { return 0 }
        let copy = Mount(
            id: nextID(), fileSystem: old.mount.fileSystem, root: root, flags: old.mount.flags, source: old.mount.source,
            superblock: old.mount.superblock)
        copy.lockedFlags = old.mount.lockedFlags
        copy.isLocked.store(old.mount.isLocked.load(ordering: .relaxed), ordering: .relaxed)
        var node = MountTable.Node(mount: copy, namespace: namespace)
        let becomesSlave = options.contains(.slave) || (options.contains(.sharedToSlave) && old.group != 0)
        if becomesSlave {
            node.master = old.group != 0 ? old.group : old.master
        } else {
            node.group = old.group
            node.master = old.master
        }
        if options.contains(.makeShared) && node.group == 0 { node.group = nextGroup() }
        node.isUnbindable = old.isUnbindable && options.contains(.copyUnbindable)
        nodes[copy.id] = node
        return copy.id
    }

    /// copy_tree: `subtree` with all that is mounted below it. Returns the copies by the ID of their originals; that of `subtree.mount` is
    /// the root. - Throws: EINVAL for an unbindable root, EPERM for a locked unbindable mount below.
    mutating func copyTree(_ subtree: Path, _ options: MountCopyOptions, namespace: UInt64) throws(Errno) -> [Int32: Int32] {
        let rootID = subtree.mount.id
        guard let root = nodes[rootID] else { throw .EINVAL }
        if root.isUnbindable && !options.contains(.copyUnbindable) { throw .EINVAL }
        var copies = [rootID: clone(rootID, root: subtree.dentry, options, namespace: namespace)]
        for id in tree(at: rootID).dropFirst() {
            guard let node = nodes[id], let position = node.mount.position.withLock({ $0 }) else { continue }
            guard let parent = copies[position.parent.id], let parentMount = nodes[parent]?.mount else { continue }
            if position.parent.id == rootID && !subtree.dentry.isAncestorOrSelf(of: position.mountPoint) { continue }
            if node.isUnbindable && !options.contains(.copyUnbindable) {
                if node.mount.isLocked.load(ordering: .relaxed) {
                    discard(copies[rootID])
                    throw .EPERM
                }
                continue
            }
            let copy = clone(id, root: node.mount.root, options, namespace: namespace)
            connect(copy, at: Path(mount: parentMount, dentry: position.mountPoint))
            copies[id] = copy
        }
        return copies
    }

    /// Takes apart a tree that was attached nowhere.
    mutating func discard(_ root: Int32?) {
        guard let root else { return }
        for id in tree(at: root).reversed() {
            disconnect(id)
            forget(id)
        }
    }

    /// lock_mnt_tree: a less privileged namespace may neither take flags away nor uncover what mounts hide.
    func lockTree(at root: Int32) {
        for id in tree(at: root) {
            guard let mount = nodes[id]?.mount else { continue }
            mount.lockedFlags = mount.lockedFlags.union(mount.flags.intersection([.readOnly, .noDevices, .noSetUserID, .noExecute]))
                .union(.accessTimes)
            if id != root { mount.isLocked.store(true, ordering: .relaxed) }
        }
    }
}
