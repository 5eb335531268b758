import Synchronization

/// Changes that a read-only grant refused, by path: for the report at the end of a run. Bounded.
public final class RefusalLog: Sendable {
    /// The option that made the grant.
    public let rule: String
    private let counts = Mutex<[[UInt8]: Int]>([:])
    private static let limit = 1000

    public init(rule: String) { self.rule = rule }

    func note(_ path: Path, _ name: FileName?) {
        var bytes = path.displayName()
        if let name {
            if bytes.last != UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
            bytes += name.bytes
        }
        let noted = bytes
        counts.withLock { if $0.count < Self.limit || $0[noted] != nil { $0[noted, default: 0] += 1 } }
    }

    /// The paths and how often each was refused, sorted.
    public var entries: [(path: [UInt8], count: Int)] {
        counts.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
    }
}
