import FileSystems
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// statmount(2), listmount(2).
extension SystemCallFamilies {
    public static let mountStatus: [SystemCallEntry] = [
        .init(457, "statmount", sysStatmount),
        .init(458, "listmount", sysListmount),
    ]

    /// `struct mnt_id_req`: 24 bytes, or 32 with a namespace.
    private struct Request {
        var id: UInt64
        var parameter: UInt64
        var namespace: UInt64
    }

    private static func request(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> Request {
        let size = UInt64(try current.memory.load(UInt32.self, at: address))
        guard size <= Page.size else { throw .E2BIG }
        guard size >= 24 else { throw .EINVAL }
        let bytes = try current.memory.copyIn(address, count: Int(size))
        if bytes.dropFirst(32).contains(where: { $0 != 0 }) { throw .E2BIG }
        func word(_ offset: Int) -> UInt64 {
            guard bytes.count >= offset + 8 else { return 0 }
            return (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64($1 * 8) }
        }
        // A descriptor of another namespace cannot be given here.
        guard bytes[4..<8].allSatisfy({ $0 == 0 }) else { throw .EINVAL }
        let request = Request(id: word(8), parameter: word(16), namespace: word(24))
        // Identifiers that are never used twice begin above 31 bits.
        guard request.id > 0x8000_0000 else { throw .EINVAL }
        return request
    }

    /// The caller's namespace is the one it can ask about. - Throws: ENOENT.
    private static func namespace(_ current: CurrentTask, _ request: Request) throws(Errno) -> MountNamespace {
        let namespace = current.mountNamespace
        guard request.namespace == 0 || request.namespace == namespace.number else { throw .ENOENT }
        return namespace
    }

    @Sendable static func sysStatmount(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(3) == 0 else { throw .EINVAL }
        let request = try request(current, a.address(0))
        let namespace = try namespace(current, request)
        guard let mount = namespace.mounts.first(where: { $0.uniqueID == request.id }) else { throw .ENOENT }
        let name = Path(mount: mount, dentry: mount.root).displayName(root: current.root)
        let isReachable = name.first == UInt8(ascii: "/")
        guard isReachable || current.credentials.has(.sysAdmin, in: namespace.owner) else { throw .EPERM }
        let status = try MountStatusText(
            mount, in: namespace, root: current.root, point: isReachable ? name : [], MountStatusMask(rawValue: request.parameter))
        let size = a[2]
        // The fixed part may be cut, the strings may not.
        guard status.strings.isEmpty || size >= UInt64(MountStatusText.fixedSize + status.strings.count) else { throw .EOVERFLOW }
        try current.memory.copyOut(Array(status.bytes.prefix(Int(min(size, UInt64(status.bytes.count))))), to: a.address(1))
        return 0
    }

    @Sendable static func sysListmount(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (reverse, root, maximum): (UInt32, UInt64, UInt64) = (1, .max, 1_000_000)
        guard a.uint(3) & ~reverse == 0 else { throw .EINVAL }
        guard a[2] <= maximum else { throw .EOVERFLOW }
        let request = try request(current, a.address(0))
        let namespace = try namespace(current, request)
        let all = namespace.mounts
        let origin: Path
        if request.id == root {
            origin = current.root
        } else {
            guard let mount = all.first(where: { $0.uniqueID == request.id }) else { throw .ENOENT }
            origin = Path(mount: mount, dentry: mount.root)
        }
        let isAdministrator = current.credentials.has(.sysAdmin, in: namespace.owner)
        if !isAdministrator, origin.displayName(root: current.root).first != UInt8(ascii: "/") { throw .EPERM }
        var ids = all.filter { mount in
            mount !== origin.mount && Path(mount: mount, dentry: mount.root).displayName(root: origin).first == UInt8(ascii: "/")
        }.map(\.uniqueID).sorted()
        if a.uint(3) & reverse != 0 { ids.reverse() }
        if request.parameter != 0 {
            ids = a.uint(3) & reverse != 0 ? ids.filter { $0 < request.parameter } : ids.filter { $0 > request.parameter }
        }
        let given = Array(ids.prefix(Int(a[2])))
        if !given.isEmpty { try current.memory.storeArray(given, at: a.address(1)) }
        return given.count
    }
}

/// `struct statmount`.
private struct MountStatusText {
    static let fixedSize = 512
    var words = [UInt32](repeating: 0, count: fixedSize / 4)
    /// The first is empty, for what has no text.
    var strings: [UInt8] = [0]

