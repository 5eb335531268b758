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
