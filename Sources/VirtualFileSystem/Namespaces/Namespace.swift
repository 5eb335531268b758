import LinuxABI

/// Any namespace, as its file under /proc/PID/ns and the ioctls of ioctl_nsfs(2) show it.
public protocol Namespace: AnyObject, Sendable {
    var kind: NamespaceKind { get }
    var number: UInt64 { get }
    /// The user namespace in which capabilities count over this one; the parent, for a user namespace itself.
    var owner: UserNamespace { get }
    /// NS_GET_PARENT, for the kinds that nest.
    var outer: (any Namespace)? { get }
}

extension Namespace {
    public var outer: (any Namespace)? { nil }
    /// `mnt:[4026531841]`.
    public var displayName: String { "\(kind.rawValue):[\(number)]" }
}

extension UserNamespace: Namespace {
    public var kind: NamespaceKind { .user }
    public var owner: UserNamespace { parent ?? self }
    public var outer: (any Namespace)? { parent }
}

/// A kind without state of its own here: cgroup (there is one control group) and time (there are no offsets).
public final class PlainNamespace: Namespace {
    public let kind: NamespaceKind
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?

    /// The initial one.
    public init(initial kind: NamespaceKind) {
        self.kind = kind
        number = kind.initialNumber
        owner = .initial
        charge = nil
    }
    /// - Throws: ENOSPC.
    public init(_ kind: NamespaceKind, owner: UserNamespace, by uid: UInt32) throws(Errno) {
        charge = try NamespaceCharge(kind, in: owner, by: uid)
        self.kind = kind
        number = NamespaceKind.nextNumber()
        self.owner = owner
    }
}
