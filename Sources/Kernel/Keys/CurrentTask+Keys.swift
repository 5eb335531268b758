import LinuxABI
import Synchronization
import VirtualFileSystem

/// The keyrings of one thread: part of Linux's credentials. Fork hands the session keyring on, a new program keeps only that.
struct TaskKeys: Sendable {
    var session: Key?
    var thread: Key?
    /// KEYCTL_SET_REQKEY_KEYRING: where request_key(2) puts new keys.
    var requestTarget: Int32 = 0

    var inherited: TaskKeys { TaskKeys(session: session, thread: nil, requestTarget: requestTarget) }
}

/// A key as a caller got at it: one found through its own keyrings is possessed.
public struct KeyReference: Sendable {
    public let key: Key
    public let isPossessed: Bool
}

/// Names of keyrings that are not serial numbers: KEY_SPEC_*.
private enum KeyName {
    static let thread: Int32 = -1
    static let process: Int32 = -2
    static let session: Int32 = -3
    static let user: Int32 = -4
    static let userSession: Int32 = -5
    static let group: Int32 = -6
    static let authorization: Int32 = -7
    static let requestor: Int32 = -8
}

/// What the caller wants to do with a key that it names.
public enum KeyNeed: Sendable {
    case right(KeyRight)
    /// Nothing is checked here.
    case nothing
}

extension CurrentTask {
    private var service: KeyService { kernel.keys }

    // MARK: own keyrings

    private func ownKeyring(_ name: String) throws(Errno) -> Key {
        let credentials = self.credentials
        return try service.make(
            .keyring, Array(name.utf8), uid: credentials.fileSystemUID, gid: credentials.fileSystemGID,
            permissions: KeyPermissions.possessor | KeyPermissions.ownerView, charge: .overrun)
    }
    private func threadKeyring(create: Bool) throws(Errno) -> Key {
        if let found = task.state.withLock({ $0.keys.thread }) { return found }
        guard create else { throw .ENOKEY }
        let made = try ownKeyring("_tid")
        task.state.withLock { $0.keys.thread = made }
        return made
    }
    private func processKeyring(create: Bool) throws(Errno) -> Key {
        if let found = threadGroup.attributes.withLock({ $0.processKeyring }) { return found }
        guard create else { throw .ENOKEY }
        let made = try ownKeyring("_pid")
        return threadGroup.attributes.withLock { attributes in
            if let found = attributes.processKeyring { return found }
            attributes.processKeyring = made
            return made
        }
    }
    private func sessionKeyring(create: Bool) throws(Errno) -> Key {
        let uid = task.credentials.realUID
        let own = task.state.withLock { $0.keys.session }
        if let own, !create { return own }
        let shared = try service.userSessionKeyring(uid)
        if let own, own !== shared { return own }
        if create { return try joinSessionKeyring(nil) }
        task.state.withLock { $0.keys.session = shared }
        return shared
    }

    /// KEYCTL_JOIN_SESSION_KEYRING: one of its own without a name, else the one of that name, made when there is none.
    /// - Throws: EDQUOT.
    @discardableResult
    public func joinSessionKeyring(_ name: [UInt8]?) throws(Errno) -> Key {
        let credentials = self.credentials
        let ring: Key
        if let name {
            let found = service.all.first {
                $0.type == .keyring && $0.description == name && !$0.isRevoked && !$0.isInvalidated
                    && $0.allows(.search, credentials, isPossessed: false)
            }
            let permissions =
                KeyPermissions.possessor | KeyPermissions.ownerView | KeyPermissions.ownerRead | KeyPermissions.ownerLink
            if let found {
                ring = found
            } else {
                ring = try service.make(
                    .keyring, name, uid: credentials.realUID, gid: credentials.realGID, permissions: permissions)
            }
        } else {
            let hasOne = task.state.withLock { $0.keys.session != nil }
            ring = try service.make(
                .keyring, Array("_ses".utf8), uid: credentials.realUID, gid: credentials.realGID,
                permissions: KeyPermissions.possessor | KeyPermissions.ownerView | KeyPermissions.ownerRead,
                charge: hasOne ? .within : .overrun)
        }
        let old = task.state.withLock { state in
            defer { state.keys.session = ring }
            return state.keys.session
        }
        _ = old
        return ring
    }

    /// KEYCTL_SESSION_TO_PARENT. - Throws: EPERM, EACCES, ENOKEY.
    public func giveSessionKeyringToParent() throws(Errno) {
        let ring = try key(KeyName.session, need: .right(.link)).key
        guard let parent = threadGroup.parent, parent.id > 1, parent.threadCount == 1, let target = parent.leader, !parent.isExiting
        else { throw .EPERM }
        let own = credentials, other = target.credentials
        if target.state.withLock({ $0.keys.session === ring }) { return }
        guard other.realUID == own.effectiveUID, other.effectiveUID == own.effectiveUID, other.savedUID == own.effectiveUID,
            other.realGID == own.effectiveGID, other.effectiveGID == own.effectiveGID, other.savedGID == own.effectiveGID,
            target.state.withLock({ $0.keys.session })?.uid ?? own.effectiveUID == own.effectiveUID, ring.uid == own.effectiveUID
        else { throw .EPERM }
        let old = target.state.withLock { state in
            defer { state.keys.session = ring }
            return state.keys.session
        }
        _ = old
    }

