import LinuxABI
import Synchronization
import VirtualFileSystem

/// AF_INET and AF_INET6: TCP and UDP among the sockets of the sandbox, over its loopback device. Any other destination is unreachable.
enum InetFamily {
    private static let protocolTCP: Int32 = 6
    private static let protocolUDP: Int32 = 17
    private static let protocolICMP: Int32 = 1
    private static let protocolICMPv6: Int32 = 58

    static func make(family: Int32, type: Int32, protocolNumber: Int32, caller: any Caller) throws(Errno) -> any Socket {
        guard protocolNumber >= 0 && protocolNumber < 263 else { throw .EINVAL }
        switch SocketType(rawValue: type) {
        case .stream:
            guard protocolNumber == 0 || protocolNumber == protocolTCP else { throw .EPROTONOSUPPORT }
            return TCPSocket(family: family, network: .of(caller))
        case .datagram:
            guard protocolNumber == 0 || protocolNumber == protocolUDP else {
                // Who may have a socket for pings learns that there are none.
                if protocolNumber == (family == AddressFamily.inet ? protocolICMP : protocolICMPv6) {
                    try caller.networkNamespace.requirePingGroup(caller.credentials)
                }
                throw .EPROTONOSUPPORT
            }
            return UDPSocket(family: family, network: .of(caller))
        case .raw:
            throw caller.credentials.has(.netRaw, in: caller.networkNamespace.owner) ? .EPROTONOSUPPORT : .EPERM
        default:
            throw .ESOCKTNOSUPPORT
        }
    }

    /// - Throws: EADDRNOTAVAIL for an address that `lo` does not have, EACCES for a privileged port.
    static func checkBind(_ endpoint: Endpoint, _ network: NetworkStack, caller: any Caller) throws(Errno) {
        guard endpoint.address.isAny || (endpoint.address.isLoopback && network.isUp) else { throw .EADDRNOTAVAIL }
        if endpoint.port != 0 && endpoint.port < 1024 && !caller.credentials.has(.netBindService, in: network.owner) { throw .EACCES }
    }

    /// Where a packet to `endpoint` goes: the unspecified address means this host. - Throws: ENETUNREACH.
    static func route(_ endpoint: Endpoint, _ network: NetworkStack) throws(Errno) -> Endpoint {
        var target = endpoint
        if target.address.isAny { target.address = target.address.isV4 ? .loopbackV4 : .loopbackV6 }
        guard target.address.isLoopback && network.isUp else { throw .ENETUNREACH }
        return target
    }

    /// The source address of traffic to `target` from a socket without an address of its own.
    static func source(for target: InternetAddress) -> InternetAddress { target.isV4 ? .loopbackV4 : .loopbackV6 }
}

/// Options of the levels IP, IPv6, TCP and UDP: stored and reported; those that ask for control messages are obeyed.
final class InetOptions: Sendable {
    private struct Key: Hashable {
        let level: Int32
        let name: Int32
    }
    private let values = Mutex<[Key: [UInt8]]>([:])
    private let family: Int32
    private let isStream: Bool

    static let v6Only: Int32 = 26
    private static let congestion: Int32 = 13
    private static let information: Int32 = 11

    init(family: Int32, isStream: Bool) {
        self.family = family
        self.isStream = isStream
    }

    var isV6Only: Bool { Bytes.int32(values.withLock { $0[Key(level: SocketOption.levelIPv6, name: Self.v6Only)] } ?? []) ?? 0 != 0 }

    /// Whether any option was ever set: most sockets have none.
    var hasRequests: Bool { values.withLock { !$0.isEmpty } }
    /// An option that was set.
    func number(level: Int32, name: Int32) -> Int32? {
        values.withLock { $0[Key(level: level, name: name)] }.flatMap { Bytes.int32($0) }
    }

