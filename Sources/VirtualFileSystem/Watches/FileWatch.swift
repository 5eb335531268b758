import LinuxABI
import Synchronization

/// Who is told what happens to watched files: an inotify instance.
public protocol WatchListener: AnyObject, Sendable {
    /// `events` happened to the watched file, or in the watched directory to the entry `name`. Directory locks may be held: the
    /// listener must neither block nor walk paths.
    func happened(_ events: WatchEvents, to watch: FileWatch, name: FileName?, cookie: UInt32)
    /// The watched file is gone, and the watch with it.
    func ended(_ watch: FileWatch)
}

/// One watch of one inode: an fsnotify mark of Linux.
public final class FileWatch: Sendable {
    public let descriptor: Int32
    public let inode: any Inode
    let listener: any WatchListener
    private let bits: Atomic<UInt32>
    /// Keeps the name cached, so that the next walk finds the same inode object. Given up when the name goes.
    private let place: Mutex<Dentry?>

    public init(descriptor: Int32, place: Path, events: WatchEvents, listener: any WatchListener) {
        self.descriptor = descriptor
        self.listener = listener
        inode = place.node
        bits = Atomic(events.rawValue)
        self.place = Mutex(place.dentry)
    }

    /// What is watched for, with the flags that stay with a watch.
    public var events: WatchEvents {
        get { WatchEvents(rawValue: bits.load(ordering: .relaxed)) }
        set { bits.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// From now on the file tells this watch.
    public func attach() {
        FileNotice.watchCount.wrappingAdd(1, ordering: .relaxed)
        inode.shared.add(self)
        inode.watchAdded()
    }

    /// - Returns: false when it was not attached any more.
    @discardableResult
    public func detach() -> Bool {
        guard inode.shared.remove(self) else { return false }
        FileNotice.watchCount.wrappingSubtract(1, ordering: .relaxed)
        forgetPlace()
        return true
    }

    func forgetPlace() {
        // The dentry may go with it, which must not happen under the lock.
        _ = place.withLock { $0.take() }
    }
}
