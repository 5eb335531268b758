import LinuxABI
import Synchronization

/// The rules of one layer: what is handled, that is forbidden unless a rule allows it. landlock(7).
struct LandlockLayer: Sendable {
    struct PathRule: Sendable {
        /// Keeps the inode, and its name cached, so that the next walk finds the same object.
        let place: Path
        var access: LandlockFileAccess
    }
    var files: LandlockFileAccess
    var network: LandlockNetworkAccess
    var scope: LandlockScope
    var paths: [ObjectIdentifier: PathRule] = [:]
    var ports: [UInt16: LandlockNetworkAccess] = [:]

    /// Giving a file another parent is forbidden by every layer that restricts files, asked for or not.
    var handledFiles: LandlockFileAccess { files.isEmpty ? [] : files.union(.refer) }

    func access(at inode: any Inode) -> LandlockFileAccess { paths[ObjectIdentifier(inode)]?.access ?? [] }
}

/// What landlock_create_ruleset(2) makes: rules to be put in force by landlock_restrict_self(2).
public final class LandlockRuleset: FileOperations {
    private let layer: Mutex<LandlockLayer>
    public init(files: LandlockFileAccess, network: LandlockNetworkAccess, scope: LandlockScope) {
        layer = Mutex(LandlockLayer(files: files, network: network, scope: scope))
    }
    var snapshot: LandlockLayer { layer.withLock { $0 } }

    /// What it was made to restrict.
    public var handledFiles: LandlockFileAccess { layer.withLock { $0.files } }
    public var handledNetwork: LandlockNetworkAccess { layer.withLock { $0.network } }

    /// - Throws: EINVAL for rights that a file cannot have.
    public func allow(_ access: LandlockFileAccess, beneath place: Path) throws(Errno) {
        guard place.dentry.isDirectory || access.isSubset(of: .ofFiles) else { throw .EINVAL }
        layer.withLock { layer in
            var rule = layer.paths[ObjectIdentifier(place.node)] ?? LandlockLayer.PathRule(place: place, access: [])
            rule.access.formUnion(access)
            layer.paths[ObjectIdentifier(place.node)] = rule
        }
    }
    public func allow(_ access: LandlockNetworkAccess, port: UInt16) {
        layer.withLock { $0.ports[port, default: []].formUnion(access) }
    }
}

/// The restrictions that a task is under: layers, the newest last. Immutable; children inherit it, and a further restriction makes a
/// domain below it.
public final class LandlockDomain: Sendable, Equatable {
    let parent: LandlockDomain?
    let layer: LandlockLayer
    let depth: Int
    /// LANDLOCK_MAX_NUM_LAYERS.
    private static let limit = 16

    /// - Throws: E2BIG for too many layers.
    public init(_ ruleset: LandlockRuleset, below parent: LandlockDomain?) throws(Errno) {
        self.parent = parent
        layer = ruleset.snapshot
        depth = (parent?.depth ?? 0) + 1
        if depth > Self.limit { throw .E2BIG }
    }

    public static func == (a: LandlockDomain, b: LandlockDomain) -> Bool { a === b }

    /// Whether a task under `other` is under every restriction of this domain too: ptrace(2) asks for that.
    public func contains(_ other: LandlockDomain?) -> Bool {
        var domain = other
        while let candidate = domain {
            if candidate === self { return true }
            domain = candidate.parent
        }
        return false
    }

    /// Whether something may be reached that belongs to a task under `other`, where a layer may keep its tasks to itself.
    public func reaches(_ other: LandlockDomain?, _ scope: LandlockScope) -> Bool {
        var domain: LandlockDomain? = self
        while let candidate = domain {
            if candidate.layer.scope.contains(scope), !candidate.contains(other) { return false }
            domain = candidate.parent
        }
        return true
    }

    /// - Throws: EACCES.
    public func check(_ access: LandlockNetworkAccess, port: UInt16) throws(Errno) {
        var domain: LandlockDomain? = self
        while let candidate = domain {
            let wanted = access.intersection(candidate.layer.network)
            if !(candidate.layer.ports[port] ?? []).isSuperset(of: wanted) { throw .EACCES }
            domain = candidate.parent
        }
    }

    /// Whether some layer restricts files: then mounts stay as they are.
    public var restrictsFiles: Bool {
        var domain: LandlockDomain? = self
        while let candidate = domain {
            if !candidate.layer.files.isEmpty { return true }
            domain = candidate.parent
        }
        return false
    }
}
