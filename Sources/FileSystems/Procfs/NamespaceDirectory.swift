import Kernel
import LinuxABI
import VirtualFileSystem

/// The names in /proc/PID/ns: namespaces(7).
enum NamespaceName: String, CaseIterable, Sendable {
    case cgroup, ipc, mnt, net, pid
    case pidForChildren = "pid_for_children"
    case time
    case timeForChildren = "time_for_children"
    case user, uts

    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Nil for a task that has ended, and for a pid namespace that has no init yet.
    func namespace(of task: Task) -> (any Namespace)? {
        switch self {
        case .user: return task.credentials.userNamespace
        case .pid: return task.runState.letter == "Z" || task.runState.letter == "X" ? nil : task.pidNamespace
        default: break
        }
        guard let set = task.namespaces else { return nil }
        switch self {
        case .cgroup: return set.cgroup
        case .ipc: return set.ipc
        case .mnt: return set.mounts
        case .net: return set.network
        case .pidForChildren: return task.kernel.processes.initGroup(of: set.pidForChildren) == nil ? nil : set.pidForChildren
        case .time, .timeForChildren: return set.time
        case .uts: return set.uts
        case .user, .pid: return nil
        }
    }
}

/// /proc/PID/ns.
final class NamespaceDirectory: SyntheticDirectory {
    private let reference: ProcessReference
    let shared = InodeState()
    init(_ reference: ProcessReference) { self.reference = reference }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.directories, 3) }
    var parentNumber: UInt64 { reference.number }
    var mode: FileMode { FileMode(.directory, 0o511) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    func willOpen(caller: any Caller) throws(Errno) { try reference.requireInspection(caller) }
    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        guard let kind = NamespaceName(rawValue: String(decoding: name.bytes, as: UTF8.self)) else { return nil }
        return NamespaceLink(reference, kind)
    }
    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        NamespaceName.allCases.enumerated().filter { Int64($0.offset) + 2 >= position }.map { index, kind in
            SyntheticEntry(
                name: Array(kind.rawValue.utf8), number: reference.number(.namespaces, index), type: .symbolicLink,
                position: Int64(index) + 2)
        }
    }
}

/// /proc/PID/ns/X: leads to a file that stands for the namespace.
final class NamespaceLink: SyntheticInode {
    private let reference: ProcessReference
    private let kind: NamespaceName
    let shared = InodeState()
    init(_ reference: ProcessReference, _ kind: NamespaceName) {
        self.reference = reference
        self.kind = kind
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.namespaces, kind.index) }
    var mode: FileMode { FileMode(.symbolicLink, 0o777) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    private func namespace(_ caller: any Caller) throws(Errno) -> any Namespace {
        guard let task = try? reference.task() else { throw .ESRCH }
        try reference.requireInspection(caller)
        guard let found = kind.namespace(of: task) else { throw .ENOENT }
        return found
    }
    func readLink(caller: any Caller) throws(Errno) -> [UInt8] { Array(try namespace(caller).displayName.utf8) }
    func followMagicLink(caller: any Caller) throws(Errno) -> Path? {
        let found = try namespace(caller)
        return Path(detached: NamespaceInode(found), named: found.displayName)
    }
}

/// nsfs.
final class NamespaceFileSystem: FileSystem {
    static let shared = NamespaceFileSystem()
    let typeName = "nsfs"
    let device = AnonymousDevice.allocate()
    let cachePolicy = CachePolicy.none
    var root: any Inode { NamespaceInode(UserNamespace.initial) }
    func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x6e73_6673) }
}

final class NamespaceInode: SyntheticInode {
    let namespace: any Namespace
    let shared = InodeState()
    init(_ namespace: any Namespace) { self.namespace = namespace }

    var fileSystem: any FileSystem { NamespaceFileSystem.shared }
    var number: UInt64 { namespace.number }
    var mode: FileMode { FileMode(.regular, 0o444) }
    var time: Timespec { Timespec() }
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        if flags.isWritable { throw .EPERM }
        return NamespaceFile(namespace)
    }
}
