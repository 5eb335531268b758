import LinuxABI
import VirtualFileSystem

/// A search of keyrings for a key, nested ones included: Linux's keyring_search_rcu.
struct KeySearch {
    enum Wanted {
        case name(KeyType, [UInt8])
        case key(Key)
    }
    let wanted: Wanted
    let credentials: Credentials
    /// As request_key(2) searches: what has expired is not there.
    private let skipsExpired: Bool
    /// What stands in the way of the answer, when nothing is found.
    private var failure = Errno.EAGAIN

    init(_ wanted: Wanted, _ credentials: Credentials, skipsExpired: Bool = false) {
        self.skipsExpired = skipsExpired
        self.wanted = wanted
        self.credentials = credentials
    }

    /// - Throws: ENOTDIR, EACCES for the keyring itself; EAGAIN when there is no such key; EKEYREVOKED, EKEYEXPIRED or EACCES for one
    ///   that was found.
    mutating func run(from ring: Key, isPossessed: Bool = true) throws(Errno) -> Key {
        guard ring.type == .keyring else { throw .ENOTDIR }
        guard ring.allows(.search, credentials, isPossessed: isPossessed) else { throw .EACCES }
        failure = .EAGAIN
        if let found = try match(ring, isPossessed) { return found }
        if let found = try descend(ring, isPossessed, depth: 0) { return found }
        throw failure
    }

    private mutating func descend(_ ring: Key, _ isPossessed: Bool, depth: Int) throws(Errno) -> Key? {
        let links = ring.links
        for key in links { if let found = try match(key, isPossessed) { return found } }
        guard depth < Key.depthLimit else { return nil }
        for key in links where key.type == .keyring && key.allows(.search, credentials, isPossessed: isPossessed) {
            if let found = try descend(key, isPossessed, depth: depth + 1) { return found }
        }
        return nil
    }

    private mutating func match(_ key: Key, _ isPossessed: Bool) throws(Errno) -> Key? {
        switch wanted {
        case .key(let wanted):
            // Possession: the state of the key does not matter.
            return key === wanted && key.allows(.search, credentials, isPossessed: isPossessed) ? key : nil
        case .name(let type, let description):
            guard key.type == type, key.description == description else { return nil }
            do throws(Errno) {
                try key.validate()
            } catch {
                if error != .EKEYEXPIRED || !skipsExpired { failure = error == .ENOKEY ? .EKEYREVOKED : error }
                return nil
            }
            guard key.allows(.search, credentials, isPossessed: isPossessed) else {
                failure = .EACCES
                return nil
            }
            return key
        }
    }
}

extension Key {
    /// key_task_permission.
    func allows(_ right: KeyRight, _ credentials: Credentials, isPossessed: Bool) -> Bool {
        let (uid, gid, permissions) = state.withLock { ($0.uid, $0.gid, $0.permissions) }
        var granted: UInt32
        if uid == credentials.fileSystemUID {
            granted = permissions >> 16
        } else if gid != .max, permissions & 0x3f00 != 0, credentials.isInGroup(gid) {
            granted = permissions >> 8
        } else {
            granted = permissions
        }
        if isPossessed { granted |= permissions >> 24 }
        return granted & right.rawValue != 0
    }
}
