import HostOS
import Kernel
import LinuxABI
import Memory

/// System V semaphores.
extension SystemCallFamilies {
    public static let semaphores: [SystemCallEntry] = [
        .init(64, "semget", sysSemget),
        .init(65, "semop", { (current, a) throws(Errno) in try operate(current, a, timeout: .null) }),
        .init(66, "semctl", sysSemctl),
        .init(220, "semtimedop", { (current, a) throws(Errno) in try operate(current, a, timeout: a.address(3)) }),
    ]

    @Sendable static func sysSemget(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        Int(try current.namespaces.ipc.semaphoreSet(key: a.int(0), count: a.int(1), flags: a.int(2), for: current))
    }

    private static func operate(_ current: CurrentTask, _ a: SystemCallArguments, timeout: GuestAddress) throws(Errno) -> Int {
        let time = timeout.isNull ? nil : try current.memory.load(Timespec.self, at: timeout)
        let count = a.uint(2)
        if count < 1 || a.int(0) < 0 { throw .EINVAL }
        if count > UInt32(SemaphoreSet.maximumOperations) { throw .E2BIG }
        let operations = try current.memory.loadArray(SemaphoreOperation.self, at: a.address(1), count: Int(count))
        if let time, !time.isValid { throw .EINVAL }
        let deadline = time.map { MonotonicInstant.after(nanoseconds: $0.totalNanoseconds) }
        try current.namespaces.ipc.semaphoreSet(a.int(0)).operate(current, operations, deadline: deadline)
        return 0
    }

    private enum Command {
        static let getPID: Int32 = 11, getValue: Int32 = 12, getAll: Int32 = 13, getIncrease: Int32 = 14, getZero: Int32 = 15
        static let setValue: Int32 = 16, setAll: Int32 = 17, statusBySlot: Int32 = 18, usage: Int32 = 19, statusAny: Int32 = 20
    }

    @Sendable static func sysSemctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (id, number, command, address) = (a.int(0), a.int(1), a.int(2) & ~IPCFlags.version64, a.address(3))
        if id < 0 { throw .EINVAL }
        let ipc = current.namespaces.ipc
        let credentials = current.credentials
        switch command {
        case IPCFlags.information, Command.usage:
            var limits = SemaphoreLimits()
            let usage = ipc.semaphoreUsage()
            if command == Command.usage {
                limits.undoSize = Int32(clamping: usage.sets)
                limits.maximumAdjust = Int32(clamping: usage.semaphores)
            }
            try current.memory.store(limits, at: address)
            return Int(usage.highest)
        case IPCFlags.status, Command.statusBySlot, Command.statusAny:
            let set = command == IPCFlags.status ? try ipc.semaphoreSet(id) : try ipc.semaphoreSet(inSlot: id)
            let data = try set.status(credentials, checking: command != Command.statusAny)
            try current.memory.store(data, at: address)
            return command == IPCFlags.status ? 0 : Int(set.id)
        case IPCFlags.set:
            let new = try current.memory.load(SemaphoreSetData.self, at: address)
            try ipc.semaphoreSet(id).change(new.permission, credentials)
        case IPCFlags.remove: try ipc.remove(try ipc.semaphoreSet(id), for: current)
        case Command.getValue: return try ipc.semaphoreSet(id).query(.value, number, credentials)
        case Command.getPID: 
            return Int(current.number(ofProcess: Int32(try ipc.semaphoreSet(id).query(.lastUser, number, credentials))))
        case Command.getIncrease: return try ipc.semaphoreSet(id).query(.waitingForIncrease, number, credentials)
        case Command.getZero: return try ipc.semaphoreSet(id).query(.waitingForZero, number, credentials)
        case Command.getAll: try current.memory.storeArray(try ipc.semaphoreSet(id).values(credentials), at: address)
        case Command.setValue: try ipc.semaphoreSet(id).setValue(number, a.int(3), current)
        case Command.setAll:
            let set = try ipc.semaphoreSet(id)
            try set.checkAlter(credentials)
            try set.setValues(try current.memory.loadArray(UInt16.self, at: address, count: set.count), current)
        default: throw .EINVAL
        }
        return 0
    }
}
