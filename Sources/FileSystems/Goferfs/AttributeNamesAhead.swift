import GoferProtocol
import LinuxABI
import Synchronization

/// The names of the extended attributes of a directory's entries. Who asks for those of two entries (`ls -l`, `cp -a`, `tar --xattrs`) gets those
/// of many in one message.
///
/// Lock: `state` is a leaf.
final class AttributeNamesAhead: Sendable {
    private struct State {
        var lists: [Int: [[UInt8]]] = [:]
        var misses = 0
        /// The host lists no attributes here.
        var isUseless = false
    }
    private let state = Mutex(State())
    private static let window = 256
    /// Of so few, all are asked for at once.
    private static let few = 16

    /// What is known of the entry at `place`.
    subscript(_ place: Int) -> [[UInt8]]? { state.withLock { $0.lists[place] } }

    /// The entry at `place` has to be asked for: the places to ask for in one message, itself first.
    func others(with place: Int, of count: Int) -> [Int] {
        state.withLock { s in
            s.misses += 1
            guard s.misses > 1 || count <= Self.few, !s.isUseless else { return [place] }
            return (place..<min(count, place + Self.window)).filter { $0 == place || s.lists[$0] == nil }
        }
    }

    func giveUp() { state.withLock { $0.isUseless = true } }
    func keep(_ names: [[UInt8]], at place: Int) { state.withLock { $0.lists[place] = names } }
}

/// Attributes that file systems of the host know, as far as they were asked for. Of those a list of names tells all: what is not in it is not there.
/// Of others only the host can say which errno it gives.
///
/// Lock: a leaf.
final class KnownAttributes: Sendable {
    private struct Attribute: Hashable {
        var device: DeviceNumber
        var name: [UInt8]
    }
    private let known = Mutex<Set<Attribute>>([])
    private static let limit = 64
    private static let listed = ["user.", "security.", "system.posix_acl_"].map { Array($0.utf8) }

    func contains(_ name: [UInt8], on device: DeviceNumber) -> Bool {
        known.withLock { $0.contains(Attribute(device: device, name: name)) }
    }

    /// Does what asks the host for the value of attribute `name`, and learns from its answer.
    func asking(_ name: [UInt8], on device: DeviceNumber, _ ask: () throws(Errno) -> [UInt8]) throws(Errno) -> [UInt8] {
        do {
            let value = try ask()
            learn(name, device)
            return value
        } catch {
            if error == .ENODATA { learn(name, device) }
            throw error
        }
    }
    private func learn(_ name: [UInt8], _ device: DeviceNumber) {
        // Some file systems answer for attributes that they don't list.
        guard Self.listed.contains(where: { name.starts(with: $0) }) else { return }
        known.withLock { known in
            if known.count >= Self.limit { known = [] }
            known.insert(Attribute(device: device, name: name))
        }
    }
}

extension GoferConnection {
    /// Asks for the attributes of several entries of a directory, by their places, and keeps the answers.
    func fetchAttributeNames(_ directory: NodeID, _ names: [[UInt8]], at places: [Int], into ahead: AttributeNamesAhead) throws(Errno) {
        let reply = try call(AttributeNamesRequest(directory: directory, names: names))
        guard reply.lists.count <= places.count else { throw fail("the Gofer listed attributes nobody asked for") }
        if !reply.lists.contains(where: { $0 != nil }) { ahead.giveUp() }
        for (place, list) in zip(places, reply.lists) {
            if let list { ahead.keep(Self.attributeNames(list), at: place) }
        }
    }

    /// The names in a list where each is followed by a NUL.
    static func attributeNames(_ list: [UInt8]) -> [[UInt8]] { list.isEmpty ? [] : list.split(separator: 0).map { Array($0) } }
}
