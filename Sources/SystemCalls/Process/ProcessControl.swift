import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// prctl(2).
extension SystemCallFamilies {
    public static let processControl: [SystemCallEntry] = [.init(157, "prctl", sysPrctl)]

    private static let keepCapabilities: UInt32 = 1 << 4
    private static let keepCapabilitiesLocked: UInt32 = 1 << 5
    private static let lastCapability: UInt64 = 40

    @Sendable static func sysPrctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let task = current.task
        let group = current.threadGroup
        switch a.int(0) {
        case 1:  // PR_SET_PDEATHSIG
            guard a[1] <= 64 else { throw .EINVAL }
            task.parentDeathSignal = Signal(rawValue: Int32(a[1]))
        case 2:  // PR_GET_PDEATHSIG
            try current.memory.store(task.parentDeathSignal?.rawValue ?? 0, at: a.address(1))
        case 3: return Int(group.dumpable)  // PR_GET_DUMPABLE
        case 4:  // PR_SET_DUMPABLE
            guard a[1] <= 1 else { throw .EINVAL }
            group.dumpable = Int32(a[1])
        case 7: return current.credentials.secureBits & keepCapabilities != 0 ? 1 : 0  // PR_GET_KEEPCAPS
        case 8:  // PR_SET_KEEPCAPS
            guard a[1] <= 1 else { throw .EINVAL }
            var c = current.credentials
            if c.secureBits & keepCapabilitiesLocked != 0 { throw .EPERM }
            c.secureBits = a[1] == 1 ? c.secureBits | keepCapabilities : c.secureBits & ~keepCapabilities
            current.setCredentials(c)
        case 13: return 0  // PR_GET_TIMING: statistical
        case 14: if a[1] != 0 { throw .EINVAL }  // PR_SET_TIMING
        case 15: task.name = try name(current, a.address(1))  // PR_SET_NAME
        case 16:  // PR_GET_NAME
            var bytes = task.name
            bytes += [UInt8](repeating: 0, count: 16 - bytes.count)
            try current.memory.copyOut(bytes, to: a.address(1))
        case 21: return 0  // PR_GET_SECCOMP: no filter
        case 23:  // PR_CAPBSET_READ
            guard a[1] <= lastCapability else { throw .EINVAL }
            return current.credentials.bounding.rawValue & (1 << a[1]) != 0 ? 1 : 0
        case 24:  // PR_CAPBSET_DROP
            var c = current.credentials
            guard c.has(.setpcap) else { throw .EPERM }
            guard a[1] <= lastCapability else { throw .EINVAL }
            c.bounding = CapabilitySet(rawValue: c.bounding.rawValue & ~(1 << a[1]))
            current.setCredentials(c)
        case 25: try current.memory.store(Int32(1), at: a.address(1))  // PR_GET_TSC: enabled
        case 26: if a[1] != 1 { throw .EINVAL }  // PR_SET_TSC: it cannot be made to fault
        case 27: return Int(current.credentials.secureBits)  // PR_GET_SECUREBITS
        case 28: try setSecureBits(current, a[1])  // PR_SET_SECUREBITS
        case 29: task.timerSlack = a[1] == 0 || a.long(1) < 0 ? 50_000 : a[1]  // PR_SET_TIMERSLACK
        case 30: return Int(truncatingIfNeeded: task.timerSlack)  // PR_GET_TIMERSLACK
        case 36: group.isChildSubreaper = a[1] != 0  // PR_SET_CHILD_SUBREAPER
        case 37: try current.memory.store(Int32(group.isChildSubreaper ? 1 : 0), at: a.address(1))  // PR_GET_CHILD_SUBREAPER
        case 38:  // PR_SET_NO_NEW_PRIVS
            guard a[1] == 1, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            var c = current.credentials
            c.noNewPrivileges = true
            current.setCredentials(c)
        case 39:  // PR_GET_NO_NEW_PRIVS
            guard a[1] == 0, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return current.credentials.noNewPrivileges ? 1 : 0
        case 40: try current.memory.store(current.clearChildTID, at: a.address(1))  // PR_GET_TID_ADDRESS
        case 42:  // PR_GET_THP_DISABLE
            guard a[1] == 0, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return 0
        case 47: return try ambient(current, a)  // PR_CAP_AMBIENT
        default: throw .EINVAL
        }
        return 0
    }

    /// Up to 15 bytes of a string.
    private static func name(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> [UInt8] {
        var name: [UInt8] = []
        while name.count < 15 {
            let byte = try current.memory.load(UInt8.self, at: address + UInt64(name.count))
            if byte == 0 { break }
            name.append(byte)
        }
        return name
    }

    /// capabilities(7), "The securebits flags". Odd bits lock the flag before them.
    private static func setSecureBits(_ current: CurrentTask, _ value: UInt64) throws(Errno) {
        var c = current.credentials
        let locks: UInt64 = 0xaa
        let known: UInt64 = 0xff
        let old = UInt64(c.secureBits)
        let locked = (old & locks) >> 1
        guard (locked & (old ^ value)) == 0, old & locks & ~value == 0, value & ~known == 0, c.has(.setpcap) else { throw .EPERM }
        c.secureBits = UInt32(value)
        current.setCredentials(c)
    }

    private static func ambient(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var c = current.credentials
        guard a[3] == 0, a[4] == 0 else { throw .EINVAL }
        if a[1] == 4 {  // PR_CAP_AMBIENT_CLEAR_ALL
            guard a[2] == 0 else { throw .EINVAL }
            c.ambient = []
            current.setCredentials(c)
            return 0
        }
        guard a[2] <= lastCapability else { throw .EINVAL }
        let capability = CapabilitySet(rawValue: 1 << a[2])
        switch a[1] {
        case 1: return c.ambient.isSuperset(of: capability) ? 1 : 0  // PR_CAP_AMBIENT_IS_SET
        case 2:  // PR_CAP_AMBIENT_RAISE
            let noRaise: UInt32 = 1 << 6
            guard c.permitted.isSuperset(of: capability), c.inheritable.isSuperset(of: capability), c.secureBits & noRaise == 0 else {
                throw .EPERM
            }
            c.ambient.formUnion(capability)
        case 3: c.ambient.subtract(capability)  // PR_CAP_AMBIENT_LOWER
        default: throw .EINVAL
        }
        current.setCredentials(c)
        return 0
    }
}
