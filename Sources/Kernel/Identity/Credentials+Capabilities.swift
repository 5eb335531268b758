import LinuxABI
import VirtualFileSystem

/// Bits of `Credentials.secureBits` (capabilities(7), "The securebits flags"). Each has a lock one bit above.
public enum SecureBits {
    public static let noRoot: UInt32 = 1 << 0
    public static let noSetUIDFixup: UInt32 = 1 << 2
    public static let keepCapabilities: UInt32 = 1 << 4
    public static let keepCapabilitiesLocked: UInt32 = 1 << 5
    public static let noAmbientRaise: UInt32 = 1 << 6
    public static let execRestrictFile: UInt32 = 1 << 8
    public static let execDenyInteractive: UInt32 = 1 << 10

    public static let all: UInt32 = noRoot | noSetUIDFixup | keepCapabilities | noAmbientRaise | execRestrictFile | execDenyInteractive
    public static let allLocks: UInt32 = all << 1
    /// May be changed without CAP_SETPCAP.
    public static let unprivileged: UInt32 = execRestrictFile | execDenyInteractive
}

extension CapabilitySet {
    /// Dropped and raised with the file-system user ID: Linux's CAP_FS_MASK with CAP_LINUX_IMMUTABLE, CAP_MKNOD, CAP_MAC_OVERRIDE.
    static let fileSystem: CapabilitySet = [
        .chown, .dacOverride, .dacReadSearch, .fowner, .fsetid, .mknod, CapabilitySet(rawValue: 1 << 9), CapabilitySet(rawValue: 1 << 32),
    ]
    /// CAP_WAKE_ALARM.
    public static let wakeAlarm = CapabilitySet(rawValue: 1 << 35)
    /// CAP_CHECKPOINT_RESTORE.
    public static let checkpointRestore = CapabilitySet(rawValue: 1 << 40)
    /// CAP_SYSLOG.
    public static let syslog = CapabilitySet(rawValue: 1 << 34)
    /// The set of one capability by number, nil outside 0…CAP_LAST_CAP.
    public init?(number: UInt64) {
        guard number <= 40 else { return nil }
        self.init(rawValue: 1 << number)
    }
}

extension Credentials {
    /// What a change of user IDs from `old` does to capabilities (capabilities(7), "Effect of user ID changes on capabilities").
    public mutating func fixUpCapabilities(afterUserChangeFrom old: Credentials) {
        if secureBits & SecureBits.noSetUIDFixup != 0 { return }
        let root = rootUser
        let hadRoot = old.realUID == root || old.effectiveUID == root || old.savedUID == root
        if hadRoot && realUID != root && effectiveUID != root && savedUID != root {
            if secureBits & SecureBits.keepCapabilities == 0 {
                permitted = []
                effective = []
            }
            // Whatever SECBIT_KEEP_CAPS says: programs from before ambient capabilities rely on execve dropping all.
            ambient = []
        }
        if old.effectiveUID == root && effectiveUID != root { effective = [] }
        if old.effectiveUID != root && effectiveUID == root { effective = permitted }
    }

    /// What a change of the file-system user ID alone does.
    public mutating func fixUpCapabilities(afterFileSystemUserChangeFrom old: Credentials) {
        if secureBits & SecureBits.noSetUIDFixup != 0 { return }
        let root = rootUser
        if old.fileSystemUID == root && fileSystemUID != root { effective.subtract(.fileSystem) }
        if old.fileSystemUID != root && fileSystemUID == root { effective.formUnion(permitted.intersection(.fileSystem)) }
    }

    /// capset(2). - Throws: EPERM.
    public mutating func setCapabilities(
        effective newEffective: CapabilitySet, permitted newPermitted: CapabilitySet, inheritable newInheritable: CapabilitySet
    ) throws(Errno) {
        if !hasInside(.setpcap) && !inheritable.union(permitted).isSuperset(of: newInheritable) { throw .EPERM }
        if !inheritable.union(bounding).isSuperset(of: newInheritable) { throw .EPERM }
        if !permitted.isSuperset(of: newPermitted) { throw .EPERM }
        if !newPermitted.isSuperset(of: newEffective) { throw .EPERM }
        effective = newEffective
        permitted = newPermitted
        inheritable = newInheritable
        ambient.formIntersection(permitted.intersection(inheritable))
    }
}
