import HostOS
import LinuxABI

/// The portable platform: guest threads are traced, PTRACE_SYSEMU keeps their system calls from the host.
public final class PtracePlatform: Platform, StubRunner {
    public let name = "ptrace"
    private let pool: StubPool
    let balancer = CPUBalancer()

    /// Starts the zygote. Call in `main`, while the process has one thread.
    public init(memoryFile: Int32) throws(Errno) { pool = StubPool(zygote: try StubZygote(memoryFile: memoryFile, notifies: false)) }

    public var vdso: VDSOPlacement? { pool.zygote.vdso }
    public var lifeline: Int32? { pool.zygote.control }

    public func makeAddressSpace() throws(Errno) -> any PlatformAddressSpace {
        StubAddressSpace(pool: pool, runner: self, stub: try pool.take())
    }

    func makeContext(in process: StubProcess, sites: SiteTable?) throws(Errno) -> any PlatformContext {
        try PtraceContext(platform: self, process: process)
    }
}
