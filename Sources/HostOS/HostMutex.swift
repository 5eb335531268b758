import CHost

/// A mutex for what all threads of a guest use in their calls. `Synchronization.Mutex` hands the lock over in priority order, so that a
/// thread which does not run yet holds it while others that run must wait: with more threads than processors each call then costs several
/// switches. Here whoever comes first gets it. It allocates, and suits objects that there are few of.
///
/// Not recursive; never held across a wait.
@safe public struct HostMutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    // SAFETY (Sendable): the value is reached with the lock held only, and came in and goes out as `sending`.
    @usableFromInline let word: UnsafeMutablePointer<UInt32>
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ initial: consuming sending Value) {
        unsafe word = .allocate(capacity: 1)
        unsafe word.initialize(to: 0)
        unsafe value = .allocate(capacity: 1)
        unsafe value.initialize(to: initial)
    }

    deinit {
        // SAFETY: nobody refers to the mutex any more.
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
        unsafe word.deallocate()
    }

    /// Calls `body` with the lock held.
    @inlinable public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        // SAFETY: both pointers are valid while the mutex lives, which this borrows.
        unsafe chost_lock_take(word)
        defer { unsafe chost_lock_give(word) }
        return try unsafe body(&value.pointee)
    }
}
