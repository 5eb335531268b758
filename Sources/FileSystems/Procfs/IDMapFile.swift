import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/PID/uid_map, gid_map and projid_map: user_namespaces(7). What may be written goes by who opened the file.
final class IDMapFile: SyntheticInode {
    private let reference: ProcessReference
    private let file: ProcessFile
    private let kind: IDMapKind
    let shared = InodeState()

    /// Nil for other files.
    init?(_ reference: ProcessReference, _ file: ProcessFile) {
        switch file {
        case .uidMap: kind = .users
        case .gidMap: kind = .groups
        case .projectIDMap: kind = .projects
        default: return nil
        }
        self.reference = reference
        self.file = file
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.files, file.index) }
    var mode: FileMode { FileMode(.regular, 0o644) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        let namespace = try reference.task().credentials.userNamespace
        return IDMapOperations(namespace, kind, opener: caller.credentials)
    }
}

final class IDMapOperations: FileOperations {
    private let namespace: UserNamespace
    private let kind: IDMapKind
    private let opener: Credentials
    init(_ namespace: UserNamespace, _ kind: IDMapKind, opener: Credentials) {
        self.namespace = namespace
        self.kind = kind
        self.opener = opener
    }

    var isSeekable: Bool { true }
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        var offset = 0
        if case .offset(let at) = position { offset = Int(clamping: at) }
        let text = namespace.mapText(kind, reader: opener.userNamespace)
        guard offset < text.count else { return 0 }
        return try buffer.put(Array(text[offset...].prefix(buffer.remaining)))
    }
    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        if case .offset(let at) = position, at != 0 { throw .EINVAL }
        let count = buffer.remaining
        guard count < 4096 else { throw .EINVAL }
        let text = try buffer.take(count)
        try namespace.setMap(kind, text, opener: opener, writer: caller.credentials)
        return (count, Int64(count))
    }
    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        guard whence == 0 || whence == 1 else { throw .EINVAL }
        let (target, overflow) = offset.addingReportingOverflow(whence == 1 ? current : 0)
        guard !overflow && target >= 0 else { throw .EINVAL }
        return target
    }
}
