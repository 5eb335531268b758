import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// prctl(2).
extension SystemCallFamilies {
    public static let processControl: [SystemCallEntry] = [.init(157, "prctl", sysPrctl)]

    @Sendable static func sysPrctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if let result = try prctlCredentials(current, a.int(0), a) { return result }
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
        case 13: return 0  // PR_GET_TIMING: statistical
        case 14: if a[1] != 0 { throw .EINVAL }  // PR_SET_TIMING
        case 15: task.name = try name(current, a.address(1))  // PR_SET_NAME
        case 16:  // PR_GET_NAME
            var bytes = task.name
            bytes += [UInt8](repeating: 0, count: 16 - bytes.count)
            try current.memory.copyOut(bytes, to: a.address(1))
        case 21: return 0  // PR_GET_SECCOMP: no filter
        case 25: try current.memory.store(Int32(1), at: a.address(1))  // PR_GET_TSC: enabled
        case 26: if a[1] != 1 { throw .EINVAL }  // PR_SET_TSC: it cannot be made to fault
        case 29: task.timerSlack = a[1] == 0 || a.long(1) < 0 ? 50_000 : a[1]  // PR_SET_TIMERSLACK
        case 30: return Int(truncatingIfNeeded: task.timerSlack)  // PR_GET_TIMERSLACK
        case 36: group.isChildSubreaper = a[1] != 0  // PR_SET_CHILD_SUBREAPER
        case 37: try current.memory.store(Int32(group.isChildSubreaper ? 1 : 0), at: a.address(1))  // PR_GET_CHILD_SUBREAPER
        case 40: try current.memory.store(current.clearChildTID, at: a.address(1))  // PR_GET_TID_ADDRESS
        case 42:  // PR_GET_THP_DISABLE
            guard a[1] == 0, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return 0
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
}
