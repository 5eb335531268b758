import CHost
import LinuxABI

/// What a confined child process of the sandbox does to itself, and what its parent does to it.
public enum HostConfinement {
    /// Makes the calling process die with `parent` and gain no privileges; it keeps only descriptor `keep`, and /dev/null as standard input, output
    /// and error. Returns the number of descriptors it may open.
    public static func confineChild(parent: Int32, keep: Int32) throws(Errno) -> Int {
        try hostResult(chost_confine_child(parent, keep))
    }

    /// Landlock limited to the trees of `grants`. Returns the version of Landlock applied, 0 when the host has none.
    public static func landlock(_ grants: [(descriptor: Int32, isWritable: Bool)]) throws(Errno) -> Int {
        let descriptors = grants.map(\.descriptor)
        let writable = grants.map { $0.isWritable ? UInt8(1) : 0 }
        // SAFETY: both arrays hold `grants.count` entries.
        return try hostResult(unsafe chost_landlock(descriptors, writable, grants.count))
    }

    /// Ends a child and waits for its end.
    public static func killAndReap(_ pid: Int32) { _ = chost_kill_and_reap(pid) }

    /// The wait status of a child that has ended, nil while it runs.
    public static func reapIfEnded(_ pid: Int32) throws(Errno) -> Int32? {
        let result = try hostResult(chost_try_reap(pid))
        return result == 0 ? nil : Int32(truncatingIfNeeded: result - 1)
    }
}
