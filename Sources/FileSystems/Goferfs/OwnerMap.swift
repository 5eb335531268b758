import LinuxABI
import Synchronization

/// Which owner of a host's file is which owner inside, when the two are not the same: the mappings of a user namespace as
/// user_namespaces(7) has them, for a sandbox that runs in none.
public final class OwnerMap: Sendable {
    public struct Range: Sendable, Equatable {
        public var inside: UInt32
        public var outside: UInt32
        public var count: UInt32
        public init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }
    private let users: [Range]
    private let groups: [Range]

    /// An empty list leaves numbers as they are.
    public init(users: [Range], groups: [Range]) {
        self.users = users
        self.groups = groups
    }

    /// Who owns what has an owner that nobody inside has: /proc/sys/fs/overflowuid.
    private static let nobody: UInt32 = 65534

    private static func inside(_ number: UInt32, _ ranges: [Range]) -> UInt32 {
        if ranges.isEmpty { return number }
        for range in ranges where number >= range.outside && number - range.outside < range.count { return range.inside &+ (number - range.outside) }
        return nobody
    }
    private static func outside(_ number: UInt32, _ ranges: [Range]) -> UInt32? {
        if ranges.isEmpty { return number }
        for range in ranges where number >= range.inside && number - range.inside < range.count { return range.outside &+ (number - range.inside) }
        return nil
    }

    func user(inside number: UInt32) -> UInt32 { Self.inside(number, users) }
    func group(inside number: UInt32) -> UInt32 { Self.inside(number, groups) }
    func user(outside number: UInt32) -> UInt32? { Self.outside(number, users) }
    func group(outside number: UInt32) -> UInt32? { Self.outside(number, groups) }
}

extension GoferConnection {
    /// Set before the first file system is made; nil: owners are the same inside and outside.
    public var owners: OwnerMap? {
        get { ownerMap.load() }
        set { if let newValue { _ = ownerMap.storeIfNil(newValue) } }
    }

    func userInside(_ number: UInt32) -> UInt32 { owners?.user(inside: number) ?? number }
    func groupInside(_ number: UInt32) -> UInt32 { owners?.group(inside: number) ?? number }

    /// The owner of something new. - Throws: EOVERFLOW for a number that the host has none for, as Linux.
    func ownersOutside(_ user: UInt32, _ group: UInt32) throws(Errno) -> (user: UInt32, group: UInt32) {
        guard let owners else { return (user, group) }
        guard let user = owners.user(outside: user), let group = owners.group(outside: group) else { throw .EOVERFLOW }
        return (user, group)
    }
}
