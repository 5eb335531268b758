import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A netlink socket that tells of notifications: SIGEV_THREAD of mq_notify(2).
public protocol NotificationSink: AnyObject, Sendable {
    func deliver(_ bytes: [UInt8])
}

/// A POSIX message queue: mq_overview(7). It is an inode of its own file system; open ones are `POSIXQueueFile`s.
public final class POSIXQueue: Inode {
    struct Message: Sendable {
        var priority: UInt32
        var text: [UInt8]
    }
    /// Who is told, once, when a message comes to the empty queue: mq_notify(3).
    struct Notification: Sendable {
        weak var owner: ThreadGroup?
        /// Nil for SIGEV_NONE and SIGEV_THREAD.
        var signal: Signal?
        var value: UInt64
        /// SIGEV_THREAD: the socket that a thread reads, and what it reads there.
        var sink: (any NotificationSink)?
        var cookie: [UInt8] = []

        /// Writes the cookie with its last byte, the state, to the socket.
        func deliver(_ state: UInt8) { sink?.deliver(cookie.dropLast() + [state]) }
    }
    struct State: Sendable {
        /// By rising priority, and the newest first among equals: the next to go is the last.
        var messages: [Message] = []
        var bytes: UInt64 = 0
        var waitingReceivers = 0
        var notification: Notification?
        var attributes: FileAttributes
    }
    public let maximumMessages: Int
    public let messageSize: Int
    public let number: UInt64
    public let shared = InodeState()
    let state: Mutex<State>
    /// Fires when a message or room for one came.
    let waiters = WaitQueue()
    private let charge: POSIXQueueCharge

    init(_ attributes: POSIXQueueAttributes, mode: UInt16, _ c: Credentials, number: UInt64, charge: POSIXQueueCharge) {
        maximumMessages = Int(attributes.maximumMessages)
        messageSize = Int(attributes.messageSize)
        self.number = number
        self.charge = charge
        var kept = FileAttributes(
            device: POSIXQueueFileSystem.shared.device, inode: number, mode: FileMode(.regular, mode), uid: c.fileSystemUID,
            gid: c.fileSystemGID)
        kept.size = UInt64(POSIXQueueFile.statusSize)
        let now = HostClock.realtimeCoarse.timespec
        (kept.accessTime, kept.modificationTime, kept.changeTime) = (now, now, now)
        state = Mutex(State(attributes: kept))
    }

    public var fileSystem: any FileSystem { POSIXQueueFileSystem.shared }
    public var type: FileType { .regular }
    public func attributes() throws(Errno) -> FileAttributes { state.withLock { $0.attributes } }
    public func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        state.withLock {
            if let permissions = change.permissions { $0.attributes.mode.permissions = permissions }
            if let uid = change.uid { $0.attributes.uid = uid }
            if let gid = change.gid { $0.attributes.gid = gid }
            $0.attributes.changeTime = HostClock.realtimeCoarse.timespec
        }
    }
    public func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { POSIXQueueFile(self) }

    /// Now, as mq_getattr(3) tells it.
    public var report: POSIXQueueAttributes {
        var result = POSIXQueueAttributes(maximumMessages: Int64(maximumMessages), messageSize: Int64(messageSize))
        result.messages = Int64(state.withLock { $0.messages.count })
        return result
    }

    // MARK: transfer

    /// mq_timedsend(2), one attempt. - Throws: EAGAIN when full.
    public func send(_ text: [UInt8], priority: UInt32, from sender: CurrentTask) throws(Errno) {
        let told = try state.withLock { s throws(Errno) -> Notification? in
            guard s.messages.count < maximumMessages else { throw .EAGAIN }
            let index = s.messages.partitioningIndex { $0.priority >= priority }
            s.messages.insert(Message(priority: priority, text: text), at: index)
            s.bytes += UInt64(text.count)
            // Only a message that comes to an empty queue nobody waits at: mq_notify(3).
            guard s.messages.count == 1 && s.waitingReceivers == 0 else { return nil }
            defer { s.notification = nil }
            return s.notification
        }
        waiters.notify(.allReadable)
        let wokenUp: UInt8 = 1
        told?.deliver(wokenUp)
        if let told, let owner = told.owner, let signal = told.signal {
            var info = SignalInfo(signal, code: SignalInfo.SI_MESGQ)
            info.pid = sender.threadGroup.numbers.number(in: owner.pidNamespace)
            info.uid = owner.credentials?.shownUser(sender.credentials.realUID) ?? 0
            info.value = told.value
            _ = try? owner.send(info, to: nil, options: .kernel)
        }
    }

    /// mq_timedreceive(2), one attempt. - Throws: EAGAIN when empty.
    public func receive() throws(Errno) -> (text: [UInt8], priority: UInt32) {
        let message = try state.withLock { s throws(Errno) -> Message in
            guard let message = s.messages.popLast() else { throw .EAGAIN }
            s.bytes -= UInt64(message.text.count)
            return message
        }
        waiters.notify(.allWritable)
        return (message.text, message.priority)
    }

    /// A receiver begins or ends to wait.
    public func countReceiver(_ change: Int) { state.withLock { $0.waitingReceivers += change } }

    // MARK: mq_notify(2)

    /// - Throws: EBUSY while another registration stands.
    /// - Parameters:
    ///   - sink: for SIGEV_THREAD, with the 32 bytes that are written to it.
    public func register(
        _ group: ThreadGroup, signal: Signal?, value: UInt64, sink: (any NotificationSink)? = nil, cookie: [UInt8] = []
    ) throws(Errno) {
        try state.withLock { s throws(Errno) in
            if let owner = s.notification?.owner, !owner.isZombie { throw .EBUSY }
            s.notification = Notification(owner: group, signal: signal, value: value, sink: sink, cookie: cookie)
        }
    }
    public func unregister(_ group: ThreadGroup) {
        let gone = state.withLock { s -> Notification? in
            guard s.notification?.owner === group else { return nil }
            defer { s.notification = nil }
            return s.notification
        }
        let removed: UInt8 = 2
        gone?.deliver(removed)
    }
}

extension Array {
    /// The first index whose element satisfies `test`, which all after it do too.
    fileprivate func partitioningIndex(_ test: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if test(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
