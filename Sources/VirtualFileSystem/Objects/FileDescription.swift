import LinuxABI
import Memory
import Synchronization

/// An open file description (open(2)): what descriptors refer to. Closed when the last reference goes.
public final class FileDescription: Sendable {
    public let operations: any FileOperations
    /// The inode; nil for anonymous files (epoll, eventfd, …), whose name is `anonymousName`.
    public let inode: (any Inode)?
    public let path: Path?
    /// For /proc/PID/fd: `anon_inode:[eventpoll]`, `pipe:[123]`, `socket:[123]`.
    public let anonymousName: String
    /// Access mode as opened: fixed.
    public let isReadable: Bool
    public let isWritable: Bool
    /// O_PATH: only names a place.
    public let isPathOnly: Bool
    private let flags: Mutex<OpenFlags>
    /// File position. Held during reads and writes that use it, as Linux's f_pos_lock.
    public let position = Mutex<Int64>(0)

    public init(
        operations: any FileOperations, inode: (any Inode)? = nil, path: Path? = nil, anonymousName: String = "", flags: OpenFlags
    ) {
        self.operations = operations
        self.inode = inode
        self.path = path
        self.anonymousName = anonymousName
        isPathOnly = flags.contains(.path)
        isReadable = flags.isReadable && !isPathOnly
        isWritable = flags.isWritable && !isPathOnly
        self.flags = Mutex(flags.subtracting([.create, .exclusive, .truncate, .noControllingTerminal, .closeOnExec]))
    }

    /// Who wants to know when the last reference goes: epoll registrations.
    private let observers = Mutex<[any DescriptionObserver]>([])

    deinit {
        for observer in observers.withLock({ $0 }) { observer.descriptionReleased() }
        operations.released()
    }

    public func addObserver(_ observer: any DescriptionObserver) { observers.withLock { $0.append(observer) } }
    public func removeObserver(_ observer: any DescriptionObserver) {
        observers.withLock { $0.removeAll { $0 === observer } }
    }

    /// Access mode and status flags, as F_GETFL gives them.
    public var statusFlags: OpenFlags {
        get { flags.withLock { $0 } }
        set { flags.withLock { $0 = newValue } }
    }
    public var isNonBlocking: Bool { statusFlags.contains(.nonBlocking) }
}

extension FileDescription: MappedFileOwner {
    public var mappedPath: [UInt8] {
        if let path { return path.displayName() }
        return Array(anonymousName.utf8)
    }
}

/// Told when an open file description goes away. It must not keep the description alive itself.
public protocol DescriptionObserver: AnyObject, Sendable {
    /// Called as the last reference goes, before the file's `released`; no locks are held.
    func descriptionReleased()
}
