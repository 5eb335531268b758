import CHost
import HostOS
import LinuxABI

/// The fast platform: guest threads raise seccomp user notifications, each on a listener of its own.
///
/// Needs Linux 5.9 (FSGSBASE, and listeners that hang up) and a processor with FSGSBASE; from 6.6 on notifications wake the other side on
/// the same CPU, and from 6.11 on the wait for one ends with its thread.
public final class SeccompPlatform: Platform, StubRunner {
    public let name = "seccomp"
    private let pool: StubPool
    let watch = KickWatch()
    private let polls: Bool
    /// Nil where notifications themselves wake on the same CPU.
    let balancer: CPUBalancer?
    /// Nil: every call is a notification.
    let fastPath: FastPath?

    /// Starts the zygote and a first guest thread, which shows that the host lets us. Call in `main`, while the process has one thread.
    /// - Throws: ENOSYS when the host lacks what is needed, EBUSY and others when it forbids it.
    ///
    /// `fastPath`: patches system-call sites of guest programs, and hands calls over in shared memory while that pays.
    public init(memoryFile: Int32, fastPath: FastPathUse) throws(Errno) {
        guard chost_has_fsgsbase() != 0 else { throw .ENOSYS }
        polls = !HostMachine.isKernel(atLeast: (6, 11))
        balancer = HostMachine.isKernel(atLeast: (6, 6)) ? nil : CPUBalancer()
        self.fastPath = fastPath == .never || balancer != nil ? nil : FastPath(isEager: fastPath == .always)
        pool = StubPool(zygote: try StubZygote(memoryFile: memoryFile, notifies: true))
        let stub = try pool.take()
        stub.threadIsIdle(try stub.takeThread(polls: polls))
        pool.keep(stub)
    }

    public var vdso: VDSOPlacement? { pool.zygote.vdso }
    public var lifeline: Int32? { pool.zygote.control }
    public var lowestAddress: GuestAddress { fastPath == nil ? AddressLimits.minimum : FastPath.lowestAddress }

    public func makeAddressSpace() throws(Errno) -> any PlatformAddressSpace {
        StubAddressSpace(pool: pool, runner: self, stub: try pool.take(), patchesSites: fastPath != nil)
    }

    func makeContext(in process: StubProcess, sites: SiteTable?) throws(Errno) -> any PlatformContext {
        SeccompContext(platform: self, process: process, sites: sites, thread: try process.takeThread(polls: polls))
    }
}
