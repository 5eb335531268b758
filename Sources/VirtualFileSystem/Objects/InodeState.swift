import LinuxABI
import Synchronization

/// State that every inode has whatever its file system: attached objects that the VFS and the kernel keep per inode.
/// (Record and whole-file locks, the pipe behind a FIFO, the socket bound to a socket node.)
public final class InodeState: Sendable {
    private struct Attachments {
        var fifo: (any AnyObject & Sendable)?
        var boundSocket: (any AnyObject & Sendable)?
        var locks: FileLocks?
        var watches: [FileWatch] = []
        var outside = Outside(locks: nil)
    }
    private struct Outside: Sendable {
        weak let locks: (any OutsideLocks)?
    }
    private let attachments = Mutex(Attachments())
    private let hasLocks = Atomic<Bool>(false)
    private let hasWatches = Atomic<Bool>(false)
    /// Above zero: that many writers; below zero: that many who deny writing. Linux's i_writecount.
    private let writeCount = Atomic<Int32>(0)
    /// Known to have neither set-user-ID nor set-group-ID: a write need not look. Linux's S_NOSEC.
    private let plainMode = Atomic<Bool>(false)

    public init() {}

    /// The pipe behind a FIFO node, made by `make` on first use.
    public func fifo(_ make: () -> any AnyObject & Sendable) -> any AnyObject & Sendable {
        if let found = attachments.withLock({ $0.fifo }) { return found }
        let fresh = make()
        return attachments.withLock {
            if let found = $0.fifo { return found }
            $0.fifo = fresh
            return fresh
        }
    }
    public var boundSocket: (any AnyObject & Sendable)? {
        get { attachments.withLock { $0.boundSocket } }
        set { attachments.withLock { $0.boundSocket = newValue } }
    }

    // MARK: locks

    /// Processes outside the sandbox may lock the file too. Call it before the first use of `locks`.
    public func setOutsideLocks(_ locks: any OutsideLocks) {
        let outside = Outside(locks: locks)
        attachments.withLock { $0.outside = outside }
    }

    /// Record and whole-file locks, made on first use.
    public var locks: FileLocks {
        let locks = attachments.withLock { state in
            if let found = state.locks { return found }
            let fresh = FileLocks(outside: state.outside.locks)
            state.locks = fresh
            return fresh
        }
        hasLocks.store(true, ordering: .releasing)
        return locks
    }
    /// Nil when nobody ever locked the file.
    public var locksIfAny: FileLocks? {
        guard hasLocks.load(ordering: .acquiring) else { return nil }
        return attachments.withLock { $0.locks }
    }

    // MARK: watches: inotify(7)

    var watches: [FileWatch] {
        guard hasWatches.load(ordering: .acquiring) else { return [] }
        return attachments.withLock { $0.watches }
    }
    func add(_ watch: FileWatch) {
        attachments.withLock {
            $0.watches.append(watch)
            hasWatches.store(true, ordering: .releasing)
        }
    }
    /// - Returns: whether it was there.
    func remove(_ watch: FileWatch) -> Bool {
        attachments.withLock {
            guard let index = $0.watches.firstIndex(where: { $0 === watch }) else { return false }
            $0.watches.remove(at: index)
            hasWatches.store(!$0.watches.isEmpty, ordering: .releasing)
            return true
        }
    }

    // MARK: writers and those who deny writing (ETXTBSY)

    /// A description opens the file for writing. - Throws: ETXTBSY while it is being executed.
    public func addWriter() throws(Errno) { if !change(by: 1, unless: { $0 < 0 }) { throw .ETXTBSY } }
    public var hasWriters: Bool { writeCount.load(ordering: .relaxed) > 0 }
    public func removeWriter() { writeCount.wrappingSubtract(1, ordering: .relaxed) }
    /// execve(2) maps the file. Call `allowWriters` once for each success. - Throws: ETXTBSY while it is open for writing.
    public func denyWriters() throws(Errno) { if !change(by: -1, unless: { $0 > 0 }) { throw .ETXTBSY } }
    public func allowWriters() { writeCount.wrappingAdd(1, ordering: .relaxed) }

    private func change(by delta: Int32, unless refused: (Int32) -> Bool) -> Bool {
        var old = writeCount.load(ordering: .relaxed)
        while !refused(old) {
            let (done, found) = writeCount.compareExchange(expected: old, desired: old &+ delta, ordering: .acquiringAndReleasing)
            if done { return true }
            old = found
        }
        return false
    }

    // MARK: naming of unnamed files

    /// An O_TMPFILE file (without O_EXCL) that has no name yet and may get one by linkat(2).
    private let linkable = Atomic<Bool>(false)
    var isLinkable: Bool {
        get { linkable.load(ordering: .relaxed) }
        set { linkable.store(newValue, ordering: .relaxed) }
    }

    // MARK: advice

    private let hint = Atomic<UInt64>(0)
    /// F_SET_RW_HINT of fcntl(2).
    public var writeHint: UInt64 {
        get { hint.load(ordering: .relaxed) }
        set { hint.store(newValue, ordering: .relaxed) }
    }

    // MARK: set-ID bits

    /// The mode may have changed.
    func forgetMode() { plainMode.store(false, ordering: .relaxed) }
    var isKnownPlain: Bool {
        get { plainMode.load(ordering: .relaxed) }
        set { plainMode.store(newValue, ordering: .relaxed) }
    }
}
