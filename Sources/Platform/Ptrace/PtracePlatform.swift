import CStub
import HostOS
import LinuxABI
import Synchronization

/// The portable platform: guest threads are traced, PTRACE_SYSEMU keeps their system calls from the host.
public final class PtracePlatform: Platform {
    public let name = "ptrace"
    private let zygote: StubZygote
    let balancer = CPUBalancer()
    /// Stub processes without a guest, ready for the next fork or exec.
    private let spares = Mutex<[StubProcess]>([])
    private static let spareLimit = 8

    /// Starts the zygote. Call in `main`, while the process has one thread.
    public init(memoryFile: Int32) throws(Errno) { zygote = try StubZygote(memoryFile: memoryFile) }

    public var vdso: VDSOPlacement? { zygote.vdso }
    public var lifeline: Int32? { zygote.control }

    public func makeAddressSpace() throws(Errno) -> any PlatformAddressSpace {
        StubReaper.shared.collect()
        if let spare = spares.withLock({ $0.popLast() }) { return PtraceAddressSpace(platform: self, stub: spare) }
        return PtraceAddressSpace(platform: self, stub: try StubProcess(zygote: zygote))
    }

    /// Takes a stub back: empties it and keeps it, or lets it die.
    func recycle(_ stub: StubProcess) {
        guard stub.isReusable, (try? stub.perform(emptyingOperations)) != nil else { return }
        spares.withLock { if $0.count < Self.spareLimit { $0.append(stub) } }
    }

    /// Unmaps everything that a guest can have mapped.
    private var emptyingOperations: [cstub_operation] {
        let lowest = GuestAddress(Page.size)
        guard let vdso else { return [StubOperation.unmap(GuestRange(start: lowest, end: AddressLimits.maximum))] }
        return [
            StubOperation.unmap(GuestRange(start: lowest, end: vdso.data.start)),
            StubOperation.unmap(GuestRange(start: vdso.code.end, end: AddressLimits.maximum)),
        ]
    }
}
