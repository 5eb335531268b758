import HostOS
import LinuxABI
import Synchronization

/// The keys of a sandbox: serial numbers, quotas, and the keyrings that users have. Linux's security/keys.
///
/// Lock order: `changes`, then a key's `state`, then `registry`, then `users`. No key is given up under `registry` or `users`, whose
/// locks a key's end takes.
public final class KeyService: Sendable {
    private struct Reference { weak var key: Key? }
    private let registry = Mutex<[Int32: Reference]>([:])
    /// What a user's keys take: keyctl(2), /proc/key-users.
    public struct Usage: Sendable {
        public var keys = 0
        public var chargedKeys = 0
        public var bytes = 0
    }
    private let users = Mutex<[UInt32: Usage]>([:])
    private struct UserKeyrings { var own: [UInt32: Key] = [:], session: [UInt32: Key] = [:], persistent: [UInt32: Key] = [:] }
    private let userKeyrings = Mutex(UserKeyrings())
    /// Held while links are changed after a look at them.
    private let changes = Mutex<Int>(0)

    public init() {}

    static var now: Int64 { HostClock.realtime.nanoseconds / 1_000_000_000 }

    func changing<R: Sendable>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        try changes.withLock { _ throws(Errno) in try body() }
    }

    // MARK: quotas

    /// kernel.keys.maxkeys and maxbytes, and those of root.
    public static func limits(_ uid: UInt32) -> (keys: Int, bytes: Int) { uid == 0 ? (1_000_000, 25_000_000) : (200, 20_000) }

    /// - Throws: EDQUOT.
    func charge(_ uid: UInt32, keys: Int, bytes: Int) throws(Errno) {
        let limits = Self.limits(uid)
        let fits = users.withLock { users in
            var usage = users[uid] ?? Usage()
            usage.chargedKeys += keys
            usage.bytes += bytes
            if usage.chargedKeys > limits.keys && keys > 0 || usage.bytes > limits.bytes && bytes > 0 { return false }
            users[uid] = usage
            return true
        }
        if !fits { throw .EDQUOT }
    }

    func forget(_ serial: Int32, uid: UInt32, bytes: Int, isCharged: Bool) {
        _ = registry.withLock { $0.removeValue(forKey: serial) }
        users.withLock { users in
            guard var usage = users[uid] else { return }
            usage.keys -= 1
            if isCharged {
                usage.chargedKeys -= 1
                usage.bytes -= bytes
            }
            users[uid] = usage.keys > 0 ? usage : nil
        }
    }

    /// Moves what a charged key takes from one user to another. - Throws: EDQUOT.
    func moveCharge(from old: UInt32, to new: UInt32, bytes: Int, isCharged: Bool) throws(Errno) {
        if isCharged { try charge(new, keys: 1, bytes: bytes) }
        users.withLock { users in
            users[new, default: Usage()].keys += 1
            guard var usage = users[old] else { return }
            usage.keys -= 1
            if isCharged {
                usage.chargedKeys -= 1
                usage.bytes -= bytes
            }
            users[old] = usage.keys > 0 ? usage : nil
        }
    }

    // MARK: keys

    enum Charge { case none, within, overrun }

    /// key_alloc. The description counts against the quota with its NUL. - Throws: EDQUOT, EAGAIN without random numbers.
    func make(
        _ type: KeyType, _ description: [UInt8], uid: UInt32, gid: UInt32, permissions: UInt32, payload: [UInt8] = [],
        charge kind: Charge = .within
    ) throws(Errno) -> Key {
        let bytes = description.count + 1 + payload.count
        switch kind {
        case .within: try charge(uid, keys: 1, bytes: bytes)
        case .overrun, .none: break
        }
        users.withLock { users in
            users[uid, default: Usage()].keys += 1
            if kind == .overrun {
                users[uid, default: Usage()].chargedKeys += 1
                users[uid, default: Usage()].bytes += bytes
            }
        }
        let state = Key.State(uid: uid, gid: gid, permissions: permissions, payload: payload, charge: kind == .none ? 0 : bytes)
        while true {
            let random = try HostRandom.bytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let serial = Int32(truncatingIfNeeded: random >> 1)
            guard serial >= 3 else { continue }
            let key = registry.withLock { registry -> Key? in
                if registry[serial] != nil { return nil }
                let key = Key(serial: serial, type, description, state: state, isCharged: kind != .none, service: self)
                registry[serial] = Reference(key: key)
                return key
            }
            if let key { return key }
        }
    }

    /// - Throws: ENOKEY.
    func key(_ serial: Int32) throws(Errno) -> Key {
        guard let key = registry.withLock({ $0[serial]?.key }) else { throw .ENOKEY }
        return key
    }

    /// Every key, by serial number: /proc/keys.
    public var all: [Key] { registry.withLock { $0.values.compactMap(\.key) }.sorted { $0.serial < $1.serial } }
    /// /proc/key-users.
    public var usages: [(uid: UInt32, usage: Usage)] {
        users.withLock { $0.map { (uid: $0.key, usage: $0.value) } }.sorted { $0.uid < $1.uid }
    }

    /// `_uid.N`, made on first use.
    func userKeyring(_ uid: UInt32) throws(Errno) -> Key { try userKeyrings(uid).own }
    /// `_uid_ses.N`: the session keyring of processes that have none of their own.
    func userSessionKeyring(_ uid: UInt32) throws(Errno) -> Key { try userKeyrings(uid).session }

    private func userKeyrings(_ uid: UInt32) throws(Errno) -> (own: Key, session: Key) {
        try userKeyrings.withLock { rings throws(Errno) in
            if let own = rings.own[uid], let session = rings.session[uid] { return (own, session) }
            let permissions = KeyPermissions.possessor & ~KeyPermissions.possessorSetAttributes | KeyPermissions.owner
            let own = try make(
                .keyring, Array("_uid.\(uid)".utf8), uid: uid, gid: .max, permissions: permissions, charge: .within)
            let session = try make(
                .keyring, Array("_uid_ses.\(uid)".utf8), uid: uid, gid: .max, permissions: permissions, charge: .within)
            try session.add(own)
            rings.own[uid] = own
            rings.session[uid] = session
            return (own, session)
        }
    }

    /// KEYCTL_GET_PERSISTENT: the keyring of a user that outlives its sessions.
    func persistentKeyring(_ uid: UInt32) throws(Errno) -> Key {
        try userKeyrings.withLock { rings throws(Errno) in
            if let found = rings.persistent[uid] {
                do throws(Errno) {
                    try found.validate()
                    return found
                } catch {}
            }
            let permissions =
                KeyPermissions.possessor & ~KeyPermissions.possessorSetAttributes | KeyPermissions.ownerView
                | KeyPermissions.ownerRead
            let made = try make(
                .keyring, Array("_persistent.\(uid)".utf8), uid: uid, gid: .max, permissions: permissions, charge: .none)
            rings.persistent[uid] = made
            return made
        }
    }
}
