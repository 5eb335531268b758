import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// landlock(7).
extension SystemCallFamilies {
    public static let landlock: [SystemCallEntry] = [
        .init(444, "landlock_create_ruleset", sysLandlockCreateRuleset),
        .init(445, "landlock_add_rule", sysLandlockAddRule),
        .init(446, "landlock_restrict_self", sysLandlockRestrictSelf),
    ]

    private enum Version {
        /// With scopes, and the flags about logging.
        static let interface = 7
        /// Corrections of Linux's own that hold here as well: threads of one process may signal each other (bit 1), and two about
        /// kinds of sockets and directories that are not here.
        static let errata = 7
    }

    @Sendable static func sysLandlockCreateRuleset(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = a.uint(2)
        if flags != 0 {
            guard a.address(0).isNull, a[1] == 0 else { throw .EINVAL }
            switch flags {
            case 1: return Version.interface
            case 2: return Version.errata
            default: throw .EINVAL
            }
        }
        let attributes = try rulesetAttributes(current, a.address(0), size: a[1])
        let files = LandlockFileAccess(rawValue: attributes.fileAccess)
        let network = LandlockNetworkAccess(rawValue: attributes.networkAccess)
        let scope = LandlockScope(rawValue: attributes.scope)
        guard files.isSubset(of: .all), network.isSubset(of: .all), scope.isSubset(of: .all) else { throw .EINVAL }
        if files.isEmpty && network.isEmpty && scope.isEmpty { throw .ENOMSG }
        let description = FileDescription(
            operations: LandlockRuleset(files: files, network: network, scope: scope), anonymousName: "anon_inode:landlock-ruleset",
            flags: .readWrite)
        return try current.install(description, closeOnExec: true)
    }

    /// copy_min_struct_from_user: fields that the program does not know are zero. - Throws: EFAULT, EINVAL, E2BIG.
    private static func rulesetAttributes(_ current: CurrentTask, _ address: GuestAddress, size: UInt64) throws(Errno)
        -> LandlockRulesetAttributes
    {
        if address.isNull { throw .EFAULT }
        if size < 8 { throw .EINVAL }
        if size > Page.size { throw .E2BIG }
        let words = try current.memory.copyIn(address, count: Int(size))
        if words.dropFirst(24).contains(where: { $0 != 0 }) { throw .E2BIG }
        func word(_ index: Int) -> UInt64 {
            words.dropFirst(index * 8).prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        var attributes = LandlockRulesetAttributes()
        attributes.fileAccess = word(0)
        attributes.networkAccess = word(1)
        attributes.scope = word(2)
        return attributes
    }

    /// - Throws: EBADF, EBADFD for what is no ruleset.
    private static func ruleset(_ current: CurrentTask, _ number: Int32) throws(Errno) -> LandlockRuleset {
        guard let ruleset = try current.file(number).operations as? LandlockRuleset else { throw .EBADFD }
        return ruleset
    }

    @Sendable static func sysLandlockAddRule(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard a.uint(3) == 0 else { throw .EINVAL }
        let ruleset = try ruleset(current, a.int(0))
        switch a.int(1) {
        case 1:
            // Packed: the rights and the descriptor of the file.
            let access = LandlockFileAccess(rawValue: try current.memory.load(UInt64.self, at: a.address(2)))
            let number = try current.memory.load(Int32.self, at: a.address(2) + 8)
            if access.isEmpty { throw .ENOMSG }
            guard access.isSubset(of: ruleset.handledFiles) else { throw .EINVAL }
            let file = try current.files.get(number)
            guard let place = file.path else { throw .EBADFD }
            try ruleset.allow(access, beneath: place)
        case 2:
            let words = try current.memory.loadArray(UInt64.self, at: a.address(2), count: 2)
            let access = LandlockNetworkAccess(rawValue: words[0])
            if access.isEmpty { throw .ENOMSG }
            guard access.isSubset(of: ruleset.handledNetwork), let port = UInt16(exactly: words[1]) else { throw .EINVAL }
            ruleset.allow(access, port: port)
        default: throw .EINVAL
        }
        return 0
    }

    /// landlock_restrict_self(2). The flags are about audit records, of which there are none.
    @Sendable static func sysLandlockRestrictSelf(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var credentials = current.credentials
        guard credentials.noNewPrivileges || credentials.has(.sysAdmin) else { throw .EPERM }
        let flags = a.uint(1)
        let quietSubdomains: UInt32 = 4
        guard flags & ~7 == 0 else { throw .EINVAL }
        if a.int(0) == -1 && flags == quietSubdomains { return 0 }
        let ruleset = try ruleset(current, a.int(0))
        credentials.landlock = try LandlockDomain(ruleset, below: credentials.landlock)
        current.setCredentials(credentials)
        return 0
    }
}

extension CurrentTask {
    /// No Landlock domain restricts files: another mount would change what its rules mean.
    var mountsMayChange: Bool { !(credentials.landlock?.restrictsFiles ?? false) }
}
