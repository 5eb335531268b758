import LinuxABI
import Synchronization
import VirtualFileSystem

/// What a socket has sent and its receivers have not taken yet, against SO_SNDBUF: Linux's sk_wmem_alloc. Messages carry a reference and
/// give their charge back when they are taken or dropped.
final class SendAccount: Sendable {
    private let charged = Atomic<Int>(0)
    private let limit: Atomic<Int>
    /// The sender's wait queue.
    private let waiters: WaitQueue

    init(limit: Int, waiters: WaitQueue) {
        self.limit = Atomic(limit)
        self.waiters = waiters
    }

    /// What a message of `count` bytes costs: its bytes with the overhead of a Linux socket buffer, so that as many fit as there.
    static func charge(_ count: Int) -> Int { 256 + (count + 320 + 511) & ~511 }

    func setLimit(_ bytes: Int) {
        limit.store(bytes, ordering: .relaxed)
        waiters.notify(.allWritable)
    }
    var limitInBytes: Int { limit.load(ordering: .relaxed) }
    var outstanding: Int { charged.load(ordering: .relaxed) }
    /// Whether another message may be sent: one may go over the limit.
    var hasRoom: Bool { charged.load(ordering: .sequentiallyConsistent) < limit.load(ordering: .relaxed) }
    /// POLLOUT: a quarter is in use at most (unix_writable), so that a woken writer has something to do.
    var isWritable: Bool { charged.load(ordering: .sequentiallyConsistent) * 4 <= limit.load(ordering: .relaxed) }

    func add(_ charge: Int) { charged.add(charge, ordering: .sequentiallyConsistent) }
    /// No lock may be held that the waiters' observers take.
    func release(_ charge: Int) {
        if charge == 0 { return }
        let (old, new) = charged.subtract(charge, ordering: .sequentiallyConsistent)
        let bound = limit.load(ordering: .relaxed)
        if old * 4 > bound && new * 4 <= bound { waiters.notify(.allWritable) }
    }
}
