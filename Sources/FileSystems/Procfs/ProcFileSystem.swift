import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

/// proc(5): the kernel's own state and its processes as files. Names of processes come and go, so nothing is cached and an inode is
/// made at each look-up.
///
/// No lock is held here while the kernel's objects are asked.
public final class ProcFileSystem: FileSystem, SyntheticTreeHost {
    public let typeName = "proc"
    public let device = AnonymousDevice.allocate()
    public let cachePolicy = CachePolicy.none
    let kernel: SandboxKernel
    /// Whose numbers it shows: that of whoever mounted it.
    let pidNamespace: PIDNamespace
    public let userNamespace: UserNamespace?
    let creationTime = HostClock.realtime.timespec
    let fileSize: UInt64 = 0
    let directoryPermissions: UInt16 = 0o555
    /// What is not a process, below the root.
    let fixed: [SyntheticTree]
    /// /proc/PID/net.
    let network: SyntheticTree
    let machine: MachineFacts

    static let rootNumber: UInt64 = 1
    /// Linux's PROC_DYNAMIC_FIRST: numbers of fixed files.
    private static let firstFixedNumber: UInt64 = 0xf000_0000

    /// The kernel exists already: mount the file system on the living namespace. `machine` is read from the host here, so make it
    /// before the Sentry gives up opening host files.
    public init(kernel: SandboxKernel, machine: MachineFacts = MachineFacts(), pidNamespace: PIDNamespace? = nil) {
        self.kernel = kernel
        let space = pidNamespace ?? kernel.pidNamespace
        self.pidNamespace = space
        userNamespace = space.owner == UserNamespace.initial ? nil : space.owner
        self.machine = machine
        var next = Self.firstFixedNumber
        var fixed: [SyntheticTree] = []
        for entry in ProcTree.entries(kernel: kernel, machine: machine) {
            fixed.append(SyntheticTree(entry, parent: Self.rootNumber, next: &next))
        }
        self.fixed = fixed
        network = SyntheticTree(.directory("net", NetworkFiles.entries), parent: Self.rootNumber, next: &next)
    }

    public var root: any Inode { ProcRoot(self) }
    public func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x9fa0) }
}

extension ProcFileSystem {
    /// Lets mount(2) make instances, each for the pid namespace of whoever mounts it.
    public static func register(in types: FileSystemTypeRegistry, kernel: SandboxKernel, machine: MachineFacts) {
        types.register("proc", [.userNamespaces, .revealing]) { (_, options, caller) throws(Errno) in
            try ProcMountOptions.check(options)
            let space = (caller as? CurrentTask)?.pidNamespace ?? kernel.pidNamespace
            guard caller.credentials.has(.sysAdmin, in: space.owner) else { throw .EPERM }
            return ProcFileSystem(kernel: kernel, machine: machine, pidNamespace: space)
        }
    }
    public func reconfigure(_ options: [UInt8], caller: any Caller) throws(Errno) { try ProcMountOptions.check(options) }
}

/// The data argument of mount(2) for procfs: proc(5). Nothing is hidden here: what would hide is refused.
enum ProcMountOptions {
    static func check(_ text: [UInt8]) throws(Errno) {
        for option in text.split(separator: 0x2c) {
            switch String(decoding: option, as: UTF8.self) {
            case "hidepid=0", "hidepid=off": break
            case let gid where gid.hasPrefix("gid=") && UInt32(gid.dropFirst(4)) != nil: break
            default: throw .EINVAL
            }
        }
    }
}

/// What /proc shows of the machine; read once.
public struct MachineFacts: Sendable {
    public var processorCount: Int
    /// The text of /proc/cpuinfo.
    public var processorInformation: [UInt8]

    /// The host's values: all processors, whatever the sandbox may run on, as Linux shows them.
    public init() {
        // Read once per process, and rightly only while its threads are not pinned yet: task threads are.
        _ = HostSystem.processors
        self.init(processorCount: HostMachine.processorCount, processorInformation: HostMachine.processorInformation())
    }
    /// Of `processorInformation`, the first `processorCount` paragraphs are shown.
    public init(processorCount: Int, processorInformation: [UInt8]) {
        self.processorCount = processorCount
        self.processorInformation = Self.paragraphs(processorInformation, processorCount)
    }

    static func paragraphs(_ text: [UInt8], _ count: Int) -> [UInt8] {
        var found = 0
        for index in text.indices.dropFirst() where text[index] == 0x0a && text[index - 1] == 0x0a {
            found += 1
            if found == count { return Array(text[...index]) }
        }
        return text
    }
}
