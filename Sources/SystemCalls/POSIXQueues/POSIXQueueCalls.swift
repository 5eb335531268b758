import HostOS
import Kernel
import LinuxABI
import Memory
import Sockets
import VirtualFileSystem

/// POSIX message queues: mq_overview(7).
extension SystemCallFamilies {
    public static let posixQueues: [SystemCallEntry] = [
        .init(240, "mq_open", sysMqOpen),
        .init(241, "mq_unlink", sysMqUnlink),
        .init(242, "mq_timedsend", sysMqTimedsend),
        .init(243, "mq_timedreceive", sysMqTimedreceive),
        .init(244, "mq_notify", sysMqNotify),
        .init(245, "mq_getsetattr", sysMqGetsetattr),
    ]

    @Sendable static func sysMqOpen(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let request = a.address(3).isNull ? nil : try current.memory.load(POSIXQueueAttributes.self, at: a.address(3))
        let name = try current.path(at: a.address(0))
        let flags = OpenFlags(rawValue: a.uint(1))
        let queue = try current.namespaces.ipc.posixQueues.open(name, flags: flags, mode: UInt16(truncatingIfNeeded: a[2]), request, for: current)
        return try current.install(POSIXQueueFile.makeDescription(queue, name: name, flags: flags), closeOnExec: true)
    }

    @Sendable static func sysMqUnlink(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try current.namespaces.ipc.posixQueues.unlink(try current.path(at: a.address(0)), current.credentials)
        return 0
    }

    /// - Throws: EBADF, for files that are no queue too.
    private static func queue(_ current: CurrentTask, _ number: Int32) throws(Errno) -> (FileDescription, POSIXQueueFile) {
        let description = try current.file(number)
        guard let file = description.operations as? POSIXQueueFile else { throw .EBADF }
        return (description, file)
    }

    /// An absolute time on CLOCK_REALTIME; nil for none. - Throws: EFAULT, EINVAL.
    private static func deadline(_ current: CurrentTask, _ address: GuestAddress) throws(Errno) -> MonotonicInstant? {
        if address.isNull { return nil }
        let time = try current.memory.load(Timespec.self, at: address)
        guard time.isValid else { throw .EINVAL }
        return ClockDeadline(.realtime, nanoseconds: time.totalNanoseconds).instant
    }

    @Sendable static func sysMqTimedsend(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let deadline = try deadline(current, a.address(4))
        let priority = a.uint(3)
        if priority >= POSIXQueueAttributes.priorityLimit { throw .EINVAL }
        let (description, file) = try queue(current, a.int(0))
        guard description.isWritable else { throw .EBADF }
        if a[2] > UInt64(file.queue.messageSize) { throw .EMSGSIZE }
        let text = try current.memory.copyIn(a.address(1), count: Int(a[2]))
        try attempt(current, description, file, .allWritable, deadline) { () throws(Errno) in
            try file.queue.send(text, priority: priority, from: current)
        }
        return 0
    }

    @Sendable static func sysMqTimedreceive(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let deadline = try deadline(current, a.address(4))
        let (description, file) = try queue(current, a.int(0))
        guard description.isReadable else { throw .EBADF }
        if a[2] < UInt64(file.queue.messageSize) { throw .EMSGSIZE }
        file.queue.countReceiver(1)
        defer { file.queue.countReceiver(-1) }
        let message = try attempt(current, description, file, .allReadable, deadline) { () throws(Errno) in try file.queue.receive() }
        if !a.address(3).isNull { try current.memory.store(message.priority, at: a.address(3)) }
        try current.memory.copyOut(message.text, to: a.address(1))
        return message.text.count
    }

    private static func attempt<R>(
        _ current: CurrentTask, _ description: FileDescription, _ file: POSIXQueueFile, _ events: PollEvents,
        _ deadline: MonotonicInstant?, _ body: () throws(Errno) -> R
    ) throws(Errno) -> R {
        if description.isNonBlocking { return try body() }
        return try current.retry(on: [(file, events)], until: deadline, body)
    }

    /// Notification by a thread (SIGEV_THREAD) goes through a netlink socket, which the C library's thread reads: 32 bytes of its own.
    @Sendable static func sysMqNotify(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let event = a.address(1).isNull ? nil : try current.memory.load(SignalEvent.self, at: a.address(1))
        var sink: (any NotificationSink)?
        var cookie: [UInt8] = []
        if let event {
            switch event.notify {
            case SignalEvent.none: break
            case SignalEvent.signal: guard (0...64).contains(event.signo) else { throw .EINVAL }
            case SignalEvent.thread:
                cookie = try current.memory.copyIn(GuestAddress(event.value), count: 32)
                guard let file = try current.file(event.signo).operations as? SocketFile else { throw .ENOTSOCK }
                sink = file.socket as? NotificationSink
                if sink == nil { throw .EINVAL }
            default: throw .EINVAL
            }
        }
        let queue = try queue(current, a.int(0)).1.queue
        guard let event else {
            queue.unregister(current.threadGroup)
            return 0
        }
        let signal = event.notify == SignalEvent.signal ? Signal(rawValue: event.signo) : nil
        try queue.register(current.threadGroup, signal: signal, value: event.value, sink: sink, cookie: cookie)
        return 0
    }

    @Sendable static func sysMqGetsetattr(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let nonBlocking = Int64(OpenFlags.nonBlocking.rawValue)
        let new = a.address(1).isNull ? nil : try current.memory.load(POSIXQueueAttributes.self, at: a.address(1))
        if let new, new.flags & ~nonBlocking != 0 { throw .EINVAL }
        let (description, file) = try queue(current, a.int(0))
        var old = file.queue.report
        old.flags = description.isNonBlocking ? nonBlocking : 0
        if let new {
            if new.flags & nonBlocking != 0 {
                description.changeStatusFlags(set: .nonBlocking, clear: [])
            } else {
                description.changeStatusFlags(set: [], clear: .nonBlocking)
            }
        }
        if !a.address(2).isNull { try current.memory.store(old, at: a.address(2)) }
        return 0
    }
}
