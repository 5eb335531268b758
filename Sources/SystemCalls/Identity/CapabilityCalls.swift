import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// capget(2) and capset(2).
extension SystemCallFamilies {
    public static let capabilities: [SystemCallEntry] = [
        .init(125, "capget", sysCapget),
        .init(126, "capset", sysCapset),
    ]

    /// How many 32-bit parts the header's version has. An unknown version is answered with the present one.
    /// - Throws: EINVAL, EFAULT.
    private static func parts(_ current: CurrentTask, _ header: GuestAddress) throws(Errno) -> Int {
        switch try current.memory.load(UInt32.self, at: header) {
        case CapabilityHeader.version1: return 1
        case CapabilityHeader.version2, CapabilityHeader.version3: return 2
        default:
            try current.memory.store(CapabilityHeader.version3, at: header)
            throw .EINVAL
        }
    }

    @Sendable static func sysCapget(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let parts: Int
        do throws(Errno) {
            parts = try self.parts(current, a.address(0))
        } catch {
            // A probe for the version passes no data.
            if a.address(1).isNull && error == .EINVAL { return 0 }
            throw error
        }
        if a.address(1).isNull { return 0 }
        let pid = try current.memory.load(CapabilityHeader.self, at: a.address(0)).pid
        if pid < 0 { throw .EINVAL }
        var c = current.credentials
        if pid != 0 && pid != current.task.ownID {
            guard let task = current.findTask(pid) else { throw .ESRCH }
            c = task.credentials
        }
        var data: [CapabilityData] = []
        for part in 0..<parts {
            let shift = UInt64(part * 32)
            var d = CapabilityData()
            d.effective = UInt32(truncatingIfNeeded: c.effective.rawValue >> shift)
            d.permitted = UInt32(truncatingIfNeeded: c.permitted.rawValue >> shift)
            d.inheritable = UInt32(truncatingIfNeeded: c.inheritable.rawValue >> shift)
            data.append(d)
        }
        try current.memory.storeArray(data, at: a.address(1))
        return 0
    }

    @Sendable static func sysCapset(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let parts = try parts(current, a.address(0))
        let pid = try current.memory.load(CapabilityHeader.self, at: a.address(0)).pid
        if pid != 0 && pid != current.task.ownID { throw .EPERM }
        let data = try current.memory.loadArray(CapabilityData.self, at: a.address(1), count: parts)
        func set(_ word: KeyPath<CapabilityData, UInt32>) -> CapabilitySet {
            var raw: UInt64 = 0
            for (part, d) in data.enumerated() { raw |= UInt64(d[keyPath: word]) << UInt64(part * 32) }
            return CapabilitySet(rawValue: raw).intersection(.all)
        }
        var c = current.credentials
        try c.setCapabilities(effective: set(\.effective), permitted: set(\.permitted), inheritable: set(\.inheritable))
        current.setCredentials(c)
        return 0
    }
}
