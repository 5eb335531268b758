import LinuxABI
import Synchronization
import VirtualFileSystem

/// What the sockets of one network namespace share: ports, abstract names, and the state of its one device, `lo`.
final class NetworkStack: Sendable {
    let tcp = PortTable<TCPSocket>(isStream: true)
    let udp = PortTable<UDPSocket>(isStream: false)
    let names = UnixNamespace()
    /// Ports taken by open netlink sockets.
    let netlinkPorts = Mutex<[NetlinkSocket.NetlinkProtocol: Set<UInt32>]>([:])
    /// The namespace's, and the user namespace in which capabilities count over it.
    let number: UInt64
    let owner: UserNamespace
    /// A new namespace's device is down and has no address: network_namespaces(7).
    private let loopbackIsUp: Atomic<Bool>
    private let loopbackHasAddress: Atomic<Bool>

    private init(_ namespace: NetworkNamespace) {
        number = namespace.number
        owner = namespace.owner
        let isInitial = namespace === NetworkNamespace.initial
        loopbackIsUp = Atomic(isInitial)
        loopbackHasAddress = Atomic(isInitial)
    }

    static let initial = of(.initial)
    static func of(_ namespace: NetworkNamespace) -> NetworkStack {
        let stack = namespace.stack { NetworkStack(namespace) } as? NetworkStack
        return stack ?? NetworkStack(namespace)
    }
    /// The caller's.
    static func of(_ caller: any Caller) -> NetworkStack { of(caller.networkNamespace) }

    /// IFF_UP of `lo`. The first time it comes up it gets its addresses.
    var isUp: Bool {
        get { loopbackIsUp.load(ordering: .relaxed) }
        set {
            if newValue { loopbackHasAddress.store(true, ordering: .relaxed) }
            loopbackIsUp.store(newValue, ordering: .relaxed)
        }
    }
    /// Whether 127.0.0.1 is assigned to `lo`, be it up or down.
    var hasAddress: Bool {
        get { loopbackHasAddress.load(ordering: .relaxed) }
        set { loopbackHasAddress.store(newValue, ordering: .relaxed) }
    }
}
