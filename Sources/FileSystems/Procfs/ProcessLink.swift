import Kernel
import LinuxABI
import VirtualFileSystem

/// The magic links /proc/PID/cwd, exe and root.
final class ProcessLink: SyntheticInode {
    enum Kind: String, CaseIterable, Sendable {
        case cwd, root, exe
        var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }
    private let reference: ProcessReference
    private let kind: Kind
    let shared = InodeState()
    init(_ reference: ProcessReference, _ kind: Kind) {
        self.reference = reference
        self.kind = kind
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.links, kind.index) }
    var mode: FileMode { FileMode(.symbolicLink, 0o777) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    /// - Throws: EACCES without inspection rights, ENOENT for a zombie.
    private func target(_ caller: any Caller) throws(Errno) -> Path {
        guard let task = try? reference.task() else { throw .ENOENT }
        try reference.requireInspection(caller)
        let target: Path?
        switch kind {
        case .cwd: target = task.fileSystem?.workingDirectory
        case .root: target = task.fileSystem?.root
        case .exe: target = reference.memory == nil ? nil : reference.group.executable
        }
        guard let target else { throw .ENOENT }
        return target
    }
    func readLink(caller: any Caller) throws(Errno) -> [UInt8] { try target(caller).procName(root: caller.root) }
    func followMagicLink(caller: any Caller) throws(Errno) -> Path? { try target(caller) }
}

extension Path {
    /// As /proc shows a path (d_path): below `root`, or from the top of the namespace when it does not lie there.
    func procName(root: Path) -> [UInt8] {
        let name = displayName(root: root)
        return name.first == UInt8(ascii: "/") || !name.starts(with: Array("(unreachable)".utf8)) ? name : displayName()
    }
}
