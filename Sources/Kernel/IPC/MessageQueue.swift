import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A System V message queue: msgget(2).
public final class MessageQueue: Sendable {
    /// MSGMAX, MSGMNB.
    public static let maximumMessage = 8192
    public static let maximumBytes: UInt64 = 16384

    public struct Message: Sendable {
        public var type: Int64
        public var text: [UInt8]
        public init(type: Int64, text: [UInt8]) {
            self.type = type
            self.text = text
        }
    }
    /// Which message msgrcv(2) takes.
    public enum Selection: Sendable {
        case first
        case type(Int64)
        /// MSG_EXCEPT.
        case anyBut(Int64)
        /// The lowest type up to a bound.
        case lowest(upTo: Int64)
        /// MSG_COPY: by position, without taking it.
        case position(Int64)
    }
    struct State: Sendable {
        var permission: IPCPermission
        var messages: [Message] = []
        var bytes: UInt64 = 0
        var limit = MessageQueue.maximumBytes
        var sendTime: Int64 = 0
        var receiveTime: Int64 = 0
        var changeTime: Int64
        var lastSender: Int32 = 0
        var lastReceiver: Int32 = 0
        var isRemoved = false
    }
    public let id: Int32
    let state: Mutex<State>
    private let senders = WaitQueue()
    private let receivers = WaitQueue()

    init(id: Int32, permission: IPCPermission) {
        self.id = id
        state = Mutex(State(permission: permission, changeTime: IPCRegistry.now))
    }

    /// msgsnd(2). - Throws: EACCES, EAGAIN, EIDRM, ERESTARTNOHAND.
    public func send(_ current: CurrentTask, _ message: Message, isNonBlocking: Bool) throws(Errno) {
        let size = UInt64(message.text.count)
        _ = try restartable { () throws(Errno) in
            try current.wait(on: senders) { () throws(Errno) -> Bool? in
                let sent = try state.withLock { s throws(Errno) -> Bool in
                    if s.isRemoved { throw .EIDRM }
                    try s.permission.check(0o222, current.credentials)
                    // An empty message counts too: Linux bounds the number of messages by the bytes.
                    guard s.bytes &+ size <= s.limit, UInt64(s.messages.count) < s.limit else { return false }
                    s.messages.append(message)
                    s.bytes += size
                    s.sendTime = IPCRegistry.now
                    s.lastSender = current.threadGroup.id
                    return true
                }
                if sent { return true }
                if isNonBlocking { throw .EAGAIN }
                return nil
            }
        }
        receivers.notify(.everything)
    }

    /// msgrcv(2). - Throws: EACCES, E2BIG, ENOMSG, EIDRM, ERESTARTNOHAND.
    public func receive(
        _ current: CurrentTask, _ selection: Selection, size: UInt64, truncates: Bool, isNonBlocking: Bool
    ) throws(Errno) -> Message {
        var takes = true
        if case .position = selection { takes = false }
        let message = try restartable { () throws(Errno) in
            try current.wait(on: receivers) { () throws(Errno) -> Message? in
                let found = try state.withLock { s throws(Errno) -> Message? in
                    if s.isRemoved { throw .EIDRM }
                    try s.permission.check(0o444, current.credentials)
                    guard let index = Self.index(s.messages, selection) else { return nil }
                    let message = s.messages[index]
                    if UInt64(message.text.count) > size && !truncates { throw .E2BIG }
                    if takes {
                        s.messages.remove(at: index)
                        s.bytes -= UInt64(message.text.count)
                        s.receiveTime = IPCRegistry.now
                        s.lastReceiver = current.threadGroup.id
                    }
                    return message
                }
                if let found { return found }
                if isNonBlocking { throw .ENOMSG }
                return nil
            }
        }
        if takes { senders.notify(.everything) }
        return message
    }