    var bytes: [UInt8] { words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32($0 * 8)) } } + strings }

    private mutating func put(_ value: UInt64, at offset: Int) {
        words[offset / 4] = UInt32(truncatingIfNeeded: value)
        words[offset / 4 + 1] = UInt32(truncatingIfNeeded: value >> 32)
    }
    private mutating func put(_ string: [UInt8], at offset: Int) {
        words[offset / 4] = UInt32(strings.count)
        strings += string + [0]
    }

    init(_ mount: Mount, in namespace: MountNamespace, root: Path, point: [UInt8], _ wanted: MountStatusMask) throws(Errno) {
        var given = wanted.intersection(.all)
        let p = namespace.propagation(of: mount, under: root)
        if given.contains(.superblock) {
            put(UInt64(mount.fileSystem.device.major) | UInt64(mount.fileSystem.device.minor) << 32, at: 16)
            put(try mount.fileSystem.statistics().magic, at: 24)
            words[8] = mount.superblock.isReadOnly ? 1 : 0
        }
        if given.contains(.mount) {
            let parent = mount.parent
            put(mount.uniqueID, at: 40)
            put(parent?.uniqueID ?? 0x8000_0000 + UInt64(UInt32(bitPattern: namespace.hiddenParentID)), at: 48)
            words[14] = UInt32(bitPattern: mount.id)
            words[15] = UInt32(bitPattern: parent?.id ?? namespace.hiddenParentID)
            put(Self.attributes(mount.flags).rawValue, at: 64)
            var propagation: UInt64 = 0
            if p.group != 0 { propagation |= MountPropagation.shared.rawValue }
            if p.master != 0 { propagation |= MountPropagation.slave.rawValue }
            if p.isUnbindable { propagation |= MountPropagation.unbindable.rawValue }
            if propagation == 0 { propagation = MountPropagation.isPrivate.rawValue }
            put(propagation, at: 72)
            put(UInt64(UInt32(bitPattern: p.group)), at: 80)
            put(UInt64(UInt32(bitPattern: p.master)), at: 88)
        }
        if given.contains(.propagateFrom) {
            if p.master != 0 { put(UInt64(UInt32(bitPattern: p.from)), at: 96) } else { given.remove(.propagateFrom) }
        }
        if given.contains(.fileSystemType) { put(Array(mount.fileSystem.typeName.utf8), at: 36) }
        if given.contains(.root) { put(MountText.rootInFileSystem(mount), at: 104) }
        if given.contains(.point) { put(point, at: 108) }
        if given.contains(.options) {
            let options = mount.fileSystem.mountOptions
            if options.isEmpty { given.remove(.options) } else { put(Array(options.utf8), at: 4) }
        }
        if given.contains(.namespace) { put(namespace.number, at: 112) }
        if given.contains(.source) { put(mount.source, at: 124) }
        if given.contains(.supported) { put(MountStatusMask.all.rawValue, at: 144) }
        put(given.rawValue, at: 8)
        if strings.count == 1 { strings = [] }
        words[0] = UInt32(Self.fixedSize + strings.count)
    }

    private static func attributes(_ flags: MountFlags) -> MountAttributes {
        var result: MountAttributes = []
        if flags.contains(.readOnly) { result.insert(.readOnly) }
        if flags.contains(.noSetUserID) { result.insert(.noSetUserID) }
        if flags.contains(.noDevices) { result.insert(.noDevices) }
        if flags.contains(.noExecute) { result.insert(.noExecute) }
        if flags.contains(.noDirectoryAccessTime) { result.insert(.noDirectoryAccessTime) }
        if flags.contains(.noSymbolicLinks) { result.insert(.noSymbolicLinks) }
        if flags.contains(.noAccessTime) {
            result.insert(.noAccessTime)
        } else if !flags.contains(.relativeAccessTime) {
            result.insert(.strictAccessTime)
        }
        return result
    }
}
