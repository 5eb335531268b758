import Kernel
import LinuxABI
import VirtualFileSystem

/// The root of procfs: fixed files and one directory for each process.
final class ProcRoot: SyntheticDirectory {
    private let owner: ProcFileSystem
    let shared = InodeState()
    init(_ owner: ProcFileSystem) { self.owner = owner }

    /// Positions of processes in the listing begin here: Linux's FIRST_PROCESS_ENTRY.
    private static let firstProcessPosition: Int64 = 256

    var fileSystem: any FileSystem { owner }
    var number: UInt64 { ProcFileSystem.rootNumber }
    var parentNumber: UInt64 { ProcFileSystem.rootNumber }
    var mode: FileMode { FileMode(.directory, 0o555) }
    var time: Timespec { owner.creationTime }
    var linkCount: UInt32 { UInt32(truncatingIfNeeded: owner.fixed.count + visible.count) }

    /// Processes that the instance's namespace sees, by number.
    private var visible: [(number: Int32, group: ThreadGroup)] {
        let space = owner.pidNamespace
        let all = owner.kernel.processes.threadGroups.map { ($0.numbers.number(in: space), $0) }
        return space.level == 0 ? all : all.filter { $0.0 != 0 }.sorted { $0.0 < $1.0 }
    }

    private static let links: [(name: String, link: SelfLink.Kind)] = [("self", .process), ("thread-self", .thread)]

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        if let id = ProcName.id(name) {
            // A thread that is no leader isn't listed, yet it is found.
            guard id > 0, let global = owner.pidNamespace.global(id), let task = owner.kernel.processes.task(global) else { return nil }
            let reference = ProcessReference(owner, task.threadGroup, task.isLeader ? nil : task)
            return ProcessDirectory(reference)
        }
        if let tree = owner.fixed.first(where: { $0.name == name.bytes }) { return tree.inode(in: owner) }
        for (index, (text, kind)) in Self.links.enumerated() where name.bytes == Array(text.utf8) {
            return SelfLink(owner, kind, number: UInt64(index) + 2)
        }
        return nil
    }

    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        var result: [SyntheticEntry] = []
        var place: Int64 = 2
        for (index, (text, _)) in Self.links.enumerated() {
            if place >= position {
                result.append(
                    SyntheticEntry(name: Array(text.utf8), number: UInt64(index) + 2, type: .symbolicLink, position: place))
            }
            place += 1
        }
        for tree in owner.fixed {
            if place >= position {
                result.append(SyntheticEntry(name: tree.name, number: tree.number, type: tree.type, position: place))
            }
            place += 1
        }
        for (number, group) in visible {
            let place = Self.firstProcessPosition + Int64(number)
            guard place >= position else { continue }
            result.append(
                SyntheticEntry(
                    name: Array(String(number).utf8), number: ProcessReference.number(group.id, isThread: false),
                    type: .directory,
                    position: place))
        }
        return result
    }
}

/// /proc/self and /proc/thread-self.
final class SelfLink: SyntheticInode {
    enum Kind: Sendable { case process, thread }
    private let owner: ProcFileSystem
    private let kind: Kind
    let number: UInt64
    let shared = InodeState()
    init(_ owner: ProcFileSystem, _ kind: Kind, number: UInt64) {
        self.owner = owner
        self.kind = kind
        self.number = number
    }

    var fileSystem: any FileSystem { owner }
    var mode: FileMode { FileMode(.symbolicLink, 0o777) }
    var time: Timespec { owner.creationTime }
    func readLink(caller: any Caller) throws(Errno) -> [UInt8] {
        let space = owner.pidNamespace
        let (process, thread) =
            (caller as? CurrentTask).map { ($0.threadGroup.numbers.number(in: space), $0.task.numbers.number(in: space)) }
            ?? (caller.processID, caller.processID)
        guard process != 0 else { throw .ENOENT }
        return switch kind {
        case .process: Array(String(process).utf8)
        case .thread: Array("\(process)/task/\(thread)".utf8)
        }
    }
}

/// Numbers as names.
enum ProcName {
    /// A number without leading zeroes (name_to_int), nil for any other name.
    static func id(_ name: FileName) -> Int32? {
        guard let first = name.bytes.first, name.bytes.count <= 10 else { return nil }
        if first == 0x30 && name.bytes.count > 1 { return nil }
        var value: Int64 = 0
        for byte in name.bytes {
            guard byte >= 0x30 && byte <= 0x39 else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return Int32(exactly: value)
    }
}
