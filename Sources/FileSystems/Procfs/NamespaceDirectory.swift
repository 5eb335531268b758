import Kernel
import LinuxABI
import VirtualFileSystem

/// The namespaces of a process (namespaces(7)). There is one of each kind, with the numbers that Linux gives the initial ones, by
/// which programs tell whether they run in the initial namespace.
enum NamespaceKind: String, CaseIterable, Sendable {
    case cgroup, ipc, mnt, net, pid, time, user, uts
    case pidForChildren = "pid_for_children"
    case timeForChildren = "time_for_children"

    var inode: UInt64 {
        switch self {
        case .cgroup: 4_026_531_835
        case .ipc: 4_026_531_839
        case .mnt: 4_026_531_841
        case .net: 4_026_531_840
        case .pid, .pidForChildren: 4_026_531_836
        case .time, .timeForChildren: 4_026_531_834
        case .user: 4_026_531_837
        case .uts: 4_026_531_838
        }
    }
    /// `mnt:[4026531841]`.
    var text: String {
        switch self {
        case .pidForChildren: "pid:[\(inode)]"
        case .timeForChildren: "time:[\(inode)]"
        default: "\(rawValue):[\(inode)]"
        }
    }
    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
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
        guard let kind = NamespaceKind(rawValue: String(decoding: name.bytes, as: UTF8.self)) else { return nil }
        return NamespaceLink(reference, kind)
    }
    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        NamespaceKind.allCases.enumerated().filter { Int64($0.offset) + 2 >= position }.map { index, kind in
            SyntheticEntry(
                name: Array(kind.rawValue.utf8), number: reference.number(.namespaces, index), type: .symbolicLink,
                position: Int64(index) + 2)
        }
    }
}

/// /proc/PID/ns/X: leads to a file that stands for the namespace.
final class NamespaceLink: SyntheticInode {
    private let reference: ProcessReference
    private let kind: NamespaceKind
    let shared = InodeState()
    init(_ reference: ProcessReference, _ kind: NamespaceKind) {
        self.reference = reference
        self.kind = kind
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.namespaces, kind.index) }
    var mode: FileMode { FileMode(.symbolicLink, 0o777) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    func readLink(caller: any Caller) throws(Errno) -> [UInt8] {
        try reference.requireInspection(caller)
        return Array(kind.text.utf8)
    }
    func followMagicLink(caller: any Caller) throws(Errno) -> Path? {
        try reference.requireInspection(caller)
        return Path(detached: NamespaceInode(kind), named: kind.text)
    }
}

/// nsfs.
final class NamespaceFileSystem: FileSystem {
    static let shared = NamespaceFileSystem()
    let typeName = "nsfs"
    let device = AnonymousDevice.allocate()
    let cachePolicy = CachePolicy.none
    var root: any Inode { NamespaceInode(.mnt) }
    func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x6e73_6673) }
}

final class NamespaceInode: SyntheticInode {
    private let kind: NamespaceKind
    let shared = InodeState()
    init(_ kind: NamespaceKind) { self.kind = kind }

    var fileSystem: any FileSystem { NamespaceFileSystem.shared }
    var number: UInt64 { kind.inode }
    var mode: FileMode { FileMode(.regular, 0o444) }
    var time: Timespec { Timespec() }
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { NamespaceFile() }
}

/// An open namespace: nothing can be read from it.
final class NamespaceFile: FileOperations {}
