import LinuxABI

/// User and group identity with capabilities: credentials(7), capabilities(7). Immutable; a change makes a new one.
public struct Credentials: Sendable, Equatable {
    public var realUID: UInt32
    public var effectiveUID: UInt32
    public var savedUID: UInt32
    public var fileSystemUID: UInt32
    public var realGID: UInt32
    public var effectiveGID: UInt32
    public var savedGID: UInt32
    public var fileSystemGID: UInt32
    public var groups: [UInt32]
    public var permitted: CapabilitySet
    public var effective: CapabilitySet
    public var inheritable: CapabilitySet
    public var bounding: CapabilitySet
    public var ambient: CapabilitySet
    public var secureBits: UInt32
    public var noNewPrivileges: Bool
    /// What landlock_restrict_self(2) forbids the task; nil for nothing.
    public var landlock: LandlockDomain?
    /// The user namespace that the capabilities belong to; nil for the initial one, so that a copy costs nothing in the common case.
    public var innerUserNamespace: UserNamespace?

    public init(uid: UInt32, gid: UInt32, groups: [UInt32], capabilities: CapabilitySet) {
        realUID = uid
        effectiveUID = uid
        savedUID = uid
        fileSystemUID = uid
        realGID = gid
        effectiveGID = gid
        savedGID = gid
        fileSystemGID = gid
        self.groups = groups
        permitted = capabilities
        effective = capabilities
        inheritable = []
        bounding = .all
        ambient = []
        secureBits = 0
        noNewPrivileges = false
    }

    /// The kernel ID of user 0 in the own user namespace.
    public var rootUser: UInt32 { innerUserNamespace?.rootUser ?? 0 }
    /// As the task itself sees kernel IDs.
    public func shownUser(_ id: UInt32) -> UInt32 { innerUserNamespace?.shownUser(id) ?? id }
    public func shownGroup(_ id: UInt32) -> UInt32 { innerUserNamespace?.shownGroup(id) ?? id }
    /// Kernel IDs of what the task names, nil for -1 and what has no mapping.
    public func kernelUser(_ id: UInt32) -> UInt32? { innerUserNamespace == nil ? (id == .max ? nil : id) : innerUserNamespace?.kernelUser(id) }
    public func kernelGroup(_ id: UInt32) -> UInt32? { innerUserNamespace == nil ? (id == .max ? nil : id) : innerUserNamespace?.kernelGroup(id) }
    public var userNamespace: UserNamespace { innerUserNamespace ?? .initial }

    /// Whether the capability counts for the sandbox as a whole: Linux's capable().
    public func has(_ capability: CapabilitySet) -> Bool { innerUserNamespace == nil && effective.isSuperset(of: capability) }
    /// In the own user namespace.
    public func hasInside(_ capability: CapabilitySet) -> Bool { effective.isSuperset(of: capability) }
    /// Over a file of these owners: both must have a mapping (capable_wrt_inode_uidgid).
    public func has(_ capability: CapabilitySet, over a: FileAttributes) -> Bool {
        guard effective.isSuperset(of: capability) else { return false }
        return innerUserNamespace?.maps(user: a.uid, group: a.gid) ?? true
    }
    /// Linux's ns_capable: in `namespace`, the own one or one below. Who made a namespace, and acts from its parent, has all
    /// capabilities in it.
    public func has(_ capability: CapabilitySet, in namespace: UserNamespace) -> Bool {
        let own = userNamespace
        var current = namespace
        while true {
            if current === own { return effective.isSuperset(of: capability) }
            guard current.level > own.level, let parent = current.parent else { return false }
            if parent === own && current.ownerUID == effectiveUID { return true }
            current = parent
        }
    }
    /// What a task gets in a user namespace that it makes or enters (set_cred_user_ns).
    public mutating func enter(_ namespace: UserNamespace) {
        innerUserNamespace = namespace === UserNamespace.initial ? nil : namespace
        secureBits = 0
        inheritable = []
        permitted = .all
        effective = .all
        ambient = []
        bounding = .all
    }
    /// Whether `gid` is the file-system group or a supplementary one.
    public func isInGroup(_ gid: UInt32) -> Bool { gid == fileSystemGID || groups.contains(gid) }
}

/// Capabilities as a 64-bit set (capabilities(7)).
public struct CapabilitySet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    private init(bit: UInt64) { rawValue = 1 << bit }

    public static let chown = CapabilitySet(bit: 0)
    public static let dacOverride = CapabilitySet(bit: 1)
    public static let dacReadSearch = CapabilitySet(bit: 2)
    public static let fowner = CapabilitySet(bit: 3)
    public static let fsetid = CapabilitySet(bit: 4)
    public static let kill = CapabilitySet(bit: 5)
    public static let setgid = CapabilitySet(bit: 6)
    public static let setuid = CapabilitySet(bit: 7)
    public static let setpcap = CapabilitySet(bit: 8)
    public static let linuxImmutable = CapabilitySet(bit: 9)
    public static let netBindService = CapabilitySet(bit: 10)
    public static let netAdmin = CapabilitySet(bit: 12)
    public static let netRaw = CapabilitySet(bit: 13)
    public static let ipcLock = CapabilitySet(bit: 14)
    public static let ipcOwner = CapabilitySet(bit: 15)
    public static let sysChroot = CapabilitySet(bit: 18)
    public static let sysPtrace = CapabilitySet(bit: 19)
    public static let sysPACCT = CapabilitySet(bit: 20)
    public static let sysAdmin = CapabilitySet(bit: 21)
    public static let sysBoot = CapabilitySet(bit: 22)
    public static let sysNice = CapabilitySet(bit: 23)
    public static let sysResource = CapabilitySet(bit: 24)
    public static let sysTime = CapabilitySet(bit: 25)
    public static let sysTTYConfig = CapabilitySet(bit: 26)
    public static let mknod = CapabilitySet(bit: 27)
    public static let setfcap = CapabilitySet(bit: 31)
    /// CAP_LAST_CAP is 40 (CAP_CHECKPOINT_RESTORE).
    public static let all = CapabilitySet(rawValue: (1 << 41) - 1)
}
