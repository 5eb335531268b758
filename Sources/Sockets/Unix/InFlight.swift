import LinuxABI
import Synchronization
import VirtualFileSystem

/// A file description that waits in a message (SCM_RIGHTS, unix(7)). All messages that carry the same description share the box in which it lies, so
/// that the only reference to a description that nobody else has is its box's.
///
/// Whoever removes a message from a queue hands its references to `InFlight.receive` or `InFlight.drop`.
struct InFlight: Sendable {
    fileprivate final class Box: Sendable {
        let content: Mutex<FileDescription>
        let key: ObjectIdentifier
        init(_ description: FileDescription) {
            content = Mutex(description)
            key = ObjectIdentifier(description)
        }
        /// Nobody but this box has the description.
        var isAlone: Bool { content.withLock { isKnownUniquelyReferenced(&$0) } }
        /// The Unix socket that the description is.
        var socket: UnixSocket? { content.withLock { ($0.operations as? SocketFile)?.socket as? UnixSocket } }
    }
    fileprivate let box: Box
    /// Who sent it: counts against that user's limit.
    fileprivate let uid: UInt32
}

extension InFlight {
    private struct Entry {
        var box: Box
        /// In how many places of messages it is.
        var count: Int
    }
    private struct Registry {
        var entries: [ObjectIdentifier: Entry] = [:]
        var counts: [UInt32: Int] = [:]
        /// Sockets closed since the last collection.
        var closed = 0
    }
    /// Taken before every lock of a socket.
    private static let registry = Mutex(Registry())
    private static let total = Atomic<Int>(0)

    /// How many descriptions of `uid` are in flight: Linux refuses more than RLIMIT_NOFILE with ETOOMANYREFS.
    static func count(of uid: UInt32) -> Int { registry.withLock { $0.counts[uid] ?? 0 } }

    /// References for a message that is about to be queued.
    static func send(_ descriptions: [FileDescription], uid: UInt32) -> [InFlight] {
        if descriptions.isEmpty { return [] }
        total.add(descriptions.count, ordering: .relaxed)
        return registry.withLock { r in
            r.counts[uid, default: 0] += descriptions.count
            return descriptions.map { description in
                let key = ObjectIdentifier(description)
                let box = r.entries[key]?.box ?? Box(description)
                r.entries[key, default: Entry(box: box, count: 0)].count += 1
                return InFlight(box: box, uid: uid)
            }
        }
    }

    /// The descriptions of a message that leaves its queue, or with `peek` stays there.
    static func receive(_ references: [InFlight], peek: Bool) -> [FileDescription] {
        if references.isEmpty { return [] }
        return registry.withLock { r in
            let descriptions = references.map { $0.box.content.withLock { $0 } }
            if !peek { forget(references, &r) }
            return descriptions
        }
    }

    /// Drops the references of a message that nobody received. No locks may be held.
    static func drop(_ references: inout [InFlight]) {
        if references.isEmpty { return }
        registry.withLock { forget(references, &$0) }
        DeferredRelease.drop(&references)
    }

    private static func forget(_ references: [InFlight], _ r: inout Registry) {
        total.subtract(references.count, ordering: .relaxed)
        for reference in references {
            let key = reference.box.key
            r.entries[key]?.count -= 1
            if r.entries[key]?.count == 0 { r.entries[key] = nil }
            r.counts[reference.uid, default: 0] -= 1
            if r.counts[reference.uid] == 0 { r.counts[reference.uid] = nil }
        }
    }
}

// MARK: garbage

extension InFlight {
    /// A Unix socket closed, perhaps the last one through which others could be reached: from time to time looks for sockets that are only in
    /// messages which wait at such sockets, and takes the messages away (Linux's unix_gc). No locks may be held.
    static func socketClosed() {
        guard total.load(ordering: .relaxed) > 0 else { return }
        var garbage = registry.withLock { r -> [InFlight] in
            r.closed += 1
            // In proportion to what there is to look at, so that a close costs the same on average however much is in flight.
            guard r.closed * 4 >= r.entries.count else { return [] }
            r.closed = 0
            return collect(&r)
        }
        drop(&garbage)
    }

    /// Takes the messages of unreachable sockets.
    ///
    /// A socket is suspect when its description is in flight alone. Those that wait in more places than in the queues of suspects can be received by
    /// somebody, and so can what waits at them, and so on; the others are garbage. Whoever has a reference to a suspect has it from a message, and
    /// messages give none away while the registry is locked.
    private static func collect(_ r: inout Registry) -> [InFlight] {
        var sockets: [ObjectIdentifier: UnixSocket] = [:]
        for (key, entry) in r.entries where entry.box.isAlone { sockets[key] = entry.box.socket }
        guard !sockets.isEmpty else { return [] }
        let held = sockets.mapValues { $0.inFlight() }
        var inside: [ObjectIdentifier: Int] = [:]
        for references in held.values {
            for reference in references { inside[reference.box.key, default: 0] += 1 }
        }
        var live = sockets.keys.filter { (r.entries[$0]?.count ?? 0) > inside[$0] ?? 0 }
        while let key = live.popLast() {
            guard sockets.removeValue(forKey: key) != nil else { continue }
            live += (held[key] ?? []).map { $0.box.key }
        }
        return sockets.values.flatMap { $0.takeInFlight() }
    }
}

extension UnixSocket {
    /// Its own queue, and those of connections that wait to be accepted.
    private var queues: [ReceiveQueue] {
        state.withLock { s in
            guard case .listening(let listener) = s.phase else { return [incoming] }
            return [incoming] + (0..<listener.pending.count).map { listener.pending[$0].incoming }
        }
    }
    /// What waits here in messages.
    fileprivate func inFlight() -> [InFlight] { queues.flatMap { $0.inFlight() } }
    /// Takes it out of the messages.
    fileprivate func takeInFlight() -> [InFlight] { queues.flatMap { $0.takeInFlight() } }
}
