import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

/// mqueue: the POSIX message queues of an IPC namespace as files (mq_overview(7), "Mounting the message queue filesystem").
public final class MessageQueueFileSystem: FileSystem {
    public let typeName = "mqueue"
    public let device = AnonymousDevice.allocate()
    /// mq_open(3) and mq_unlink(3) change it too.
    public let cachePolicy = CachePolicy.none
    public let userNamespace: UserNamespace?
    let namespace: IPCNamespace
    let creationTime = HostClock.realtime.timespec

    init(_ namespace: IPCNamespace) {
        self.namespace = namespace
        userNamespace = namespace.owner == UserNamespace.initial ? nil : namespace.owner
    }

    /// Lets mount(2) show the queues of whoever mounts.
    public static func register(in types: FileSystemTypeRegistry) {
        types.register("mqueue", .userNamespaces) { (_, options, caller) throws(Errno) in
            guard options.isEmpty, let current = caller as? CurrentTask else { throw .EINVAL }
            let namespace = current.namespaces.ipc
            guard caller.credentials.has(.sysAdmin, in: namespace.owner) else { throw .EPERM }
            return MessageQueueFileSystem(namespace)
        }
    }

    public var root: any Inode { MessageQueueDirectory(self) }
    public func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x1980_0202) }
}

final class MessageQueueDirectory: SyntheticDirectory {
    private let home: MessageQueueFileSystem
    let shared = InodeState()
    init(_ home: MessageQueueFileSystem) { self.home = home }

    var fileSystem: any FileSystem { home }
    var number: UInt64 { 1 }
    var parentNumber: UInt64 { 1 }
    var mode: FileMode { FileMode(.directory, 0o1777) }
    var owner: SyntheticOwner { SyntheticOwner(uid: home.namespace.owner.rootUser, gid: home.namespace.owner.rootGroup) }
    var time: Timespec { home.creationTime }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? { home.namespace.posixQueues.queue(named: name) }
    func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        guard case .regular = request.kind, let current = caller as? CurrentTask else { throw .EPERM }
        return try home.namespace.posixQueues.open(name.bytes, flags: [.create, .exclusive], mode: request.permissions, nil, for: current)
    }
    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        try home.namespace.posixQueues.unlink(name.bytes, caller.credentials)
    }
    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        home.namespace.posixQueues.listed.enumerated().filter { Int64($0.offset) + 2 >= position }.map { index, entry in
            SyntheticEntry(name: entry.name.bytes, number: entry.queue.number, type: .regular, position: Int64(index) + 2)
        }
    }
}
