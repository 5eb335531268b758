import CStub
import HostOS
import LinuxABI
import Synchronization

/// How a platform runs the guest threads of a stub process.
protocol StubRunner: AnyObject, Sendable {
    /// See `PlatformAddressSpace.makeContext`.
    func makeContext(in process: StubProcess, sites: SiteTable?) throws(Errno) -> any PlatformContext
}

/// A guest address space in a stub process.
final class StubAddressSpace: PlatformAddressSpace {
    private let pool: StubPool
    private let runner: any StubRunner
    private let stub: Mutex<StubProcess?>
    /// Nil where no sites are patched.
    private let sites: SiteTable?
    /// Operations of one batch; a host file takes three and must not be split.
    private static let batchLimit = StubProcess.operationLimit - 3

    init(pool: StubPool, runner: any StubRunner, stub: StubProcess, patchesSites: Bool = false) {
        self.pool = pool
        self.runner = runner
        self.stub = Mutex(stub)
        sites = patchesSites ? SiteTable(process: stub) : nil
    }

    private func current() throws(Errno) -> StubProcess {
        guard let process = stub.withLock({ $0 }) else { throw .ESRCH }
        return process
    }

    func apply(_ changes: [MappingChange]) throws(Errno) {
        let process = try current()
        var operations: [cstub_operation] = []
        var files: [Int32] = []
        operations.reserveCapacity(changes.count)
        if let sites { operations = sites.takePendingOperations() }
        for change in changes {
            switch change {
            case .map(let range, let protection, .memoryFile(let offset), let populate):
                try check(range)
                operations.append(
                    StubOperation.map(range, protection, descriptor: CSTUB_FD_MEMORY, offset: offset, populate: populate))
            case .map(let range, let protection, .hostFile(let file, let offset), let populate):
                try check(range)
                operations.append(StubOperation.receiveFile(wait: true))
                operations.append(
                    StubOperation.map(range, protection, descriptor: CSTUB_FD_RECEIVED, offset: offset, populate: populate))
                operations.append(StubOperation.close(CSTUB_FD_RECEIVED))
                files.append(file.number)
            case .unmap(let range):
                try check(range)
                operations.append(StubOperation.unmap(range))
            case .protect(let range, let protection):
                try check(range)
                operations.append(StubOperation.protect(range, protection))
            }
            // A socket queues a bounded number of messages.
            if operations.count >= Self.batchLimit || files.count >= 8 {
                try process.perform(operations, descriptors: files)
                operations.removeAll(keepingCapacity: true)
                files.removeAll(keepingCapacity: true)
            }
        }
        if !operations.isEmpty { try process.perform(operations, descriptors: files) }
    }

    /// The stub region and the first page are never a guest's to change.
    private func check(_ range: GuestRange) throws(Errno) {
        guard range.start.rawValue >= Page.size, range.end <= AddressLimits.maximum, !range.isEmpty, range.start.isPageAligned,
            range.end.isPageAligned
        else { throw .EINVAL }
    }

    func makeContext() throws(Errno) -> any PlatformContext {
        try runner.makeContext(in: current(), sites: sites)
    }

    func attach(_ patcher: any TextPatcher) { sites?.attach(patcher) }

    func inheritText(of parent: any PlatformAddressSpace) {
        guard let sites, let theirs = (parent as? StubAddressSpace)?.sites else { return }
        sites.inherit(theirs)
    }

    func destroy() {
        guard let process = stub.withLock({ process in
            defer { process = nil }
            return process
        }) else { return }
        pool.recycle(process)
    }
}
