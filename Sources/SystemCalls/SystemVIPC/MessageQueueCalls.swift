import Kernel
import LinuxABI
import Memory

/// System V message queues.
extension SystemCallFamilies {
    public static let messageQueues: [SystemCallEntry] = [
        .init(68, "msgget", sysMsgget),
        .init(69, "msgsnd", sysMsgsnd),
        .init(70, "msgrcv", sysMsgrcv),
        .init(71, "msgctl", sysMsgctl),
    ]

    @Sendable static func sysMsgget(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        Int(try current.namespaces.ipc.messageQueue(key: a.int(0), flags: a.int(1), for: current))
    }

    /// `struct msgbuf`: the type, then the text.
    @Sendable static func sysMsgsnd(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let type = try current.memory.load(Int64.self, at: a.address(1))
        if a[2] > UInt64(MessageQueue.maximumMessage) || a.int(0) < 0 || type < 1 { throw .EINVAL }
        let text = a[2] == 0 ? [] : try current.memory.copyIn(a.address(1) + 8, count: Int(a[2]))
        try current.namespaces.ipc.messageQueue(a.int(0)).send(
            current, .init(type: type, text: text), isNonBlocking: a.int(3) & IPCFlags.noWait != 0)
        return 0
    }

    @Sendable static func sysMsgrcv(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (truncates, except, copies): (Int32, Int32, Int32) = (0o10000, 0o20000, 0o40000)
        let (size, type, flags) = (a[2], a.long(3), a.int(4))
        if a.int(0) < 0 || size > UInt64(Int64.max) { throw .EINVAL }
        let selection: MessageQueue.Selection
        if flags & copies != 0 {
            if flags & except != 0 || flags & IPCFlags.noWait == 0 { throw .EINVAL }
            selection = .position(type)
        } else if type == 0 {
            selection = .first
        } else if type < 0 {
            selection = .lowest(upTo: type == .min ? .max : -type)
        } else {
            selection = flags & except != 0 ? .anyBut(type) : .type(type)
        }
        let message = try current.namespaces.ipc.messageQueue(a.int(0)).receive(
            current, selection, size: size, truncates: flags & truncates != 0, isNonBlocking: flags & IPCFlags.noWait != 0)
        let count = Int(min(size, UInt64(message.text.count)))
        try current.memory.store(message.type, at: a.address(1))
        if count > 0 { try current.memory.copyOut(Array(message.text.prefix(count)), to: a.address(1) + 8) }
        return count
    }

    private static let (statusBySlot, usageInfo, statusAny): (Int32, Int32, Int32) = (11, 12, 13)

    @Sendable static func sysMsgctl(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (id, command, address) = (a.int(0), a.int(1) & ~IPCFlags.version64, a.address(2))
        if id < 0 || a.int(1) < 0 { throw .EINVAL }
        let ipc = current.namespaces.ipc
        let credentials = current.credentials
        switch command {
        case IPCFlags.information, usageInfo:
            var limits = MessageLimits()
            let usage = ipc.messageUsage()
            if command == usageInfo {
                limits.poolSize = Int32(clamping: usage.queues)
                limits.mapEntries = Int32(clamping: usage.messages)
                limits.headers = Int32(clamping: usage.bytes)
            }
            try current.memory.store(limits, at: address)
            return Int(usage.highest)
        case IPCFlags.status, statusBySlot, statusAny:
            let queue = command == IPCFlags.status ? try ipc.messageQueue(id) : try ipc.messageQueue(inSlot: id)
            var data = try queue.status(credentials, checking: command != statusAny)
            data.lastSender = current.number(ofProcess: data.lastSender)
            data.lastReceiver = current.number(ofProcess: data.lastReceiver)
            try current.memory.store(data, at: address)
            return command == IPCFlags.status ? 0 : Int(queue.id)
        case IPCFlags.set:
            let new = try current.memory.load(MessageQueueData.self, at: address)
            try ipc.messageQueue(id).change(new, credentials)
        case IPCFlags.remove: try ipc.remove(try ipc.messageQueue(id), for: current)
        default: throw .EINVAL
        }
        return 0
    }
}
