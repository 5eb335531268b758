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
        case 21: return task.seccompStatus.mode  // PR_GET_SECCOMP
        case 22: return try setSeccompMode(current, a)  // PR_SET_SECCOMP
        case 25: try current.memory.store(Int32(1), at: a.address(1))  // PR_GET_TSC: enabled
        case 26: if a[1] != 1 { throw .EINVAL }  // PR_SET_TSC: it cannot be made to fault
        case 29: task.timerSlack = a[1] == 0 || a.long(1) < 0 ? task.defaultTimerSlack : a[1]  // PR_SET_TIMERSLACK
        case 30: return Int(truncatingIfNeeded: task.timerSlack)  // PR_GET_TIMERSLACK
        case 33: try setMachineCheckPolicy(task, a)  // PR_MCE_KILL
        case 34:  // PR_MCE_KILL_GET
            guard a[1] == 0, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return Int(task.machineCheckPolicy.rawValue)
        case 35:  // PR_SET_MM: the fields of mm_struct cannot be changed
            throw current.credentials.has(.sysResource) ? .EINVAL : .EPERM
        case 36: group.isChildSubreaper = a[1] != 0  // PR_SET_CHILD_SUBREAPER
        case 37: try current.memory.store(Int32(group.isChildSubreaper ? 1 : 0), at: a.address(1))  // PR_GET_CHILD_SUBREAPER
        case 40: try current.memory.store(current.clearChildTID, at: a.address(1))  // PR_GET_TID_ADDRESS
        case 41:  // PR_SET_THP_DISABLE: guest memory has no huge pages to begin with
            let exceptAdvised: UInt64 = 2
            guard a[2] & ~exceptAdvised == 0, a[3] == 0, a[4] == 0, a[1] != 0 || a[2] == 0 else { throw .EINVAL }
            group.hugePagesDisabled = a[1] == 0 ? 0 : 1 | Int32(a[2])
        case 42:  // PR_GET_THP_DISABLE
            guard a[1] == 0, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return Int(group.hugePagesDisabled)
        case 57, 58: return try inputOutputFlusher(current, a)  // PR_SET_IO_FLUSHER, PR_GET_IO_FLUSHER
        case 65: try setExecGain(group, a)  // PR_SET_MDWE
        case 66:  // PR_GET_MDWE
            guard a[1] == 0, a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return Int(group.execGain.rawValue)
        case 0x4155_5856:  // PR_GET_AUXV
            guard a[3] == 0, a[4] == 0 else { throw .EINVAL }
            return try copyAuxiliaryVector(current, a)
        default: throw .EINVAL
        }
        return 0
    }

    /// PR_MCE_KILL_CLEAR 0, PR_MCE_KILL_SET 1.
    private static func setMachineCheckPolicy(_ task: Task, _ a: SystemCallArguments) throws(Errno) {
        guard a[3] == 0, a[4] == 0 else { throw .EINVAL }
        switch a[1] {
        case 0:
            guard a[2] == 0 else { throw .EINVAL }
            task.machineCheckPolicy = .standard
        case 1:
            guard let number = Int32(exactly: a[2]), let policy = MachineCheckPolicy(rawValue: number) else { throw .EINVAL }
            task.machineCheckPolicy = policy
        default: throw .EINVAL
        }
    }

    private static func inputOutputFlusher(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        guard current.credentials.has(.sysResource) else { throw .EPERM }
        guard a[2] == 0, a[3] == 0, a[4] == 0 else { throw .EINVAL }
        if a.int(0) == 58 {
            guard a[1] == 0 else { throw .EINVAL }
            return current.task.isIOFlusher ? 1 : 0
        }
        guard a[1] <= 1 else { throw .EINVAL }
        current.task.isIOFlusher = a[1] == 1
        return 0
    }

    /// Bits can only be gained.
    private static func setExecGain(_ group: ThreadGroup, _ a: SystemCallArguments) throws(Errno) {
        guard a[2] == 0, a[3] == 0, a[4] == 0, a[1] & ~3 == 0 else { throw .EINVAL }
        let rule = ExecGainRule(rawValue: UInt32(a[1]))
        if rule == .notInherited { throw .EINVAL }
        let old = group.execGain
        if !old.isEmpty && old != rule { throw .EPERM }
        group.execGain = rule
    }

    /// sizeof(mm_struct.saved_auxv) on x86-64.
    private static let auxiliaryVectorSize = 448

    /// As much as fits; returns the size of the whole.
    private static func copyAuxiliaryVector(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var bytes = current.threadGroup.image.auxiliaryVector
        if bytes.count < auxiliaryVectorSize { bytes += [UInt8](repeating: 0, count: auxiliaryVectorSize - bytes.count) }
        try current.memory.copyOut(Array(bytes.prefix(Int(min(a[2], UInt64(auxiliaryVectorSize))))), to: a.address(1))
        return auxiliaryVectorSize
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
