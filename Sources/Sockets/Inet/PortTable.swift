import LinuxABI
import Synchronization

/// A socket that can be bound to a port.
protocol PortOwner: AnyObject, Sendable {
    var options: SocketOptions { get }
    var isListening: Bool { get }
}

/// Ports in use, by protocol: the sandbox's loopback network.
final class PortTable<Owner: PortOwner>: Sendable {
    private struct Binding {
        var address: InternetAddress
        /// An IPv6 wildcard that takes IPv4 traffic as well.
        var isDual: Bool
        var owner: Owner
    }
    private struct State {
        var bindings: [UInt16: [Binding]] = [:]
        var nextEphemeral: UInt16 = 32768
    }
    private let state = Mutex(State())
    /// UDP lets sockets with SO_REUSEADDR share a port at any time, TCP only while none listens.
    private let isStream: Bool

    /// net.ipv4.ip_local_port_range.
    private static var ephemeral: ClosedRange<UInt16> { 32768...60999 }

    init(isStream: Bool) { self.isStream = isStream }

    private func overlap(_ a: Binding, _ b: InternetAddress, _ isDual: Bool) -> Bool {
        if a.address == b { return true }
        if a.address.isV4 == b.isV4 { return a.address.isAny || b.isAny }
        return (a.isDual && a.address.isAny) || (isDual && b.isAny)
    }

    /// Binds to `port`, or to a free one when it is 0. Returns the port. - Throws: EADDRINUSE.
    func bind(_ owner: Owner, _ address: InternetAddress, _ port: UInt16, isDual: Bool) throws(Errno) -> UInt16 {
        let reusesAddress = owner.options.isSet(SocketOption.reuseAddress)
        let reusesPort = owner.options.isSet(SocketOption.reusePort)
        return try state.withLock { s throws(Errno) in
            let new = Binding(address: address, isDual: isDual, owner: owner)
            if port != 0 {
                for other in s.bindings[port] ?? [] where overlap(other, address, isDual) {
                    if reusesPort && other.owner.options.isSet(SocketOption.reusePort) { continue }
                    let bothReuse = reusesAddress && other.owner.options.isSet(SocketOption.reuseAddress)
                    if bothReuse && !(isStream && other.owner.isListening) { continue }
                    throw .EADDRINUSE
                }
                s.bindings[port, default: []].append(new)
                return port
            }
            for _ in Self.ephemeral {
                let candidate = s.nextEphemeral
                s.nextEphemeral = candidate == Self.ephemeral.upperBound ? Self.ephemeral.lowerBound : candidate + 1
                if s.bindings[candidate] == nil {
                    s.bindings[candidate] = [new]
                    return candidate
                }
            }
            throw .EADDRINUSE
        }
    }

    func release(_ owner: Owner, _ port: UInt16) {
        // The owner must not end inside the lock.
        let removed = state.withLock { s -> [Binding] in
            guard let all = s.bindings[port] else { return [] }
            let rest = all.filter { $0.owner !== owner }
            s.bindings[port] = rest.isEmpty ? nil : rest
            return all
        }
        _ = removed
    }

    /// Whom traffic to `destination` concerns: exact addresses before wildcards.
    func find(_ destination: Endpoint, where accepts: (Owner) -> Bool) -> Owner? {
        let candidates = state.withLock { $0.bindings[destination.port] } ?? []
        var wildcard: Owner?
        for binding in candidates where accepts(binding.owner) {
            if binding.address == destination.address { return binding.owner }
            let matches = binding.address.isAny && (binding.address.isV4 == destination.address.isV4 || binding.isDual)
            if matches && wildcard == nil { wildcard = binding.owner }
        }
        return wildcard
    }
}
