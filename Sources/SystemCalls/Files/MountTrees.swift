import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// open_tree(2), open_tree_attr(2), move_mount(2), mount_setattr(2).
extension SystemCallFamilies {
    public static let mountTrees: [SystemCallEntry] = [
        .init(428, "open_tree", sysOpenTree),
        .init(429, "move_mount", sysMoveMount),
        .init(442, "mount_setattr", sysMountSetattr),
        .init(467, "open_tree_attr", sysOpenTreeAttr),
    ]

    private enum Flag {
        static let noFollow: UInt32 = 0x100
        static let noAutomount: UInt32 = 0x800
        static let emptyPath: UInt32 = 0x1000
        static let recursive: UInt32 = 0x8000
        static let clone: UInt32 = 1
        static let closeOnExec = OpenFlags.closeOnExec.rawValue
    }

    @Sendable static func sysOpenTree(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let description = try openTree(current, a)
        return try current.install(description, closeOnExec: a.uint(2) & Flag.closeOnExec != 0)
    }

    private static func openTree(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> FileDescription {
        let flags = a.uint(2)
        let known = Flag.noFollow | Flag.noAutomount | Flag.emptyPath | Flag.recursive | Flag.clone | Flag.closeOnExec
        guard flags & ~known == 0, flags & (Flag.recursive | Flag.clone) != Flag.recursive else { throw .EINVAL }
        let isClone = flags & Flag.clone != 0
        if isClone { try requireMounting(current) }
        let place = try current.place(
            a.int(0), a.address(1), follow: flags & Flag.noFollow == 0, emptyPath: flags & Flag.emptyPath != 0)
        guard isClone else { return try VFS.open(place, [.path], caller: current) }
        let tree = try DetachedTree.copy(of: place, recursive: flags & Flag.recursive != 0, in: current.mountNamespace)
        return DetachedTreeFile.makeDescription(tree)
    }

    @Sendable static func sysOpenTreeAttr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if a.address(3).isNull && a.a4 != 0 { throw .EINVAL }
        let description = try openTree(current, a)
        if !a.address(3).isNull, let change = try attributeChange(current, a.address(3), size: a.a4) {
            try apply(change, to: description.location, recursive: a.uint(2) & Flag.recursive != 0, current)
        }
        return try current.install(description, closeOnExec: a.uint(2) & Flag.closeOnExec != 0)
    }

    /// MOVE_MOUNT_*.
    private enum Move {
        static let followSource: UInt32 = 0x1
        static let emptySource: UInt32 = 0x4
        static let followTarget: UInt32 = 0x10
        static let emptyTarget: UInt32 = 0x40
        static let setGroup: UInt32 = 0x100
        static let beneath: UInt32 = 0x200
        static let known: UInt32 = 0x377
    }

    @Sendable static func sysMoveMount(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try requireMounting(current)
        let flags = a.uint(4)
        guard flags & ~Move.known == 0, flags & (Move.setGroup | Move.beneath) != Move.setGroup | Move.beneath else { throw .EINVAL }
        let source = try current.place(
            a.int(0), a.address(1), follow: flags & Move.followSource != 0, emptyPath: flags & Move.emptySource != 0)
        let target = try current.place(
            a.int(2), a.address(3), follow: flags & Move.followTarget != 0, emptyPath: flags & Move.emptyTarget != 0)
        guard source.dentry === source.mount.root else { throw .EINVAL }
        let namespace = current.mountNamespace
        if flags & Move.setGroup != 0 {
            try namespace.joinGroup(of: source, with: target)
        } else if flags & Move.beneath != 0 {
            try namespace.move(source.mount, beneath: target)
        } else {
            try namespace.move(source.mount, to: target)
        }
        return 0
    }

    @Sendable static func sysMountSetattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = a.uint(2)
        guard flags & ~(Flag.emptyPath | Flag.recursive | Flag.noFollow | Flag.noAutomount) == 0 else { throw .EINVAL }
        guard let change = try attributeChange(current, a.address(3), size: a.a4) else { return 0 }
        let place = try current.place(
            a.int(0), a.address(1), follow: flags & Flag.noFollow == 0, emptyPath: flags & Flag.emptyPath != 0)
        try apply(change, to: place, recursive: flags & Flag.recursive != 0, current)
        return 0
    }

    private struct AttributeRequest {
        var set: MountFlags
        var clear: MountFlags
        var propagation: MountPropagation?
    }

    /// wants_mount_setattr: nil when nothing is to change. - Throws: EINVAL, E2BIG, EPERM, EFAULT.
    private static func attributeChange(_ current: CurrentTask, _ address: GuestAddress, size: UInt64) throws(Errno) -> AttributeRequest? {
        guard size <= Page.size else { throw .E2BIG }
        guard size >= 32 else { throw .EINVAL }
        try requireMounting(current)
        let tail = try current.memory.copyIn(address + UInt64(32), count: Int(size) - 32)
        let raw = try current.memory.load(MountAttributeChange.self, at: address)
        if tail.contains(where: { $0 != 0 }) { throw .E2BIG }
        if raw.set == 0 && raw.clear == 0 && raw.propagation == 0 { return nil }
        var propagation: MountPropagation?
        if raw.propagation != 0 {
            guard let found = MountPropagation(rawValue: raw.propagation) else { throw .EINVAL }
            propagation = found
        }
        var set = MountAttributes(rawValue: raw.set), clear = MountAttributes(rawValue: raw.clear)
        // No file system here has mounts with IDs mapped.
        guard set.isSubset(of: .settable), clear.isSubset(of: .settable) else { throw .EINVAL }
        var request = AttributeRequest(set: [], clear: [], propagation: propagation)
        if clear.isDisjoint(with: .accessTime) {
            if !set.isDisjoint(with: .accessTime) { throw .EINVAL }
        } else {
            // The field is cleared as a whole, and set to one of its values.
            guard clear.isSuperset(of: .accessTime) else { throw .EINVAL }
            request.clear.formUnion([.noAccessTime, .relativeAccessTime])
            request.set.formUnion(try accessTime(set))
            set.subtract(.accessTime)
            clear.subtract(.accessTime)
        }
        request.set.formUnion(plain(set))
        request.clear.formUnion(plain(clear))
        return request
    }

    private static func apply(_ change: AttributeRequest, to place: Path, recursive: Bool, _ current: CurrentTask) throws(Errno) {
        try current.mountNamespace.setAttributes(
            place, set: change.set, clear: change.clear, propagation: change.propagation, recursive: recursive)
    }

    /// The access-time field as flags. - Throws: EINVAL.
    static func accessTime(_ attributes: MountAttributes) throws(Errno) -> MountFlags {
        switch attributes.intersection(.accessTime) {
        case []: return .relativeAccessTime
        case .noAccessTime: return .noAccessTime
        case .strictAccessTime: return []
        default: throw .EINVAL
        }
    }
    /// All other attributes as flags.
    static func plain(_ attributes: MountAttributes) -> MountFlags {
        var flags: MountFlags = []
        if attributes.contains(.readOnly) { flags.insert(.readOnly) }
        if attributes.contains(.noSetUserID) { flags.insert(.noSetUserID) }
        if attributes.contains(.noDevices) { flags.insert(.noDevices) }
        if attributes.contains(.noExecute) { flags.insert(.noExecute) }
        if attributes.contains(.noDirectoryAccessTime) { flags.insert(.noDirectoryAccessTime) }
        if attributes.contains(.noSymbolicLinks) { flags.insert(.noSymbolicLinks) }
        return flags
    }
}
