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
            // No reference may be kept here: it would make the mount busy.
            guard s.canUnmount(id, from: number) else { throw .EINVAL }
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
        guard nodes[id]?.children.isEmpty == true, let place = nodes[id]?.mount.position.withLock({ $0 }) else { return true }
        // The table's own references: in the node, and at the place.
        var mount = takeMount(id)
        place.parent.setMounted(nil, on: place.mountPoint)
        let isHeld = !isKnownUniquelyReferenced(&mount)
        guard let mount else { return true }
        place.parent.setMounted(mount, on: place.mountPoint)
        nodes[id]?.held = mount
        return isHeld
    }
    private mutating func takeMount(_ id: Int32) -> Mount? { nodes[id]?.held.take() }

    fileprivate func canUnmount(_ id: Int32, from namespace: UInt64) -> Bool {
        guard let node = nodes[id], node.namespace == namespace, !node.mount.isLocked.load(ordering: .relaxed) else { return false }
        return node.mount.position.withLock { $0 != nil }
    }
}
