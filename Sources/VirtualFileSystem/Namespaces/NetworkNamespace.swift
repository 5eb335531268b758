import LinuxABI
import Synchronization

/// A network namespace: network_namespaces(7). What it holds (ports, abstract names, the state of `lo`) is the sockets' own, which they
/// keep in `stack`.
public final class NetworkNamespace: Namespace {
    public static let initial = NetworkNamespace()
    public let number: UInt64
    public let owner: UserNamespace
    private let charge: NamespaceCharge?
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
