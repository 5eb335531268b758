import Kernel
import LinuxABI
import VirtualFileSystem

/// Operations of keyctl(2).
private enum KeyControl: Int32 {
    case getKeyringID, joinSessionKeyring, update, revoke, chown, setPermissions, describe, clear, link, unlink, search, read
    case instantiate, negate, setRequestKeyring, setTimeout, assumeAuthority, getSecurity, sessionToParent, reject, instantiateVector
    case invalidate, getPersistent, diffieHellman, query, encrypt, decrypt, sign, verify, restrictKeyring, move, capabilities, watch
}

extension SystemCallFamilies {
    /// keyctl(2). - Throws: EOPNOTSUPP for the operations on public keys and for watches.
    @Sendable static func sysKeyctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let operation = KeyControl(rawValue: a.int(0)) else { throw .EOPNOTSUPP }
        let id = a.int(1)
        switch operation {
        case .getKeyringID: return Int(try current.key(id, create: a.int(2) != 0, need: .right(.search)).key.serial)
        case .joinSessionKeyring: return try joinSession(current, a.address(1))
        case .update:
            guard a[3] <= 4096 else { throw .EINVAL }
            let payload = a[3] == 0 || a.address(2).isNull ? [] : try current.memory.copyIn(a.address(2), count: Int(a[3]))
            try current.key(id, need: .right(.write)).key.update(payload)
        case .revoke: try writable(current, id).key.revoke()
        case .chown: try changeOwner(current, id, uid: a.uint(2), gid: a.uint(3))
        case .setPermissions:
            guard a.uint(2) & ~KeyPermissions.all == 0 else { throw .EINVAL }
            let reference = try current.key(id, create: true, need: .right(.setAttributes))
            let credentials = current.credentials
            guard credentials.has(.sysAdmin) || reference.key.uid == credentials.fileSystemUID else { throw .EACCES }
            reference.key.setPermissions(a.uint(2))
        case .describe: return try describe(current, id, a.address(2), a[3])
        case .clear: try current.key(id, create: true, need: .right(.write)).key.clear()
        case .link:
            let ring = try current.key(a.int(2), create: true, need: .right(.write))
            try ring.key.makeLink(to: try current.key(id, create: true, need: .right(.link)).key)
        case .unlink:
            let ring = try current.key(a.int(2), need: .right(.write))
            try ring.key.removeLink(to: try current.key(id, need: .nothing).key)
        case .search: return try search(current, a)
        case .read: return try read(current, id, a.address(2), a[3])
        case .setRequestKeyring: return Int(try current.setRequestTarget(id))
        case .setTimeout: try current.key(id, create: true, need: .right(.setAttributes)).key.setTimeout(a.uint(2))
        case .getSecurity:
            _ = try current.key(id, need: .right(.view))
            // There is no security module with labels: the label is empty.
            if !a.address(2).isNull && a[3] > 0 { try current.memory.store(UInt8(0), at: a.address(2)) }
            return 1
        case .sessionToParent: try current.giveSessionKeyringToParent()
        case .invalidate: try current.key(id, need: .right(.search)).key.invalidate()
        case .getPersistent: return try persistent(current, uid: a.uint(1), target: a.int(2))
        case .restrictKeyring: try restrict(current, a)
        case .move:
            guard a.uint(4) & ~1 == 0 else { throw .EINVAL }
            let key = try current.key(id, create: true, need: .right(.link)).key
            let from = try current.key(a.int(2), need: .right(.write)).key
            let to = try current.key(a.int(3), create: true, need: .right(.write)).key
            try from.move(key, to: to, exclusive: a.uint(4) & 1 != 0)
        case .capabilities: return try capabilities(current, a.address(1), a[2])
        case .assumeAuthority:
            // Only a program that request_key(2) started has an authority.
            if id < 0 { throw .EINVAL }
            if id > 0 { throw .ENOKEY }
        case .instantiate, .instantiateVector, .negate: throw .EPERM
        case .reject:
            let error = a.uint(3)
            guard error > 0, error < 4095, ![512, 513, 514, 516].contains(error) else { throw .EINVAL }
            throw .EPERM
        case .diffieHellman, .query, .encrypt, .decrypt, .sign, .verify, .watch: throw .EOPNOTSUPP
        }
        return 0
    }

    /// A key that the caller may write, or whose attributes it may set.
    private static func writable(_ current: CurrentTask, _ id: Int32) throws(Errno) -> KeyReference {
        do throws(Errno) {
            return try current.key(id, need: .right(.write))
        } catch {
            guard error == .EACCES else { throw error }
        }
        return try current.key(id, need: .right(.setAttributes))
    }

    private static func joinSession(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> Int {
        if address.isNull { return Int(try current.joinSessionKeyring(nil).serial) }
        let name = try current.keyText(address)
        if name.first == UInt8(ascii: ".") { throw .EPERM }
        return Int(try current.joinSessionKeyring(name).serial)
    }

    private static func changeOwner(_ current: CurrentTask, _ id: Int32, uid: UInt32, gid: UInt32) throws(Errno) {
        if uid == .max && gid == .max { return }
        let key = try current.key(id, create: true, need: .right(.setAttributes)).key
        let credentials = current.credentials
        if !credentials.has(.sysAdmin) {
            if uid != .max && uid != key.uid { throw .EACCES }
            if gid != .max && gid != key.gid && !credentials.isInGroup(gid) { throw .EACCES }
        }
        try key.setOwner(uid: uid == .max ? nil : uid, gid: gid == .max ? nil : gid)
    }

    /// Stores `bytes` when they fit. - Returns: how many there are.
    private static func give(_ current: CurrentTask, _ bytes: [UInt8], _ address: GuestAddress, _ room: UInt64) throws(Errno) -> Int {
        if !address.isNull && room >= UInt64(bytes.count) && !bytes.isEmpty { try current.memory.copyOut(bytes, to: address) }
        return bytes.count
    }

    private static func describe(_ current: CurrentTask, _ id: Int32, _ address: GuestAddress, _ room: UInt64) throws(Errno) -> Int {
        let key = try current.key(id, need: .right(.view)).key
        let permissions = String(key.permissions, radix: 16)
        let padded = String(repeating: "0", count: max(0, 8 - permissions.count)) + permissions
        let text = "\(key.type.rawValue);\(KeyText.id(key.uid));\(KeyText.id(key.gid));\(padded);"
        return try give(current, Array(text.utf8) + key.description + [0], address, room)
    }

    private static func search(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let type = try current.keyTypeName(a.address(2))
        let description = try current.keyText(a.address(3))
        let ring = try current.key(a.int(1), need: .right(.search))
        let target = a.int(4) == 0 ? nil : try current.key(a.int(4), create: true, need: .right(.write))
        guard let type = KeyType(name: type) else { throw .ENOKEY }
        let found = try current.searchKeyring(ring, type, description)
        if let target {
            try current.require(.link, found)
            try target.key.makeLink(to: found.key)
        }
        return Int(found.key.serial)
    }

    /// KEYCTL_READ: a key that may not be read can be when the caller possesses it.
    private static func read(_ current: CurrentTask, _ id: Int32, _ address: GuestAddress, _ room: UInt64) throws(Errno) -> Int {
        let reference: KeyReference
        do throws(Errno) {
            reference = try current.key(id, need: .nothing)
        } catch {
            throw .ENOKEY
        }
        let mayRead: Void? = try? current.require(.read, reference)
        if mayRead == nil && !reference.isPossessed { throw .EACCES }
        guard reference.key.type.isReadable else { throw .EOPNOTSUPP }
        try reference.key.validate()
        guard reference.key.type == .keyring else { return try give(current, reference.key.payload, address, room) }
        let serials = reference.key.links.map(\.serial)
        let size = serials.count * 4
        if !address.isNull && room >= UInt64(size) && size > 0 { try current.memory.storeArray(serials, at: address) }
        return size
    }

    private static func persistent(_ current: CurrentTask, uid: UInt32, target: Int32) throws(Errno) -> Int {
        let credentials = current.credentials
        let owner = uid == .max ? credentials.realUID : uid
        if owner != credentials.realUID && owner != credentials.effectiveUID && !credentials.has(.setuid) { throw .EPERM }
        let ring = try current.key(target, create: true, need: .right(.write))
        guard ring.key.type == .keyring else { throw .ENOTDIR }
        let persistent = try current.persistentKeyring(owner)
        try ring.key.makeLink(to: persistent)
        return Int(persistent.serial)
    }

    private static func restrict(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) {
        let key = try current.key(a.int(1), need: .right(.setAttributes)).key
        guard !a.address(2).isNull else {
            guard a.address(3).isNull else { throw .EINVAL }
            return try key.refuseLinks()
        }
        let type = try current.keyTypeName(a.address(2))
        if !a.address(3).isNull { _ = try current.keyText(a.address(3)) }
        guard key.type == .keyring else { throw .ENOTDIR }
        // No type here restricts links in a way of its own.
        throw KeyType(name: type) == nil ? .ENOKEY : .ENOENT
    }

    /// KEYCTL_CAPABILITIES: itself, persistent keyrings, invalidation, restriction, moving. No namespaces of names.
    private static func capabilities(_ current: CurrentTask, _ address: GuestAddress, _ room: UInt64) throws(Errno) -> Int {
        let known: [UInt8] = [0x01 | 0x02 | 0x20 | 0x40 | 0x80, 0]
        let count = Int(min(room, 64))
        if count > 0 {
            let bytes = known.prefix(count) + [UInt8](repeating: 0, count: max(0, count - known.count))
            try current.memory.copyOut(Array(bytes), to: address)
        }
        return known.count
    }
}

private enum KeyText {
    /// As the kernel prints an ID: the one that means nobody becomes the overflow ID.
    static func id(_ id: UInt32) -> Int64 { id == .max ? 65534 : Int64(id) }
}