    private func restartable<R>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        do throws(Errno) { return try body() } catch { throw error == .ERESTARTSYS ? .ERESTARTNOHAND : error }
    }

    private static func index(_ messages: [Message], _ selection: Selection) -> Int? {
        switch selection {
        case .first: return messages.isEmpty ? nil : 0
        case .type(let type): return messages.firstIndex { $0.type == type }
        case .anyBut(let type): return messages.firstIndex { $0.type != type }
        case .lowest(let bound):
            var best: Int?
            for (index, message) in messages.enumerated() where message.type <= bound {
                if best.map({ message.type < messages[$0].type }) ?? true { best = index }
            }
            return best
        case .position(let position): return position >= 0 && position < Int64(messages.count) ? Int(position) : nil
        }
    }

    // MARK: msgctl(2)

    public func status(_ c: Credentials, checking: Bool = true) throws(Errno) -> MessageQueueData {
        try state.withLock { s throws(Errno) in
            if s.isRemoved { throw .EIDRM }
            if checking { try s.permission.check(0o444, c) }
            var data = MessageQueueData()
            data.permission = s.permission.data(id: id, for: c)
            data.sendTime = s.sendTime
            data.receiveTime = s.receiveTime
            data.changeTime = s.changeTime
            data.bytes = s.bytes
            data.messages = UInt64(s.messages.count)
            data.limit = s.limit
            data.lastSender = s.lastSender
            data.lastReceiver = s.lastReceiver
            return data
        }
    }
    public func change(_ new: MessageQueueData, _ c: Credentials) throws(Errno) {
        try state.withLock { s throws(Errno) in
            if s.isRemoved { throw .EIDRM }
            try s.permission.checkOwner(c)
            if new.limit > Self.maximumBytes && !c.has(.sysResource) { throw .EPERM }
            try s.permission.change(new.permission, c)
            s.limit = new.limit
            s.changeTime = IPCRegistry.now
        }
        // A larger limit may let senders on; permissions may have gone.
        senders.notify(.everything)
        receivers.notify(.everything)
    }
    func remove(_ c: Credentials) throws(Errno) {
        try state.withLock { s throws(Errno) in
            if s.isRemoved { throw .EIDRM }
            try s.permission.checkOwner(c)
            s.isRemoved = true
            s.messages = []
            s.bytes = 0
        }
        senders.notify(.everything)
        receivers.notify(.everything)
    }
}

extension IPCNamespace {
    /// MSGMNI.
    public static let maximumQueues = 32000

    /// msgget(2).
    public func messageQueue(key: Int32, flags: Int32, for current: CurrentTask) throws(Errno) -> Int32 {
        let credentials = current.credentials
        return try get(
            queues, key: key, flags: flags, limit: Self.maximumQueues,
            check: { found throws(Errno) in try found.state.withLock { $0.permission }.check(flags, credentials) },
            make: { MessageQueue(id: $0, permission: IPCPermission(key: key, mode: flags, credentials, in: self)) })
    }
    /// - Throws: EINVAL.
    public func messageQueue(_ id: Int32) throws(Errno) -> MessageQueue {
        guard id >= 0, let found = queues.withLock({ $0.object(id) }) else { throw .EINVAL }
        return found
    }
    public func messageQueue(inSlot slot: Int32) throws(Errno) -> MessageQueue {
        guard let id = queues.withLock({ $0.id(inSlot: slot) }) else { throw .EINVAL }
        return try messageQueue(id)
    }
    public func remove(_ queue: MessageQueue, for current: CurrentTask) throws(Errno) {
        try queue.remove(current.credentials)
        let key = queue.state.withLock { $0.permission.key }
        queues.withLock { $0.remove(queue.id, key: key) }
    }
    /// Queues, messages and bytes in use, and the highest slot: MSG_INFO.
    public func messageUsage() -> (queues: Int, messages: Int, bytes: UInt64, highest: Int32) {
        let (all, highest) = queues.withLock { (Array($0.objects.values), $0.highestSlot) }
        var messages = 0
        var bytes: UInt64 = 0
        for queue in all {
            queue.state.withLock {
                messages += $0.messages.count
                bytes += $0.bytes
            }
        }
        return (all.count, messages, bytes, highest)
    }
}
