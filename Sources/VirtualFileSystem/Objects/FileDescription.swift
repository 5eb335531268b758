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
    /// The type of the inode; nil for anonymous files without one.
    public let type: FileType?
    /// OpenFlags as bits.
    private let flags: Atomic<UInt32>
    /// File position. Held during reads and writes that use it, as Linux's f_pos_lock.
    public let position = Mutex<Int64>(0)
    /// Who gets SIGIO, and which signal: F_SETOWN, F_SETSIG.
    public let asyncOwner = Mutex(AsyncOwner())
    /// What sends it while O_ASYNC is set.
    public let asyncSender = Mutex<(any AnyObject & Sendable)?>(nil)
    /// What the Landlock domain that opened it denies later operations on it.
    public let denied: LandlockFileAccess
    /// The description counts as a writer of its inode (ETXTBSY).
    private let holdsWriteAccess: Bool
    /// It may hold whole-file or open-file-description locks, to be released with it.
    let mayHoldLocks = Atomic<Bool>(false)
    /// FMODE_CREATED: the open that made this description made the file too.
    private let created = Atomic<Bool>(false)
    public internal(set) var wasCreated: Bool {
        get { created.load(ordering: .relaxed) }
        set { created.store(newValue, ordering: .relaxed) }
    }
    /// Who wants to know when the last reference goes: epoll registrations.
    private let observers = Mutex<[any DescriptionObserver]>([])

    public convenience init(
        operations: any FileOperations, inode: (any Inode)? = nil, path: Path? = nil, anonymousName: String = "", flags: OpenFlags
    ) {
        self.init(
            operations: operations, inode: inode, path: path, anonymousName: anonymousName, flags: flags, holdsWriteAccess: false)
    }

    /// `holdsWriteAccess`: the caller has called `addWriter` on the inode's state; the description gives it back.
    init(
        operations: any FileOperations, inode: (any Inode)?, path: Path?, anonymousName: String, flags: OpenFlags, holdsWriteAccess: Bool,
        denied: LandlockFileAccess = []
    ) {
        self.denied = denied
        self.operations = operations
        self.inode = inode
        self.path = path
        self.anonymousName = anonymousName
        self.holdsWriteAccess = holdsWriteAccess
        type = inode?.type
        isPathOnly = flags.contains(.path)
        isReadable = flags.isReadable && !isPathOnly
        isWritable = flags.isWritable && !isPathOnly
        self.flags = Atomic(flags.subtracting([.create, .exclusive, .truncate, .noControllingTerminal, .closeOnExec]).rawValue)
    }

    deinit {
        if FileNotice.isOn, !isPathOnly, let path { FileNotice.post(isWritable ? .closeWrite : .closeNoWrite, path.dentry) }
        for observer in observers.withLock({ $0 }) { observer.descriptionReleased() }
        if mayHoldLocks.load(ordering: .relaxed) { inode?.shared.locksIfAny?.removeAll(of: .description(ObjectIdentifier(self))) }
        if holdsWriteAccess { inode?.shared.removeWriter() }
        operations.released()
    }

    public func addObserver(_ observer: any DescriptionObserver) { observers.withLock { $0.append(observer) } }
    public func removeObserver(_ observer: any DescriptionObserver) {
        observers.withLock { $0.removeAll { $0 === observer } }
    }

    /// Access mode and status flags, as F_GETFL gives them.
    public var statusFlags: OpenFlags {
        get { OpenFlags(rawValue: flags.load(ordering: .relaxed)) }
        set { flags.store(newValue.rawValue, ordering: .relaxed) }
    }
    public var isNonBlocking: Bool { statusFlags.contains(.nonBlocking) }

    /// Sets and clears status flags atomically.
    public func changeStatusFlags(set: OpenFlags, clear: OpenFlags) {
        var old = flags.load(ordering: .relaxed)
        while true {
            let new = old & ~clear.rawValue | set.rawValue
            let (done, found) = flags.compareExchange(expected: old, desired: new, ordering: .relaxed)
            if done { return }
            old = found
        }
    }
}

/// The receiver of I/O signals of a description (fcntl(2), "Managing signals").
public struct AsyncOwner: Sendable {
    public enum Kind: Sendable {
        case none
        case thread(Int32)
        case process(Int32)
        case processGroup(Int32)
    }
    public var kind = Kind.none
    /// Credentials of whoever set the owner: F_GETOWNER_UIDS.
    public var realUID: UInt32 = 0
    public var effectiveUID: UInt32 = 0
    /// 0: SIGIO.
    public var signal: Int32 = 0
}

extension FileDescription: MappedFileOwner {
    public var mappedPath: [UInt8] {
        if let path { return path.displayName() }
        return Array(anonymousName.utf8)
    }
}

extension FileDescription {
    /// Where the file is. An anonymous file gets a place outside the tree, so that /proc/PID/fd links, fstatat(2) with AT_EMPTY_PATH
    /// and the like work for it too.
    public var location: Path { path ?? AnonymousFileSystem.place(for: self) }

    /// fstat(2).
    public func attributes() throws(Errno) -> FileAttributes {
        if let inode { return try inode.attributes() }
        return AnonymousFileSystem.attributes(named: anonymousName)
    }

    /// lseek(2). - Throws: EINVAL, ESPIPE, ENXIO (SEEK_DATA and SEEK_HOLE at or past the end), EOVERFLOW.
    public func seek(offset: Int64, whence: Int32) throws(Errno) -> Int64 {
        try position.withLock { position throws(Errno) in
            let target: Int64
            do throws(Errno) {
                target = try operations.seek(offset: offset, whence: whence, current: position)
            } catch {
                // A directory's position is an opaque cookie: going back to one needs no help of the file system.
                guard error == .ESPIPE && type == .directory else { throw error }
                guard whence == 0 || whence == 1 else { throw .EINVAL }
                let (sum, overflow) = offset.addingReportingOverflow(whence == 1 ? position : 0)
                guard !overflow && sum >= 0 else { throw .EINVAL }
                target = sum
            }
            position = target
            return target
        }
    }
}

/// The file of an O_PATH descriptor: every operation on it fails before it gets here.
final class PathOnlyOperations: FileOperations {
    static let shared = PathOnlyOperations()
}

/// Told when an open file description goes away. It must not keep the description alive itself.
public protocol DescriptionObserver: AnyObject, Sendable {
    /// Called as the last reference goes, before the file's `released`; no locks are held.
    func descriptionReleased()
}
