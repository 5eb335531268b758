import LinuxABI
import Memory

// What other parts of the kernel do when a task or process ends or executes a program.

/// Walks the robust futex list.
func exitRobustList(_ current: CurrentTask) {}

extension FutexTable {
    func wake(_ key: FutexKey, count: Int, bitset: UInt32) -> Int { 0 }
}

extension ThreadGroup {
    /// The process ended: no timer of it fires any more.
    func endTimers() {}
    /// execve(2) deletes POSIX timers and keeps interval timers.
    func endPOSIXTimers() {}
}
