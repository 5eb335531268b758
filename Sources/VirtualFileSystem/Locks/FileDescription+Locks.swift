import LinuxABI
import Synchronization

extension FileDescription {
    /// This description as the owner of locks; they go when it goes.
    public func becomeLockOwner() -> LockOwner {
        mayHoldLocks.store(true, ordering: .relaxed)
        return .description(self)
    }
}
