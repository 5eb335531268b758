import LinuxABI
import Synchronization

/// MNT_* and UMOUNT_NOFOLLOW of umount2(2).
public struct UnmountFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let force = UnmountFlags(rawValue: 1)
    public static let detach = UnmountFlags(rawValue: 2)
    public static let expire = UnmountFlags(rawValue: 4)
    public static let noFollow = UnmountFlags(rawValue: 8)
    public static let all: UnmountFlags = [.force, .detach, .expire, .noFollow]
}

extension MountNamespace {
    /// umount2(2) of the mount numbered `id`, and of its counterparts in what gets events from its parent. The caller must hold no
    /// reference to it: a mount with other references is busy. With `detach` it disappears with all below it, whoever uses it; `expire`
    /// takes two calls.
    /// - Throws: EINVAL when it is no mount of this namespace, is its root, or is locked; EBUSY, EAGAIN (first call with `expire`).
    public func unmount(id: Int32, _ flags: UnmountFlags) throws(Errno) {
        try table.change { s, gone throws(Errno) in
            guard let node = s.nodes[id], node.namespace == number, !node.mount.isLocked.load(ordering: .relaxed) else { throw .EINVAL }
            guard node.mount.position.withLock({ $0 != nil }) else { throw .EINVAL }
            if flags.contains(.expire) {
                guard flags.isDisjoint(with: [.force, .detach]) else { throw .EINVAL }
                guard !s.isBusy(id) else { throw .EBUSY }
                guard s.nodes[id]?.mount.expires.exchange(true, ordering: .relaxed) == true else { throw .EAGAIN }
            }
            let others = s.counterparts(of: id)
            if !flags.contains(.detach) {
                guard !s.isBusy(id) else { throw .EBUSY }
                for other in others where s.nodes[other]?.children.isEmpty == true && s.isBusy(other) { throw .EBUSY }
            }
            // Counterparts with mounts of their own on them stay, as do locked ones.
            let going = others.filter { other in
                guard let there = s.nodes[other], !there.mount.isLocked.load(ordering: .relaxed) else { return false }
                return flags.contains(.detach) || there.children.isEmpty
            }
            s.detachTree([id], &gone)
            s.detachTree(going.filter { s.nodes[$0] != nil }, &gone)
        }
    }
}

extension MountTable.State {
    /// Whether anybody but the table itself refers to the mount, or something is mounted on it.
    mutating func isBusy(_ id: Int32) -> Bool {
        guard nodes[id]?.children.isEmpty == true, let namespace = nodes[id] else { return true }
        let (group, master, isUnbindable) = (namespace.group, namespace.master, namespace.isUnbindable)
        return isHeld(id, namespace: namespace.namespace, group: group, master: master, isUnbindable: isUnbindable)
    }

    /// Takes the mount out, looks whether the one reference left is unique, and puts it back.
    private mutating func isHeld(_ id: Int32, namespace: UInt64, group: Int32, master: Int32, isUnbindable: Bool) -> Bool {
        guard let mountPoint = nodes[id]?.mount.position.withLock({ $0 }) else { return true }
        var mount = nodes.removeValue(forKey: id)?.mount
        mountPoint.parent.setMounted(nil, on: mountPoint.mountPoint)
        let isHeld = !isKnownUniquelyReferenced(&mount)
        guard let mount else { return true }
        mountPoint.parent.setMounted(mount, on: mountPoint.mountPoint)
        nodes[id] = MountTable.Node(mount: mount, namespace: namespace, group: group, master: master, isUnbindable: isUnbindable)
        return isHeld
    }
}