    /// KEYCTL_SET_REQKEY_KEYRING: returns the old value. - Throws: EINVAL.
    public func setRequestTarget(_ target: Int32) throws(Errno) -> Int32 {
        let old = task.state.withLock { $0.keys.requestTarget }
        switch target {
        case -1: return old
        case 1: _ = try threadKeyring(create: true)
        case 2: _ = try processKeyring(create: true)
        case 0, 3, 4, 5, 7: break
        default: throw .EINVAL
        }
        task.state.withLock { $0.keys.requestTarget = target }
        return old
    }

    // MARK: look-up

    /// Linux's lookup_user_key.
    /// - Parameter isPartial: keys that are not valid are found with `KeyNeed.nothing`.
    /// - Throws: ENOKEY, EINVAL, EACCES, EKEYREVOKED, EKEYEXPIRED, EDQUOT.
    public func key(_ id: Int32, create: Bool = false, need: KeyNeed) throws(Errno) -> KeyReference {
        let reference: KeyReference
        switch id {
        case KeyName.thread: reference = KeyReference(key: try threadKeyring(create: create), isPossessed: true)
        case KeyName.process: reference = KeyReference(key: try processKeyring(create: create), isPossessed: true)
        case KeyName.session: reference = KeyReference(key: try sessionKeyring(create: create), isPossessed: true)
        case KeyName.user:
            reference = KeyReference(key: try service.userKeyring(credentials.realUID), isPossessed: true)
        case KeyName.userSession:
            reference = KeyReference(key: try service.userSessionKeyring(credentials.realUID), isPossessed: true)
        case KeyName.group: throw .EINVAL
        case KeyName.authorization, KeyName.requestor: throw .ENOKEY
        default:
            guard id >= 1 else { throw .EINVAL }
            let key = try service.key(id)
            reference = KeyReference(key: key, isPossessed: possesses(key))
        }
        if case .right(let right) = need {
            try reference.key.validate()
            try require(right, reference)
        }
        return reference
    }

    /// - Throws: EACCES.
    public func require(_ right: KeyRight, _ reference: KeyReference) throws(Errno) {
        guard reference.key.allows(right, credentials, isPossessed: reference.isPossessed) else { throw .EACCES }
    }

    /// Whether the caller's keyrings lead to the key.
    public func possesses(_ key: Key) -> Bool { (try? search(.key(key))) != nil }

    /// Looks in the thread's, the process's and the session's keyring. - Throws: EAGAIN when there is no such key.
    func search(_ wanted: KeySearch.Wanted) throws(Errno) -> Key {
        var search = KeySearch(wanted, credentials, skipsExpired: true)
        // That one keyring has no such key outweighs what is wrong with another's.
        var isAbsent = false
        var failure = Errno.EAGAIN
        let (session, thread) = task.state.withLock { ($0.keys.session, $0.keys.thread) }
        let rings = [
            thread, threadGroup.attributes.withLock { $0.processKeyring },
            session ?? (try? service.userSessionKeyring(credentials.realUID)),
        ]
        for ring in rings {
            guard let ring else { continue }
            do throws(Errno) {
                return try search.run(from: ring)
            } catch {
                if error == .EAGAIN { isAbsent = true } else { failure = error }
            }
        }
        throw isAbsent ? .EAGAIN : failure
    }

    /// request_key(2), as far as a key is there. - Throws: ENOKEY, EACCES, EKEYREVOKED, EKEYEXPIRED.
    public func requestKey(_ type: KeyType, _ description: [UInt8]) throws(Errno) -> KeyReference {
        do throws(Errno) {
            return KeyReference(key: try search(.name(type, description)), isPossessed: true)
        } catch {
            throw error == .EAGAIN ? .ENOKEY : error
        }
    }

    /// KEYCTL_SEARCH. - Throws: ENOKEY, ENOTDIR, EACCES, EKEYREVOKED, EKEYEXPIRED.
    public func searchKeyring(_ ring: KeyReference, _ type: KeyType, _ description: [UInt8]) throws(Errno) -> KeyReference {
        var search = KeySearch(.name(type, description), credentials)
        do throws(Errno) {
            return KeyReference(key: try search.run(from: ring.key, isPossessed: ring.isPossessed), isPossessed: ring.isPossessed)
        } catch {
            throw error == .EAGAIN ? .ENOKEY : error
        }
    }

    /// add_key(2) into a keyring: a new key, or new contents of the one that is linked there.
    /// - Throws: ENOTDIR, EINVAL, EACCES, EDQUOT, EPERM.
    public func addKey(_ type: KeyType, _ description: [UInt8], _ payload: [UInt8], to ring: KeyReference) throws(Errno) -> Key {
        guard ring.key.type == .keyring else { throw .ENOTDIR }
        try type.check(payload: payload)
        if description.isEmpty { throw .EINVAL }
        if type.isUpdatable, let old = ring.key.link(type, description), !old.isRevoked {
            try require(.write, KeyReference(key: old, isPossessed: ring.isPossessed))
            try old.update(payload)
            return old
        }
        try type.check(description: description)
        let credentials = self.credentials
        let key = try service.make(
            type, description, uid: credentials.fileSystemUID, gid: credentials.fileSystemGID,
            permissions: KeyPermissions.initial(type), payload: payload)
        try ring.key.makeLink(to: key)
        return key
    }

    /// KEYCTL_GET_PERSISTENT. - Throws: EDQUOT.
    public func persistentKeyring(_ uid: UInt32) throws(Errno) -> Key {
        let ring = try service.persistentKeyring(uid)
        ring.setTimeout(3 * 24 * 60 * 60)
        return ring
    }
}

extension CurrentTask {
    /// Whether /proc/keys shows the key to the caller.
    public func mayView(_ key: Key) -> Bool { key.allows(.view, credentials, isPossessed: possesses(key)) }
}
