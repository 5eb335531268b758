import CHost
import Glibc
import LinuxABI

/// What each process of the sandbox does first in `main`, while it has one thread.
public enum HostStartup {
    /// Grows the descriptor table to `capacity` entries and raises the soft limit. Returns the limit.
    @discardableResult
    public static func growDescriptorTable(to capacity: Int) -> Int { chost_grow_descriptor_table(capacity) }

    /// How many descriptors the process may have (RLIMIT_NOFILE).
    public static var descriptorLimit: Int { chost_descriptor_limit() }

    /// Lets the allocator make at most `count` arenas; call it before a filter forbids opening files.
    public static func limitAllocator(arenas count: Int32) { chost_limit_arenas(count) }

    /// Gives the allocator's free pages back to the host.
    public static func trimHeap() { chost_trim_heap() }

    /// Occupies closed descriptors among 0, 1 and 2 with placeholders that no child inherits, so that no socket or file of ours lands on
    /// them. Call it first of all. Returns which of them were open.
    public static func reserveStandardDescriptors() -> [Bool] {
        let mask = chost_reserve_standard_descriptors()
        return (0..<3).map { mask >> $0 & 1 != 0 }
    }

    /// Descendants whose parents die become children of this process, which can then wait for all of them.
    public static func becomeSubreaper() { _ = chost_become_subreaper() }

    /// SIGKILL when `parent` dies. Returns false when it is dead already.
    public static func dieWithParent(_ parent: Int32) -> Bool { chost_die_with_parent(parent) == 0 }

    /// A session of its own: no signal of the terminal reaches the process.
    public static func leaveTerminalSession() { _ = setsid() }

    /// Closes all descriptors from `first` on.
    public static func closeDescriptors(from first: Int32) { chost_close_from(first) }

    public static func setCloseOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
}
