import Synchronization

/// State that every inode has whatever its file system: attached objects that the VFS and the kernel keep per inode.
/// (Record and whole-file locks, the pipe behind a FIFO, the socket bound to a socket node.)
public final class InodeState: Sendable {
    private struct Attachments {
        var fifo: (any AnyObject & Sendable)?
        var boundSocket: (any AnyObject & Sendable)?
    }
    private let attachments = Mutex(Attachments())

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
}
