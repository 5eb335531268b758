import CHost
import Glibc
import LinuxABI

/// What each process of the sandbox does first in `main`, while it has one thread.
public enum HostStartup {
    /// Grows the descriptor table to `capacity` entries and raises the soft limit. Returns the limit.
    @discardableResult
    public static func growDescriptorTable(to capacity: Int) -> Int { chost_grow_descriptor_table(capacity) }

    /// SIGKILL when `parent` dies. Returns false when it is dead already.
    public static func dieWithParent(_ parent: Int32) -> Bool { chost_die_with_parent(parent) == 0 }

    /// A session of its own: no signal of the terminal reaches the process.
    public static func leaveTerminalSession() { _ = setsid() }

    public static func setCloseOnExec(_ descriptor: Int32) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
}
