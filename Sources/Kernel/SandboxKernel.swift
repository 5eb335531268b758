import HostOS
import LinuxABI
import Memory
import Platform
import VirtualFileSystem
import Synchronization

/// The application kernel of one sandbox: what all its tasks share.
public final class SandboxKernel: Sendable {
    public let platform: any Platform
    public let memoryFile: MemoryFile
    /// The initial mount namespace.
    public let mountNamespace: MountNamespace
    public let hostName: Mutex<[UInt8]>
    public let domainName = Mutex<[UInt8]>(Array("(none)".utf8))
    public let processes = ProcessTable()
    public let futexes = FutexTable()
    public let timers = TimerService()
    public let bootTime = MonotonicInstant.now
    /// Reports unusual events (unsupported calls, stub deaths) to whoever logs.
    public let report: @Sendable (String) -> Void

    public init(
        platform: any Platform, memoryFile: MemoryFile, mountNamespace: MountNamespace, hostName: String,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.mountNamespace = mountNamespace
        self.platform = platform
        self.memoryFile = memoryFile
        self.hostName = Mutex(Array(hostName.utf8))
        self.report = report
    }
}

/// All tasks, thread groups, process groups and sessions by number: the sandbox's pid namespace.
public final class ProcessTable: Sendable {
    public init() {}
    public func task(_ id: Int32) -> Task? { nil }
    public func threadGroup(_ id: Int32) -> ThreadGroup? { nil }
    public func processGroup(_ id: Int32) -> ProcessGroup? { nil }
    public var threadGroups: [ThreadGroup] { [] }
}