    private func check(_ level: Int32) throws(Errno) {
        switch level {
        case SocketOption.levelIP: break
        case SocketOption.levelIPv6: if family != AddressFamily.inet6 { throw .ENOPROTOOPT }
        case SocketOption.levelTCP: if !isStream { throw .ENOPROTOOPT }
        case SocketOption.levelUDP: if isStream { throw .ENOPROTOOPT }
        default: throw .ENOPROTOOPT
        }
    }

    func set(level: Int32, name: Int32, _ value: [UInt8], isBound: Bool) throws(Errno) {
        try check(level)
        guard name > 0 && name < 128 else { throw .ENOPROTOOPT }
        if level == SocketOption.levelTCP && name == Self.congestion {
            let chosen = value.prefix { $0 != 0 }
            guard Array(chosen) == Array("cubic".utf8) || Array(chosen) == Array("reno".utf8) else { throw .ENOENT }
            values.withLock { $0[Key(level: level, name: name)] = Array(chosen) + [UInt8](repeating: 0, count: 16 - chosen.count) }
            return
        }
        // IP options may be given as one byte.
        guard let number = Bytes.int32(value) ?? (level == SocketOption.levelIP ? value.first.map(Int32.init) : nil) else {
            throw .EINVAL
        }
        if level == SocketOption.levelIPv6 && name == Self.v6Only && isBound { throw .EINVAL }
        // IP_TTL: -1 asks for the default.
        if level == SocketOption.levelIP && name == 2 {
            guard number == -1 || (1...255).contains(number) else { throw .EINVAL }
            if number == -1 {
                values.withLock { $0[Key(level: level, name: name)] = nil }
                return
            }
        }
        if level == SocketOption.levelTCP {
            // TCP_KEEPIDLE and TCP_KEEPINTVL in seconds, TCP_KEEPCNT.
            if (name == 4 || name == 5) && !(1...32767).contains(number) { throw .EINVAL }
            if name == 6 && !(1...127).contains(number) { throw .EINVAL }
        }
        values.withLock { $0[Key(level: level, name: name)] = Bytes.of(number) }
    }

    func get(level: Int32, name: Int32) throws(Errno) -> [UInt8] {
        try check(level)
        if let value = values.withLock({ $0[Key(level: level, name: name)] }) {
            // Flags of TCP read back as 0 or 1.
            if level == SocketOption.levelTCP && (name == 1 || name == 3 || name == 12) { return Bytes.of(Int32(Bytes.int32(value) == 0 ? 0 : 1)) }
            return value
        }
        guard name > 0 && name < 128 else { throw .ENOPROTOOPT }
        if level == SocketOption.levelTCP && name == Self.congestion { return Array("cubic".utf8) + [UInt8](repeating: 0, count: 11) }
        // struct tcp_info: the state alone is told, TCP_ESTABLISHED.
        if level == SocketOption.levelTCP && name == Self.information { return [1] + [UInt8](repeating: 0, count: 231) }
        return Bytes.of(Self.defaults[Key(level: level, name: name)] ?? 0)
    }

    private static let defaults: [Key: Int32] = [
        Key(level: SocketOption.levelTCP, name: 2): 65483,  // TCP_MAXSEG of loopback
        Key(level: SocketOption.levelTCP, name: 4): 7200,
        Key(level: SocketOption.levelTCP, name: 5): 75,
        Key(level: SocketOption.levelTCP, name: 6): 9,
        Key(level: SocketOption.levelTCP, name: 7): 6,  // TCP_SYNCNT
        Key(level: SocketOption.levelTCP, name: 12): 1,  // TCP_QUICKACK
        Key(level: SocketOption.levelIP, name: 2): 64,  // IP_TTL
        Key(level: SocketOption.levelIP, name: 14): 65536,  // IP_MTU
        Key(level: SocketOption.levelIPv6, name: 16): 64,  // IPV6_UNICAST_HOPS
        Key(level: SocketOption.levelIPv6, name: 24): 65536,  // IPV6_MTU
    ]
}
