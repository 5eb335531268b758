import LinuxABI
import Memory
import VirtualFileSystem

/// An open POSIX message queue. Reading it tells its state; messages go through calls of their own.
public final class POSIXQueueFile: FileOperations {
    public let queue: POSIXQueue
    /// FILENT_SIZE of Linux.
    static let statusSize = 80

    public init(_ queue: POSIXQueue) { self.queue = queue }

    public static func makeDescription(_ queue: POSIXQueue, name: [UInt8], flags: OpenFlags) -> FileDescription {
        FileDescription(
            operations: POSIXQueueFile(queue), inode: queue, anonymousName: "/" + String(decoding: name, as: UTF8.self),
            flags: flags.intersection([.writeOnly, .readWrite, .nonBlocking]))
    }

    public var isSeekable: Bool { true }
    public var isPollable: Bool { true }
    public func readiness() -> PollEvents {
        let count = queue.state.withLock { $0.messages.count }
        var events: PollEvents = []
        if count > 0 { events.formUnion(.allReadable) }
        if count < queue.maximumMessages { events.formUnion(.allWritable) }
        return events
    }
    public func addWaiter(_ entry: WaitEntry) { queue.waiters.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { queue.waiters.remove(entry) }

    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = current
        case 2: base = Int64(Self.statusSize)
        default: throw .EINVAL
        }
        let (sum, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, sum >= 0 else { throw .EINVAL }
        return sum
    }

    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        let text = status
        guard case .offset(let offset) = position, offset < Int64(text.count) else { return 0 }
        return try buffer.put(Array(text[Int(max(0, offset))...].prefix(buffer.remaining)))
    }

    private var status: [UInt8] {
        let (bytes, notification) = queue.state.withLock { ($0.bytes, $0.notification) }
        func padded(_ value: some BinaryInteger, _ width: Int) -> String {
            let digits = String(value)
            return digits + String(repeating: " ", count: max(0, width - digits.count))
        }
        let owner = notification?.owner
        // SIGEV_SIGNAL 0, SIGEV_NONE 1, SIGEV_THREAD 2.
        let kind = owner == nil || notification?.signal != nil ? 0 : notification?.sink != nil ? 2 : 1
        let signal = owner == nil ? 0 : notification?.signal?.rawValue ?? 0
        let receiver = "NOTIFY:\(padded(kind, 5)) SIGNO:\(padded(signal, 5)) NOTIFY_PID:\(padded(owner?.id ?? 0, 6))"
        return Array("QSIZE:\(padded(bytes, 10)) \(receiver)\n".utf8)
    }
}

/// Linux's mqueue file system, as far as fstat(2) and fstatfs(2) of a queue see it. It is not mounted.
final class POSIXQueueFileSystem: FileSystem {
    static let shared = POSIXQueueFileSystem()
    let typeName = "mqueue"
    let device = DeviceNumber(major: 0, minor: 20)
    let cachePolicy = CachePolicy.none
    var root: any Inode { POSIXQueueRoot() }
    func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x1980_0202) }
}

private final class POSIXQueueRoot: Inode {
    let shared = InodeState()
    var fileSystem: any FileSystem { POSIXQueueFileSystem.shared }
    var number: UInt64 { 1 }
    var type: FileType { .directory }
    func attributes() throws(Errno) -> FileAttributes {
        FileAttributes(device: POSIXQueueFileSystem.shared.device, inode: 1, mode: FileMode(.directory, 0o1777))
    }
}
