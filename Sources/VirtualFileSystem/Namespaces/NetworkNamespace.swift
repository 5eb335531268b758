import LinuxABI
import Synchronization

/// A network namespace: network_namespaces(7). What it holds (ports, abstract names, the state of `lo`) is the sockets' own, which they
/// keep in `stack`.
public final class NetworkNamespace: Namespace {
    public static let initial = NetworkNamespace()
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?
    /// net.ipv4.ping_group_range, in kernel numbers: the groups whose members may have ICMP sockets. The first above the last:
    /// nobody.
    public let pingGroups = Mutex((first: UInt32(1), last: UInt32(0)))
    private let slot = Mutex<(any AnyObject & Sendable)?>(nil)

    private init() {
        number = NamespaceKind.net.initialNumber
        owner = .initial
        charge = nil
    }
    /// - Throws: ENOSPC.
    public init(owner: UserNamespace, by uid: UInt32) throws(Errno) {
        charge = try NamespaceCharge(.net, in: owner, by: uid)
        number = NamespaceKind.nextNumber()
        self.owner = owner
    }
    public var kind: NamespaceKind { .net }

    /// Linux's ping_init_sock. - Throws: EACCES.
    public func requirePingGroup(_ credentials: Credentials) throws(Errno) {
        let range = pingGroups.withLock { $0 }
        let isIn = { (group: UInt32) in range.first <= group && group <= range.last }
        guard isIn(credentials.effectiveGID) || credentials.groups.contains(where: isIn) else { throw .EACCES }
    }

    /// The sockets' state, made by `make` on first use.
    public func stack(_ make: () -> any AnyObject & Sendable) -> any AnyObject & Sendable {
        slot.withLock {
            if let found = $0 { return found }
            let fresh = make()
            $0 = fresh
            return fresh
        }
    }
}
