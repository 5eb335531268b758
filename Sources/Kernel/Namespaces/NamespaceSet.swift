import LinuxABI
import VirtualFileSystem

/// The namespaces of a task but for its user and pid namespace: Linux's nsproxy. A change makes a new set.
public final class NamespaceSet: Sendable {
    public let mounts: MountNamespace
    public let uts: UTSNamespace
    public let ipc: IPCNamespace
    public let network: NetworkNamespace
    public let cgroup: PlainNamespace
    public let time: PlainNamespace
    /// Where children are born: unshare(2) and setns(2) change this, never the caller's own pid namespace.
    public let pidForChildren: PIDNamespace

    init(
        mounts: MountNamespace, uts: UTSNamespace, ipc: IPCNamespace, network: NetworkNamespace, cgroup: PlainNamespace,
        time: PlainNamespace, pidForChildren: PIDNamespace
    ) {
        self.mounts = mounts
        self.uts = uts
        self.ipc = ipc
        self.network = network
        self.cgroup = cgroup
        self.time = time
        self.pidForChildren = pidForChildren
    }

    func with(
        mounts: MountNamespace? = nil, uts: UTSNamespace? = nil, ipc: IPCNamespace? = nil, network: NetworkNamespace? = nil,
        cgroup: PlainNamespace? = nil, time: PlainNamespace? = nil, pidForChildren: PIDNamespace? = nil
    ) -> NamespaceSet {
        NamespaceSet(
            mounts: mounts ?? self.mounts, uts: uts ?? self.uts, ipc: ipc ?? self.ipc, network: network ?? self.network,
            cgroup: cgroup ?? self.cgroup, time: time ?? self.time, pidForChildren: pidForChildren ?? self.pidForChildren)
    }
}

extension SandboxKernel {
    /// Init's.
    func makeInitialNamespaces() -> NamespaceSet {
        NamespaceSet(
            mounts: mountNamespace, uts: uts, ipc: ipc, network: .initial, cgroup: PlainNamespace(initial: .cgroup),
            time: PlainNamespace(initial: .time), pidForChildren: pidNamespace)
    }
}
