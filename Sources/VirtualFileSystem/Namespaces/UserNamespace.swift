import LinuxABI
import Synchronization

/// A user namespace: user_namespaces(7). User and group IDs everywhere inside the kernel are *kernel IDs*, those of the initial namespace;
/// they are translated where a program gives or gets them.
///
/// Lock order: `state` is a leaf; where several are held, a child's comes before its parent's.
public final class UserNamespace: Sendable, Equatable {
    /// What the sandbox starts with: every ID maps to itself.
    public static let initial = UserNamespace()
    /// Levels of nesting below the initial namespace.
    public static let maximumLevel = 32
    /// The ID that stands for all that have no mapping: /proc/sys/kernel/overflowuid.
    public static let overflowID: UInt32 = 65534

    public let parent: UserNamespace?
    public let level: Int
    /// Kernel IDs of who made it.
    public let ownerUID: UInt32
    public let ownerGID: UInt32
    public let number: UInt64
    /// Whether the maker could map user 0 of the parent: CAP_SETFCAP at creation.
    let makerHadSetfcap: Bool
    private let charge: NamespaceCharge?

    struct State: Sendable {
        var users: IDMap
        var groups: IDMap
        var projects: IDMap
        var allowsSetgroups: Bool
        /// Namespaces made by user, per kind.
        var counts: [UserNamespaceCount: Int] = [:]
        var limits: [NamespaceKind: Int] = [:]
    }
    let state: Mutex<State>

    private init() {
        parent = nil
        level = 0
        ownerUID = 0
        ownerGID = 0
        number = NamespaceKind.user.initialNumber
        makerHadSetfcap = true
        charge = nil
        state = Mutex(State(users: .identity, groups: .identity, projects: .identity, allowsSetgroups: true))
    }

    /// A child of the maker's namespace, without maps. - Throws: ENOSPC (too deep, too many), EPERM for a maker without mapping.
    public init(madeBy credentials: Credentials) throws(Errno) {
        let parent = credentials.userNamespace
        guard parent.level <= Self.maximumLevel else { throw .ENOSPC }
        let charge = try NamespaceCharge(.user, in: parent, by: credentials.effectiveUID)
        guard parent.user(fromKernel: credentials.effectiveUID) != nil, parent.group(fromKernel: credentials.effectiveGID) != nil else {
            throw .EPERM
        }
        self.parent = parent
        self.charge = charge
        level = parent.level + 1
        ownerUID = credentials.effectiveUID
        ownerGID = credentials.effectiveGID
        number = NamespaceKind.nextNumber()
        makerHadSetfcap = credentials.effective.isSuperset(of: .setfcap)
        let allows = parent.state.withLock { $0.allowsSetgroups }
        state = Mutex(State(users: IDMap(), groups: IDMap(), projects: IDMap(), allowsSetgroups: allows))
    }

    public static func == (a: UserNamespace, b: UserNamespace) -> Bool { a === b }

    /// Whether `self` is `other` or lies below it: Linux's in_userns.
    public func isWithin(_ other: UserNamespace) -> Bool {
        var current = self
        while current.level > other.level, let parent = current.parent { current = parent }
        return current === other
    }

    // MARK: translation

    /// nil: no mapping.
    public func kernelUser(_ id: UInt32) -> UInt32? { state.withLock { $0.users.down(id) } }
    public func kernelGroup(_ id: UInt32) -> UInt32? { state.withLock { $0.groups.down(id) } }
    public func user(fromKernel id: UInt32) -> UInt32? { state.withLock { $0.users.up(id) } }
    public func group(fromKernel id: UInt32) -> UInt32? { state.withLock { $0.groups.up(id) } }
    /// As programs see a kernel ID: the overflow ID where there is no mapping.
    public func shownUser(_ id: UInt32) -> UInt32 { user(fromKernel: id) ?? Self.overflowID }
    public func shownGroup(_ id: UInt32) -> UInt32 { group(fromKernel: id) ?? Self.overflowID }
    /// Whether both have a mapping: a capability counts over such files only (privileged_wrt_inode_uidgid).
    public func maps(user: UInt32, group: UInt32) -> Bool {
        state.withLock { $0.users.up(user) != nil && $0.groups.up(group) != nil }
    }
    /// The kernel ID of user 0 here, one that nobody has where 0 is not mapped.
    public var rootUser: UInt32 { kernelUser(0) ?? .max }
    public var rootGroup: UInt32 { kernelGroup(0) ?? .max }

    // MARK: setgroups

    /// /proc/PID/setgroups.
    public var allowsSetgroups: Bool { state.withLock { $0.allowsSetgroups } }
    /// Whether setgroups(2) works: a group map was written, and it was not denied.
    public var isSetgroupsPossible: Bool { state.withLock { !$0.groups.isEmpty && $0.allowsSetgroups } }

    /// A write to /proc/PID/setgroups. - Throws: EPERM.
    public func setSetgroups(allowed: Bool) throws(Errno) {
        try state.withLock { s throws(Errno) in
            if allowed {
                guard s.allowsSetgroups else { throw .EPERM }
            } else {
                if s.allowsSetgroups && !s.groups.isEmpty { throw .EPERM }
                s.allowsSetgroups = false
            }
        }
    }
}

/// ID ranges of a user namespace, from IDs inside to kernel IDs.
struct IDMap: Sendable {
    struct Extent: Sendable {
        var first: UInt32
        /// In kernel IDs; until the map is installed, in IDs of the parent namespace.
        var lower: UInt32
        var count: UInt32
    }
    var extents: [Extent] = []
    private var isIdentity = false

    static var identity: IDMap {
        var map = IDMap()
        map.extents = [Extent(first: 0, lower: 0, count: .max)]
        map.isIdentity = true
        return map
    }
    var isEmpty: Bool { extents.isEmpty }

    func down(_ id: UInt32) -> UInt32? {
        if id == .max { return nil }
        if isIdentity { return id }
        for e in extents where id >= e.first && id - e.first < e.count { return e.lower + (id - e.first) }
        return nil
    }
    /// The kernel ID of a whole range, nil unless one extent holds all of it.
    func down(_ id: UInt32, count: UInt32) -> UInt32? {
        for e in extents where id >= e.first && id - e.first < e.count && count <= e.count - (id - e.first) {
            return e.lower + (id - e.first)
        }
        return nil
    }
    func up(_ id: UInt32) -> UInt32? {
        if id == .max { return nil }
        if isIdentity { return id }
        for e in extents where id >= e.lower && id - e.lower < e.count { return e.first + (id - e.lower) }
        return nil
    }
}
