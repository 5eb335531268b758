import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An inotify instance: watches of inodes, and a queue of what happened to them that is read as a file. inotify(7).
///
/// `state` is taken with directory locks held and takes no other lock; watches are attached and detached without it.
public final class InotifyFile: FileOperations {
    private struct State {
        var queue = InotifyQueue()
        var watches: [Int32: FileWatch] = [:]
        var descriptors: [ObjectIdentifier: Int32] = [:]
        var lastDescriptor: Int32 = 0
    }
    private let state = Mutex(State())
    private let waiters = WaitQueue()
    private let kernel: SandboxKernel
    private let user: UInt32

    /// fs.inotify.max_user_instances, and the watches of one user.
    private static let instanceLimit: UInt64 = 128
    private static let watchLimit: UInt64 = 8192

    /// - Throws: EMFILE when the user has too many.
    public init(kernel: SandboxKernel, user: UInt32) throws(Errno) {
        guard kernel.inotifyInstances.add(user, limit: Self.instanceLimit) else { throw .EMFILE }
        self.kernel = kernel
        self.user = user
    }

    // MARK: watches

    /// inotify_add_watch(2) on a place that was found and may be read.
    /// - Throws: EEXIST (IN_MASK_CREATE), ENOSPC.
    public func watch(_ place: Path, _ request: WatchEvents) throws(Errno) -> Int32 {
        let kept = request.intersection([.all, .excludeUnlinked, .oneShot])
        let id = ObjectIdentifier(place.node)
        let (watch, isNew) = try state.withLock { s throws(Errno) -> (FileWatch, Bool) in
            if let descriptor = s.descriptors[id], let old = s.watches[descriptor] {
                if request.contains(.maskCreate) { throw .EEXIST }
                old.events = request.contains(.maskAdd) ? old.events.union(kept) : kept
                return (old, false)
            }
            guard kernel.inotifyWatches.add(user, limit: Self.watchLimit) else { throw .ENOSPC }
            s.lastDescriptor = s.lastDescriptor == .max ? 1 : s.lastDescriptor + 1
            let new = FileWatch(descriptor: s.lastDescriptor, place: place, events: kept, listener: self)
            s.watches[new.descriptor] = new
            s.descriptors[id] = new.descriptor
            return (new, true)
        }
        if isNew { watch.attach() }
        return watch.descriptor
    }

    /// inotify_rm_watch(2). - Throws: EINVAL.
    public func removeWatch(_ descriptor: Int32) throws(Errno) {
        guard let watch = state.withLock({ $0.watches[descriptor] }) else { throw .EINVAL }
        watch.detach()
        ended(watch)
    }

    public func released() {
        let watches = state.withLock { s in
            let all = s.watches.values
            s.watches = [:]
            s.descriptors = [:]
            return Array(all)
        }
        for watch in watches {
            watch.detach()
            kernel.inotifyWatches.remove(user)
        }
        kernel.inotifyInstances.remove(user)
    }

    // MARK: reading

    /// As many whole events as there is room for. - Throws: EAGAIN without any, EINVAL when the first does not fit, EFAULT.
    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        var total = 0
        while true {
            let room = buffer.remaining
            let (event, isTooSmall) = state.withLock { s -> (InotifyEvent?, Bool) in
                guard let first = s.queue.first else { return (nil, false) }
                guard first.size <= room else { return (nil, true) }
                s.queue.removeFirst()
                return (first, false)
            }
            guard let event else {
                if total > 0 { return total }
                throw isTooSmall ? .EINVAL : .EAGAIN
            }
            total += try buffer.put(event.bytes)
        }
    }

    public func readiness() -> PollEvents { state.withLock { $0.queue.isEmpty } ? [] : .allReadable }
    public func addWaiter(_ entry: WaitEntry) { waiters.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { waiters.remove(entry) }
    public var isPollable: Bool { true }
    public func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 { current }

    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        guard request == IoctlRequest.FIONREAD else { throw .ENOTTY }
        let count = Int32(clamping: state.withLock { $0.queue.byteCount })
        try caller.memory.store(count, at: GuestAddress(argument))
        return 0
    }

    /// As in Linux, less the file handles.
    public var descriptionInfo: String {
        let watches = state.withLock { $0.watches.values.sorted { $0.descriptor < $1.descriptor } }
        return watches.map { watch in
            let inode = String(watch.inode.number, radix: 16)
            let device = String(watch.inode.fileSystem.device.encoded, radix: 16)
            return "inotify wd:\(watch.descriptor) ino:\(inode) sdev:\(device) mask:\(String(watch.events.rawValue, radix: 16))"
                + " ignored_mask:0\n"
        }.joined()
    }
}

extension InotifyFile: WatchListener {
    public func happened(_ events: WatchEvents, to watch: FileWatch, name: FileName?, cookie: UInt32) {
        let asked = events.intersection(watch.events).intersection(.all)
        guard !asked.isEmpty else { return }
        // Programs do not expect IN_ISDIR with the events of a file itself.
        let directory = asked.isDisjoint(with: [.deleteSelf, .moveSelf]) ? events.intersection(.isDirectory) : []
        let event = InotifyEvent(
            descriptor: watch.descriptor, events: asked.union(directory), cookie: cookie, name: name?.bytes ?? [])
        let isNew = state.withLock { s in s.watches[watch.descriptor] === watch && s.queue.append(event) }
        if isNew { waiters.notify(.allReadable) }
        if watch.events.contains(.oneShot), watch.detach() { ended(watch) }
    }

    /// The descriptor means nothing any more: IN_IGNORED.
    public func ended(_ watch: FileWatch) {
        let wasKnown = state.withLock { s in
            guard s.watches[watch.descriptor] === watch else { return false }
            s.watches[watch.descriptor] = nil
            s.descriptors[ObjectIdentifier(watch.inode)] = nil
            return s.queue.append(InotifyEvent(descriptor: watch.descriptor, events: .ignored, cookie: 0, name: []))
        }
        guard wasKnown else { return }
        kernel.inotifyWatches.remove(user)
        waiters.notify(.allReadable)
    }
}
