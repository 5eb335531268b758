import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// User and group IDs: credentials(7).
extension SystemCallFamilies {
    public static let identity: [SystemCallEntry] = [
        .init(102, "getuid", { (current, _) throws(Errno) in Int(current.credentials.shownUser(current.credentials.realUID)) }),
        .init(104, "getgid", { (current, _) throws(Errno) in Int(current.credentials.shownGroup(current.credentials.realGID)) }),
        .init(105, "setuid", sysSetuid),
        .init(106, "setgid", sysSetgid),
        .init(107, "geteuid", { (current, _) throws(Errno) in Int(current.credentials.shownUser(current.credentials.effectiveUID)) }),
        .init(108, "getegid", { (current, _) throws(Errno) in Int(current.credentials.shownGroup(current.credentials.effectiveGID)) }),
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

    /// The kernel's for an ID that the caller names; nil for -1, which leaves the ID alone. - Throws: EINVAL without mapping.
    private static func user(_ value: UInt32, _ c: Credentials) throws(Errno) -> UInt32? {
        if value == .max { return nil }
        guard let id = c.kernelUser(value) else { throw .EINVAL }
        return id
    }
    private static func group(_ value: UInt32, _ c: Credentials) throws(Errno) -> UInt32? {
        if value == .max { return nil }
        guard let id = c.kernelGroup(value) else { throw .EINVAL }
        return id
    }

    /// Changes the caller's credentials when `body` succeeds.
    private static func change(_ current: CurrentTask, _ body: (inout Credentials) throws(Errno) -> Void) throws(Errno) -> Int {
        let old = current.credentials
        var new = old
        try body(&new)
        if new != old { current.setCredentials(new) }
        return 0
    }

    @Sendable static func sysSetuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let uid = try user(a.uint(0), current.credentials) else { throw .EINVAL }
        return try change(current) { c throws(Errno) in try c.setUser(uid) }
    }
    @Sendable static func sysSetgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard let gid = try group(a.uint(0), current.credentials) else { throw .EINVAL }
        return try change(current) { c throws(Errno) in try c.setGroup(gid) }
    }
    @Sendable static func sysSetreuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in try c.setUsers(real: try user(a.uint(0), c), effective: try user(a.uint(1), c)) }
    }
    @Sendable static func sysSetregid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in try c.setGroups(real: try group(a.uint(0), c), effective: try group(a.uint(1), c)) }
    }
    @Sendable static func sysSetresuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in
            try c.setUsers(real: try user(a.uint(0), c), effective: try user(a.uint(1), c), saved: try user(a.uint(2), c))
        }
    }
    @Sendable static func sysSetresgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try change(current) { c throws(Errno) in
            try c.setGroups(real: try group(a.uint(0), c), effective: try group(a.uint(1), c), saved: try group(a.uint(2), c))
        }
    }
    /// Returns the file-system user ID before the call, whatever happened.
    @Sendable static func sysSetfsuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let old = current.credentials.fileSystemUID
        if let uid = current.credentials.kernelUser(a.uint(0)) { _ = try change(current) { c throws(Errno) in c.setFileSystemUser(uid) } }
        return Int(current.credentials.shownUser(old))
    }
    @Sendable static func sysSetfsgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let old = current.credentials.fileSystemGID
        if let gid = current.credentials.kernelGroup(a.uint(0)) { _ = try change(current) { c throws(Errno) in c.setFileSystemGroup(gid) } }
        return Int(current.credentials.shownGroup(old))
    }

    @Sendable static func sysGetresuid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let c = current.credentials
        try current.memory.store(c.shownUser(c.realUID), at: a.address(0))
        try current.memory.store(c.shownUser(c.effectiveUID), at: a.address(1))
        try current.memory.store(c.shownUser(c.savedUID), at: a.address(2))
        return 0
    }
    @Sendable static func sysGetresgid(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let c = current.credentials
        try current.memory.store(c.shownGroup(c.realGID), at: a.address(0))
        try current.memory.store(c.shownGroup(c.effectiveGID), at: a.address(1))
        try current.memory.store(c.shownGroup(c.savedGID), at: a.address(2))
        return 0
    }

    /// NGROUPS_MAX.
    private static let maximumGroups: Int32 = 65536

    @Sendable static func sysGetgroups(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let size = a.int(0)
        if size < 0 { throw .EINVAL }
        let c = current.credentials
        let groups = c.innerUserNamespace == nil ? c.groups : c.groups.map { c.shownGroup($0) }
        if size > 0 {
            if groups.count > Int(size) { throw .EINVAL }
            if !groups.isEmpty { try current.memory.storeArray(groups, at: a.address(1)) }
        }
        return groups.count
    }
    @Sendable static func sysSetgroups(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let c = current.credentials
        guard c.hasInside(.setgid), c.userNamespace.isSetgroupsPossible else { throw .EPERM }
        let size = a.int(0)
        if size < 0 || size > maximumGroups { throw .EINVAL }
        var groups = size == 0 ? [] : try current.memory.loadArray(UInt32.self, at: a.address(1), count: Int(size))
        for index in groups.indices {
            guard let group = c.kernelGroup(groups[index]) else { throw .EINVAL }
            groups[index] = group
        }
        groups.sort()
        return try change(current) { c throws(Errno) in c.groups = groups }
    }
}
