import LinuxABI
import Synchronization
import VirtualFileSystem

/// The POSIX message queues of a sandbox by name.
public final class POSIXQueueNamespace: Sendable {
    private struct State: Sendable {
        var queues: [FileName: POSIXQueue] = [:]
        var lastNumber: UInt64 = 1
    }
    private let state = Mutex(State())
    private let usage = POSIXQueueUsage()

    // fs.mqueue.* and the bounds for those with CAP_SYS_RESOURCE.
    private static let maximumQueues = 256
    private static let userMessages: Int64 = 10
    private static let userMessageSize: Int64 = 8192
    private static let hardMessages: Int64 = 65536
    private static let hardMessageSize: Int64 = 16 << 20

    public init() {}

    public func queue(named name: FileName) -> POSIXQueue? { state.withLock { $0.queues[name] } }
    /// In the order of their making.
    public var listed: [(name: FileName, queue: POSIXQueue)] {
        state.withLock { s in s.queues.map { ($0.key, $0.value) } }.sorted { $0.1.number < $1.1.number }
    }

    /// mq_open(2) without the descriptor. `request` is nil for the defaults.
    /// - Throws: ENOENT, EEXIST, EACCES, EINVAL, ENOSPC, EMFILE.
    public func open(
        _ name: [UInt8], flags: OpenFlags, mode: UInt16, _ request: POSIXQueueAttributes?, for current: CurrentTask
    ) throws(Errno) -> POSIXQueue {
        let name = try Self.check(name)
        let credentials = current.credentials
        return try state.withLock { s throws(Errno) in
            if let found = s.queues[name] {
                if flags.isSuperset(of: [.create, .exclusive]) { throw .EEXIST }
                if flags.isSuperset(of: [.writeOnly, .readWrite]) { throw .EINVAL }
                try found.checkAccess(Self.access(flags), credentials)
                return found
            }
            guard flags.contains(.create) else { throw .ENOENT }
            if s.queues.count >= Self.maximumQueues && !credentials.has(.sysResource) { throw .ENOSPC }
            let wanted = request ?? POSIXQueueAttributes(maximumMessages: Self.userMessages, messageSize: Self.userMessageSize)
            try Self.check(wanted, credentials)
            let limit = current.threadGroup.limit(.messageQueue).soft
            guard let charge = usage.charge(credentials.realUID, Self.footprint(wanted), limit: limit) else { throw .EMFILE }
            s.lastNumber += 1
            let queue = POSIXQueue(wanted, mode: mode & ~current.umask & 0o777, credentials, number: s.lastNumber, charge: charge)
            s.queues[name] = queue
            return queue
        }
    }

    /// mq_unlink(2): the directory is sticky. - Throws: ENOENT, EACCES, EPERM.
    public func unlink(_ name: [UInt8], _ c: Credentials) throws(Errno) {
        let name = try Self.check(name)
        // The queue goes after the lock.
        let removed = try state.withLock { s throws(Errno) -> POSIXQueue in
            guard let queue = s.queues[name] else { throw .ENOENT }
            let owned = try queue.attributes()
            if owned.uid != c.fileSystemUID && c.fileSystemUID != 0 && !c.has(.fowner, over: owned) { throw .EPERM }
            s.queues[name] = nil
            return queue
        }
        removed.state.withLock { $0.attributes.linkCount = 0 }
    }

    /// One component of a path. - Throws: ENOENT, ENAMETOOLONG, EACCES.
    private static func check(_ name: [UInt8]) throws(Errno) -> FileName {
        if name.isEmpty { throw .ENOENT }
        let dot = UInt8(ascii: ".")
        if name.contains(UInt8(ascii: "/")) || name == [dot] || name == [dot, dot] { throw .EACCES }
        if name.count > FileName.maximumLength { throw .ENAMETOOLONG }
        return FileName(name)
    }

    private static func access(_ flags: OpenFlags) -> AccessMask {
        if flags.contains(.readWrite) { return [.read, .write] }
        return flags.contains(.writeOnly) ? .write : .read
    }

    private static func check(_ wanted: POSIXQueueAttributes, _ c: Credentials) throws(Errno) {
        let isPrivileged = c.has(.sysResource)
        guard (1...(isPrivileged ? hardMessages : userMessages)).contains(wanted.maximumMessages),
            (1...(isPrivileged ? hardMessageSize : userMessageSize)).contains(wanted.messageSize)
        else { throw .EINVAL }
    }

    /// What counts against RLIMIT_MSGQUEUE (getrlimit(2)): the text, and 48 bytes each for a message and for a node of its tree.
    private static func footprint(_ wanted: POSIXQueueAttributes) -> UInt64 {
        let messages = UInt64(wanted.maximumMessages)
        return messages * UInt64(wanted.messageSize) + messages * 48 + min(messages, UInt64(POSIXQueueAttributes.priorityLimit)) * 48
    }
}

/// Bytes that users' queues may take: RLIMIT_MSGQUEUE.
final class POSIXQueueUsage: Sendable {
    private let bytes = Mutex<[UInt32: UInt64]>([:])

    func charge(_ uid: UInt32, _ count: UInt64, limit: UInt64) -> POSIXQueueCharge? {
        let isGranted = bytes.withLock {
            let (sum, overflow) = ($0[uid] ?? 0).addingReportingOverflow(count)
            if overflow || sum > limit { return false }
            $0[uid] = sum
            return true
        }
        return isGranted ? POSIXQueueCharge(usage: self, uid: uid, count: count) : nil
    }
    fileprivate func release(_ uid: UInt32, _ count: UInt64) {
        bytes.withLock {
            let left = ($0[uid] ?? 0) - min($0[uid] ?? 0, count)
            $0[uid] = left == 0 ? nil : left
        }
    }
}

/// One queue's share; given back when the queue goes.
final class POSIXQueueCharge: Sendable {
    private let usage: POSIXQueueUsage
    private let uid: UInt32
    private let count: UInt64
    fileprivate init(usage: POSIXQueueUsage, uid: UInt32, count: UInt64) {
        self.usage = usage
        self.uid = uid
        self.count = count
    }
    deinit { usage.release(uid, count) }
}
