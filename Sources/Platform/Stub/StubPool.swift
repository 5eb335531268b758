import CStub
import HostOS
import LinuxABI
import Synchronization

/// Stub processes for any platform that runs guests in them: made by the zygote, kept when an address space is done with them.
final class StubPool: Sendable {
    let zygote: StubZygote
    /// Stub processes without a guest, ready for the next fork or exec.
    private let spares = Mutex<[StubProcess]>([])
    private static let spareLimit = 8

    init(zygote: StubZygote) { self.zygote = zygote }

    func take() throws(Errno) -> StubProcess {
        StubReaper.shared.collect()
        if let spare = spares.withLock({ $0.popLast() }) { return spare }
        return try StubProcess(zygote: zygote)
    }

    /// Puts an unused stub aside.
    func keep(_ stub: StubProcess) { spares.withLock { if $0.count < Self.spareLimit { $0.append(stub) } } }

    /// Takes a stub back: empties it and keeps it, or lets it die.
    func recycle(_ stub: StubProcess) {
        guard stub.isReusable, (try? stub.perform(emptyingOperations)) != nil else { return }
        keep(stub)
    }

    /// Unmaps everything that a guest can have mapped.
    private var emptyingOperations: [cstub_operation] {
        let lowest = GuestAddress(Page.size)
        guard let vdso = zygote.vdso else { return [StubOperation.unmap(GuestRange(start: lowest, end: AddressLimits.maximum))] }
        return [
            StubOperation.unmap(GuestRange(start: lowest, end: vdso.data.start)),
            StubOperation.unmap(GuestRange(start: vdso.code.end, end: AddressLimits.maximum)),
        ]
    }
}
