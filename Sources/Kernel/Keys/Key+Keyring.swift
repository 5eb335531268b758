import LinuxABI
import Synchronization

extension Key {
    /// KEYRING_SEARCH_MAX_DEPTH.
    static let depthLimit = 6
    /// KEYQUOTA_LINK_BYTES.
    private static let bytesPerLink = 4

    /// The link of this type and description.
    func link(_ type: KeyType, _ description: [UInt8]) -> Key? {
        links.first { $0.type == type && $0.description == description }
    }

    /// Adds a link in the place of one of the same type and description. - Throws: EDQUOT.
    func add(_ key: Key) throws(Errno) {
        let old = state.withLock { state in
            state.links.firstIndex { $0.type == key.type && $0.description == key.description }.map { state.links[$0] }
        }
        if old == nil { try reserve(Self.bytesPerLink) }
        let dropped = state.withLock { state -> Key? in
            guard let old, let index = state.links.firstIndex(where: { $0 === old }) else {
                state.links.append(key)
                return nil
            }
            state.links[index] = key
            return old
        }
        _ = dropped
    }

    /// Changes what the key takes of its owner's quota. - Throws: EDQUOT.
    func reserve(_ bytes: Int) throws(Errno) {
        guard isCharged else { return }
        try service.charge(uid, keys: 0, bytes: bytes)
        state.withLock { $0.charge += bytes }
    }

    /// key_link. - Throws: ENOTDIR, EPERM (restricted), EDEADLK (cycle), ELOOP (too deep), EDQUOT.
    public func makeLink(to key: Key) throws(Errno) {
        guard type == .keyring else { throw .ENOTDIR }
        try service.changing { () throws(Errno) in try linkLocked(key) }
    }

    func linkLocked(_ key: Key) throws(Errno) {
        if isRevoked { throw .EKEYREVOKED }
        if state.withLock({ $0.refusesLinks }) { throw .EPERM }
        if key.type == .keyring { try checkCycle(through: key, depth: 0) }
        try add(key)
    }

    /// keyring_detect_cycle: `self` must not be found below `key`.
    private func checkCycle(through key: Key, depth: Int) throws(Errno) {
        if key === self { throw .EDEADLK }
        if depth >= Self.depthLimit { throw .ELOOP }
        for child in key.links where child.type == .keyring { try checkCycle(through: child, depth: depth + 1) }
    }

    /// key_unlink, which goes by type and description. - Throws: ENOTDIR, ENOENT.
    public func removeLink(to key: Key) throws(Errno) {
        guard type == .keyring else { throw .ENOTDIR }
        let removed = try service.changing { () throws(Errno) -> Key? in
            state.withLock { state in
                let index = state.links.firstIndex { $0.type == key.type && $0.description == key.description }
                return index.map { state.links.remove(at: $0) }
            }
        }
        guard removed != nil else { throw .ENOENT }
        try reserve(-Self.bytesPerLink)
    }

    /// key_move. - Throws: ENOTDIR, ENOENT, EEXIST (`exclusive`), and the errors of linking.
    public func move(_ key: Key, to target: Key, exclusive: Bool) throws(Errno) {
        guard type == .keyring, target.type == .keyring else { throw .ENOTDIR }
        if self === target { return }
        try service.changing { () throws(Errno) in
            guard link(key.type, key.description) != nil else { throw .ENOENT }
            if exclusive, target.link(key.type, key.description) != nil { throw .EEXIST }
            try target.linkLocked(key)
        }
        try removeLink(to: key)
    }

    /// keyring_clear. - Throws: ENOTDIR.
    public func clear() throws(Errno) {
        guard type == .keyring else { throw .ENOTDIR }
        let removed = try service.changing { () throws(Errno) in
            state.withLock { state in
                defer { state.links = [] }
                return state.links
            }
        }
        try reserve(-removed.count * Self.bytesPerLink)
    }

    // MARK: other changes

    /// key_update. - Throws: EOPNOTSUPP, EINVAL, EDQUOT.
    public func update(_ payload: [UInt8]) throws(Errno) {
        guard type.isUpdatable else { throw .EOPNOTSUPP }
        try type.check(payload: payload)
        try service.changing { () throws(Errno) in
            try reserve(payload.count - self.payload.count)
            state.withLock {
                $0.payload = payload
                $0.expiry = nil
            }
        }
    }

    /// What it held goes at once; the key itself says EKEYREVOKED from now on.
    public func revoke() throws(Errno) {
        if type == .keyring { try clear() }
        let freed = state.withLock { state -> Int in
            state.isRevoked = true
            defer { state.payload = [] }
            return state.payload.count
        }
        try reserve(-freed)
    }

    /// Nobody finds it from now on; keyrings forget it.
    public func invalidate() { state.withLock { $0.isInvalidated = true } }

    public func setPermissions(_ permissions: UInt32) { state.withLock { $0.permissions = permissions } }
    /// Seconds from now, 0 for never.
    public func setTimeout(_ seconds: UInt32) {
        state.withLock { $0.expiry = seconds == 0 ? nil : KeyService.now + Int64(seconds) }
    }
    /// KEYCTL_RESTRICT_KEYRING without a type. - Throws: ENOTDIR, EEXIST.
    public func refuseLinks() throws(Errno) {
        guard type == .keyring else { throw .ENOTDIR }
        let isFirst = state.withLock { state in
            defer { state.refusesLinks = true }
            return !state.refusesLinks
        }
        if !isFirst { throw .EEXIST }
    }
    /// - Throws: EDQUOT.
    public func setOwner(uid: UInt32?, gid: UInt32?) throws(Errno) {
        if let uid, uid != self.uid {
            let bytes = state.withLock { $0.charge }
            try service.moveCharge(from: self.uid, to: uid, bytes: bytes, isCharged: isCharged)
            state.withLock { $0.uid = uid }
        }
        if let gid { state.withLock { $0.gid = gid } }
    }
}
