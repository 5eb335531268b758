import Glibc

/// A resource limit of this process on the host (getrlimit(2)).
public enum HostLimit: Sendable {
    case openFiles, fileSize, addressSpace

    private var resource: __rlimit_resource_t {
        switch self {
        case .openFiles: __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        case .fileSize: __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
        case .addressSpace: __rlimit_resource_t(RLIMIT_AS.rawValue)
        }
    }

    /// The hard limit; UInt64.max where there is none.
    public var maximum: UInt64 { read().hard }
    /// The limit in force.
    public var current: UInt64 { read().soft }

    private func read() -> (soft: UInt64, hard: UInt64) {
        var limit = rlimit()
        // SAFETY: `limit` is a live local for the duration of the call.
        guard unsafe getrlimit(resource, &limit) == 0 else { return (.max, .max) }
        return (UInt64(limit.rlim_cur), UInt64(limit.rlim_max))
    }

    /// Raises the limit in force to the hard one and returns it.
    @discardableResult
    public func raise() -> UInt64 {
        let (soft, hard) = read()
        guard soft < hard else { return hard }
        var limit = rlimit(rlim_cur: rlim_t(hard), rlim_max: rlim_t(hard))
        // SAFETY: `limit` is a live local for the duration of the call.
        return unsafe setrlimit(resource, &limit) == 0 ? hard : soft
    }
}
