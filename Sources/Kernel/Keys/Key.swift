import LinuxABI
import Synchronization

/// What a key holds: keyrings(7), "Key types".
public enum KeyType: String, Sendable {
    case keyring, user, logon

    public init?(name: [UInt8]) {
        switch String(decoding: name, as: UTF8.self) {
        case "keyring": self = .keyring
        case "user": self = .user
        case "logon": self = .logon
        default: return nil
        }
    }
    /// Whether user space may read the payload.
    public var isReadable: Bool { self != .logon }
    public var isUpdatable: Bool { self != .keyring }

    /// The most that a `user` or `logon` key holds.
    static let payloadLimit = 32767

    /// The payload of a new key or an update. - Throws: EINVAL.
    func check(payload: [UInt8]) throws(Errno) {
        switch self {
        case .keyring: if !payload.isEmpty { throw .EINVAL }
        case .user, .logon: guard (1...Self.payloadLimit).contains(payload.count) else { throw .EINVAL }
        }
    }
    /// `logon` descriptions have a service before a colon. - Throws: EINVAL.
    func check(description: [UInt8]) throws(Errno) {
        guard self == .logon else { return }
        guard let colon = description.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { throw .EINVAL }
    }
}

/// Permission bits of a key, one byte each for possessor, owner, group and others: keyrings(7), "Access rights".
public enum KeyRight: UInt32, Sendable {
    case view = 1
    case read = 2
    case write = 4
    case search = 8
    case link = 0x10
    case setAttributes = 0x20
}

public enum KeyPermissions {
    public static let possessor: UInt32 = 0x3f00_0000
    public static let owner: UInt32 = 0x003f_0000
    public static let all: UInt32 = 0x3f3f_3f3f
    static let ownerView: UInt32 = 0x0001_0000
    static let ownerRead: UInt32 = 0x0002_0000
    static let ownerLink: UInt32 = 0x0010_0000
    static let possessorSetAttributes: UInt32 = 0x2000_0000

    /// Of a key that add_key(2) makes.
    static func initial(_ type: KeyType) -> UInt32 {
        let (view, read, write, search, link): (UInt32, UInt32, UInt32, UInt32, UInt32) = (
            0x100_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000
        )
        return view | search | link | possessorSetAttributes | ownerView | write | (type.isReadable ? read : 0)
    }
}

/// A key or keyring: keyrings(7). It goes with the last link and the last process that refers to it.
///
/// `state` is a leaf lock but for the quota, which comes after it. Compound changes hold `KeyService.changes`.
public final class Key: Sendable {
    struct State: Sendable {
        var uid: UInt32
        var gid: UInt32
        var permissions: UInt32
        /// CLOCK_REALTIME seconds; nil: never.
        var expiry: Int64?
        var isRevoked = false
        var isInvalidated = false
        /// KEYCTL_RESTRICT_KEYRING without a type: takes no more links.
        var refusesLinks = false
        var payload: [UInt8] = []
        /// Of a keyring, in the order they were made.
        var links: [Key] = []
        /// Bytes that count against the quota of `uid`.
        var charge: Int
    }
    public let serial: Int32
    public let type: KeyType
    public let description: [UInt8]
    /// Whether it counts against its owner's quota.
    public let isCharged: Bool
    let service: KeyService
    let state: Mutex<State>

    init(
        serial: Int32, _ type: KeyType, _ description: [UInt8], state: State, isCharged: Bool, service: KeyService
    ) {
        self.serial = serial
        self.type = type
        self.description = description
        self.isCharged = isCharged
        self.service = service
        self.state = Mutex(state)
    }

    /// Takes the links out.
    private func takeLinks() -> [Key] {
        state.withLock { state in
            defer { state.links = [] }
            return state.links
        }
    }

    deinit {
        // One by one: keyrings may be nested deeper than the stack.
        var pending = takeLinks()
        while var key = pending.popLast() {
            if isKnownUniquelyReferenced(&key) { pending += key.takeLinks() }
        }
        let (uid, charge) = state.withLock { ($0.uid, $0.charge) }
        service.forget(serial, uid: uid, bytes: charge, isCharged: isCharged)
    }

    public var uid: UInt32 { state.withLock { $0.uid } }
    public var gid: UInt32 { state.withLock { $0.gid } }
    public var permissions: UInt32 { state.withLock { $0.permissions } }
    public var isRevoked: Bool { state.withLock { $0.isRevoked } }
    public var isInvalidated: Bool { state.withLock { $0.isInvalidated } }
    public var payload: [UInt8] { state.withLock { $0.payload } }
    /// Of a keyring, without those that were invalidated.
    public var links: [Key] { state.withLock { $0.links }.filter { !$0.isInvalidated } }
    /// Seconds until it expires, nil for never, 0 for expired.
    public var secondsLeft: Int64? {
        guard let expiry = state.withLock({ $0.expiry }) else { return nil }
        return max(0, expiry - KeyService.now)
    }

    /// key_validate. - Throws: ENOKEY, EKEYREVOKED, EKEYEXPIRED.
    public func validate() throws(Errno) {
        let (revoked, invalidated, expiry) = state.withLock { ($0.isRevoked, $0.isInvalidated, $0.expiry) }
        if invalidated { throw .ENOKEY }
        if revoked { throw .EKEYREVOKED }
        if let expiry, KeyService.now >= expiry { throw .EKEYEXPIRED }
    }
}
