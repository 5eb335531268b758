import HostOS
import Kernel
import LinuxABI
import Memory

/// seccomp(2), and its older face in prctl(2).
extension SystemCallFamilies {
    public static let seccomp: [SystemCallEntry] = [.init(317, "seccomp", sysSeccomp)]

    @Sendable static func sysSeccomp(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let flags = UInt64(a.uint(1))
        switch a.uint(0) {
        case 0:  // SECCOMP_SET_MODE_STRICT
            guard flags == 0, a[2] == 0 else { throw .EINVAL }
            try current.setStrictSeccomp()
        case 1: return try setFilter(current, SeccompFlags(rawValue: flags), a.address(2))  // SECCOMP_SET_MODE_FILTER
        case 2:  // SECCOMP_GET_ACTION_AVAIL
            guard flags == 0 else { throw .EINVAL }
            let action = try current.memory.load(UInt32.self, at: a.address(2))
            guard SeccompAction.all.contains(action) else { throw .EOPNOTSUPP }
        case 3:  // SECCOMP_GET_NOTIF_SIZES
            guard flags == 0 else { throw .EINVAL }
            let sizes: [UInt16] = [
                UInt16(MemoryLayout<SeccompNotification>.size), UInt16(MemoryLayout<SeccompResponse>.size), UInt16(SeccompData.size),
            ]
            try current.memory.storeArray(sizes, at: a.address(2))
        default: throw .EINVAL
        }
        return 0
    }

    /// PR_SET_SECCOMP.
    static func setSeccompMode(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        switch a[1] {
        case 1: try current.setStrictSeccomp()
        case 2: return try setFilter(current, [], a.address(2))
        default: throw .EINVAL
        }
        return 0
    }

    private static func setFilter(_ current: CurrentTask, _ flags: SeccompFlags, _ address: GuestAddress) throws(Errno) -> Int {
        guard flags.isSubset(of: .known) else { throw .EINVAL }
        if flags.isSuperset(of: [.synchronize, .newListener]) && !flags.contains(.synchronizeOrFail) { throw .EINVAL }
        if flags.contains(.waitKillable) && !flags.contains(.newListener) { throw .EINVAL }

        // struct sock_fprog: a 16-bit length, padding, a pointer.
        let header = try current.memory.loadArray(UInt64.self, at: address, count: 2)
        let count = Int(header[0] & 0xffff)
        guard count > 0, count <= FilterProgram.maximumLength else { throw .EINVAL }
        try current.checkMayFilter()
        let program = try FilterProgram(try current.memory.loadArray(FilterInstruction.self, at: GuestAddress(header[1]), count: count))

        guard flags.contains(.newListener) else {
            return try current.install(SeccompFilter(program, logs: flags.contains(.log), listener: nil), flags)
        }
        let listener = SeccompListener(
            waitsKillable: flags.contains(.waitKillable), firstID: UInt64(bitPattern: MonotonicInstant.now.nanoseconds) << 16)
        let number = try current.install(listener.makeDescription(), closeOnExec: true)
        do throws(Errno) {
            let failed = try current.install(SeccompFilter(program, logs: flags.contains(.log), listener: listener), flags)
            if failed == 0 { return number }
            _ = try? current.files.remove(Int32(truncatingIfNeeded: number))
            return failed
        } catch {
            _ = try? current.files.remove(Int32(truncatingIfNeeded: number))
            throw error
        }
    }
}
