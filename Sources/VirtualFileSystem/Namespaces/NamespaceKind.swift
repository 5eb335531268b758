import LinuxABI
import Synchronization

/// The kinds of namespaces: namespaces(7).
public enum NamespaceKind: String, CaseIterable, Sendable {
    case cgroup, ipc, mnt, net, pid, time, user, uts

    /// The inode number of the initial namespace, by which programs tell whether they run in it.
    public var initialNumber: UInt64 {
        switch self {
        case .cgroup: 4_026_531_835
        case .ipc: 4_026_531_839
        case .mnt: 4_026_531_841
        case .net: 4_026_531_840
        case .pid: 4_026_531_836
        case .time: 4_026_531_834
        case .user: 4_026_531_837
        case .uts: 4_026_531_838
        }
    }
    /// CLONE_NEW*.
    public var cloneFlag: UInt64 {
        switch self {
        case .cgroup: 0x0200_0000
        case .ipc: 0x0800_0000
        case .mnt: 0x0002_0000
        case .net: 0x4000_0000
        case .pid: 0x2000_0000
        case .time: 0x80
        case .user: 0x1000_0000
        case .uts: 0x0400_0000
        }
    }

    private static let lastNumber = Atomic<UInt64>(4_026_532_000)
    /// A number that no other namespace has.
    public static func nextNumber() -> UInt64 { lastNumber.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// What a count of namespaces belongs to.
struct UserNamespaceCount: Hashable, Sendable {
    var kind: NamespaceKind
    var uid: UInt32
}

/// One namespace's place in the counts of its maker, in the maker's user namespace and all above: /proc/sys/user/max_*_namespaces. Given
/// back when the namespace goes.
public final class NamespaceCharge: Sendable {
    private let kind: NamespaceKind
    private let space: UserNamespace
    private let uid: UInt32

    /// - Throws: ENOSPC.
    public init(_ kind: NamespaceKind, in space: UserNamespace, by uid: UInt32) throws(Errno) {
        var charged: [(UserNamespace, UInt32)] = []
        var (next, user): (UserNamespace?, UInt32) = (space, uid)
        while let current = next {
            guard current.count(kind, user) else {
                for (namespace, user) in charged { namespace.uncount(kind, user) }
                throw .ENOSPC
            }
            charged.append((current, user))
            (next, user) = (current.parent, current.ownerUID)
        }
        self.kind = kind
        self.space = space
        self.uid = uid
    }
    deinit {
        var (next, user): (UserNamespace?, UInt32) = (space, uid)
        while let current = next {
            current.uncount(kind, user)
            (next, user) = (current.parent, current.ownerUID)
        }
    }
}

extension UserNamespace {
    /// max_*_namespaces of this user namespace.
    public func limit(_ kind: NamespaceKind) -> Int { state.withLock { $0.limits[kind] } ?? Self.defaultLimit }
    public func setLimit(_ kind: NamespaceKind, _ value: Int) { state.withLock { $0.limits[kind] = value } }
    /// Half of kernel.threads-max on Linux; here what one sandbox can hold.
    private static let defaultLimit = 31_000

    fileprivate func count(_ kind: NamespaceKind, _ uid: UInt32) -> Bool {
        state.withLock {
            let key = UserNamespaceCount(kind: kind, uid: uid)
            let now = $0.counts[key] ?? 0
            if now >= $0.limits[kind] ?? Self.defaultLimit { return false }
            $0.counts[key] = now + 1
            return true
        }
    }
    fileprivate func uncount(_ kind: NamespaceKind, _ uid: UInt32) {
        state.withLock {
            let key = UserNamespaceCount(kind: kind, uid: uid)
            let now = $0.counts[key] ?? 0
            $0.counts[key] = now <= 1 ? nil : now - 1
        }
    }
}
