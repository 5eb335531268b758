import CHost

/// The host's processor and what its kernel tells every program about it (getauxval(3)).
public enum HostProcessor {
    /// XCR0: enabled extended-state components; 0 without XSAVE. Read once.
    public static let extendedStateComponents: UInt64 = chost_xcr0()

    /// CPUs that this process may run on: sched_getaffinity(2).
    public static let allowedCount: Int = {
        var list = [Int32](repeating: 0, count: 1024)
        // SAFETY: the buffer holds 1024 entries.
        let count = unsafe list.withUnsafeMutableBufferPointer { unsafe chost_allowed_cpus($0.baseAddress!, 1024) }
        return max(1, Int(count))
    }()

    /// An entry of the Sentry's own auxiliary vector; 0 when absent.
    public static func auxiliaryValue(_ type: UInt64) -> UInt64 { chost_auxiliary_value(type) }
}
