import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// User and group IDs: credentials(7).
extension SystemCallFamilies {
    public static let identity: [SystemCallEntry] = [
        .init(102, "getuid", { (current, _) throws(Errno) in Int(current.credentials.realUID) }),
        .init(104, "getgid", { (current, _) throws(Errno) in Int(current.credentials.realGID) }),
        .init(105, "setuid", sysSetuid),
        .init(106, "setgid", sysSetgid),
        .init(107, "geteuid", { (current, _) throws(Errno) in Int(current.credentials.effectiveUID) }),
        .init(108, "getegid", { (current, _) throws(Errno) in Int(current.credentials.effectiveGID) }),
        .init(113, "setreuid", sysSetreuid),
        .init(114, "setregid", sysSetregid),
        .init(115, "getgroups", sysGetgroups),
        .init(116, "setgroups", sysSetgroups),
        .init(117, "setresuid", sysSetresuid),
        .init(118, "getresuid", sysGetresuid),
        .init(119, "setresgid", sysSetresgid),
        .init(120, "getresgid", sysGetresgid),
        .init(122, "setfsuid", sysSetfsuid),
        .init(123, "setfsgid", sysSetfsgid),
    ]

    /// -1 is no ID.
    private static func id(_ value: UInt32) -> UInt32? { value == .max ? nil : value }

    /// Changes the caller's credentials when `body` succeeds.
    private static func change(_ current: CurrentTask, _ body: (inout Credentials) throws(Errno) -> Void) throws(Errno) -> Int {
        let old = current.credentials
        var new = old
        try body(&new)
        if new != old { current.setCredentials(new) }
        return 0
    }

    @Sendable static func sysSetuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let uid = id(a.uint(0)) else { throw .EINVAL }
        return try change(current) { c throws(Errno) in try c.setUser(uid) }
    }
    @Sendable static func sysSetgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let gid = id(a.uint(0)) else { throw .EINVAL }
        return try change(current) { c throws(Errno) in try c.setGroup(gid) }
    }
    @Sendable static func sysSetreuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in try c.setUsers(real: id(a.uint(0)), effective: id(a.uint(1))) }
    }
    @Sendable static func sysSetregid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in try c.setGroups(real: id(a.uint(0)), effective: id(a.uint(1))) }
    }
    @Sendable static func sysSetresuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in
            try c.setUsers(real: id(a.uint(0)), effective: id(a.uint(1)), saved: id(a.uint(2)))
        }
    }
    @Sendable static func sysSetresgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in
            try c.setGroups(real: id(a.uint(0)), effective: id(a.uint(1)), saved: id(a.uint(2)))
        }
    }
    /// Returns the file-system user ID before the call, whatever happened.
    @Sendable static func sysSetfsuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let old = current.credentials.fileSystemUID
        if let uid = id(a.uint(0)) { _ = try change(current) { c throws(Errno) in c.setFileSystemUser(uid) } }
        return Int(old)
    }
    @Sendable static func sysSetfsgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let old = current.credentials.fileSystemGID
        if let gid = id(a.uint(0)) { _ = try change(current) { c throws(Errno) in c.setFileSystemGroup(gid) } }
        return Int(old)
    }

    @Sendable static func sysGetresuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let c = current.credentials
        try current.memory.store(c.realUID, at: a.address(0))
        try current.memory.store(c.effectiveUID, at: a.address(1))
        try current.memory.store(c.savedUID, at: a.address(2))
        return 0
    }
    @Sendable static func sysGetresgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let c = current.credentials
        try current.memory.store(c.realGID, at: a.address(0))
        try current.memory.store(c.effectiveGID, at: a.address(1))
        try current.memory.store(c.savedGID, at: a.address(2))
        return 0
    }

    /// NGROUPS_MAX.
    private static let maximumGroups: Int32 = 65536

    @Sendable static func sysGetgroups(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let size = a.int(0)
        if size < 0 { throw .EINVAL }
        let groups = current.credentials.groups
        if size > 0 {
            if groups.count > Int(size) { throw .EINVAL }
            if !groups.isEmpty { try current.memory.storeArray(groups, at: a.address(1)) }
        }
        return groups.count
    }
    @Sendable static func sysSetgroups(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard current.credentials.has(.setgid) else { throw .EPERM }
        let size = a.int(0)
        if size < 0 || size > maximumGroups { throw .EINVAL }
        var groups = size == 0 ? [] : try current.memory.loadArray(UInt32.self, at: a.address(1), count: Int(size))
        if groups.contains(.max) { throw .EINVAL }
        groups.sort()
        return try change(current) { c throws(Errno) in c.groups = groups }
    }
}
