import Kernel
import LinuxABI
import VirtualFileSystem

/// /proc/PID and /proc/PID/task/TID.
final class ProcessDirectory: SyntheticDirectory {
    private let reference: ProcessReference
    let shared = InodeState()
    init(_ reference: ProcessReference) { self.reference = reference }

    /// The process whose own directory this is; nil for a thread's.
    var process: ThreadGroup? { reference.thread == nil ? reference.group : nil }

    /// Subdirectories and links, in the order of the listing; files follow.
    private enum Subdirectory: String, CaseIterable, Sendable {
        case task, fd, fdinfo, ns, net
        var permissions: UInt16 {
            switch self {
            case .fd: 0o500
            case .ns: 0o511
            default: 0o555
            }
        }
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number }
    var parentNumber: UInt64 {
        reference.thread == nil
            ? ProcFileSystem.rootNumber : ProcessReference(reference.fileSystem, reference.group, nil).number(.directories, 0)
    }
    var mode: FileMode { FileMode(.directory, 0o555) }
    var owner: SyntheticOwner { reference.owner(publicDirectory: true) }
    var time: Timespec { reference.startTime }
    var linkCount: UInt32 { reference.thread == nil ? 7 : 6 }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        guard reference.isPresent else { return nil }
        let text = String(decoding: name.bytes, as: UTF8.self)
        if let file = ProcessFile(rawValue: text), file.exists(inThread: reference.thread != nil) {
            switch file {
            case .mem: return ProcessMemoryFile(reference)
            case .pagemap: return PageMapFile(reference)
            default: return IDMapFile(reference, file) ?? ProcessFileInode(reference, file)
            }
        }
        if let link = ProcessLink.Kind(rawValue: text) { return ProcessLink(reference, link) }
        switch Subdirectory(rawValue: text) {
        case .task: return reference.thread == nil ? ThreadsDirectory(reference) : nil
        case .fd: return DescriptorDirectory(reference, .links)
        case .fdinfo: return DescriptorDirectory(reference, .information)
        case .ns: return NamespaceDirectory(reference)
        case .net: return reference.fileSystem.network.inode(in: reference.fileSystem)
        case nil: return nil
        }
    }

    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        guard reference.isPresent else { throw .ENOENT }
        var result: [SyntheticEntry] = []
        var place: Int64 = 2
        func add(_ name: String, _ number: UInt64, _ type: FileType) {
            if place >= position {
                result.append(SyntheticEntry(name: Array(name.utf8), number: number, type: type, position: place))
            }
            place += 1
        }
        let isThread = reference.thread != nil
        for (index, directory) in Subdirectory.allCases.enumerated() {
            if directory == .task && isThread { continue }
            let number = directory == .net ? reference.fileSystem.network.number : reference.number(.directories, index)
            add(directory.rawValue, number, .directory)
        }
        for (index, link) in ProcessLink.Kind.allCases.enumerated() {
            add(link.rawValue, reference.number(.links, index), .symbolicLink)
        }
        for file in ProcessFile.allCases where file.exists(inThread: isThread) {
            add(file.rawValue, reference.number(.files, file.index), .regular)
        }
        return result
    }
}

/// What descriptors of /proc/PID mean to calls that take process descriptors.
public enum ProcessPlace {
    /// The process whose directory /proc/PID is open there; nil for anything else, directories of threads included.
    public static func process(of description: FileDescription) -> ThreadGroup? {
        description.isPathOnly ? nil : (description.inode as? ProcessDirectory)?.process
    }
}

/// /proc/PID/task.
final class ThreadsDirectory: SyntheticDirectory {
    private let reference: ProcessReference
    let shared = InodeState()
    init(_ reference: ProcessReference) { self.reference = reference }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.directories, 0) }
    var parentNumber: UInt64 { reference.number }
    var mode: FileMode { FileMode(.directory, 0o555) }
    var owner: SyntheticOwner { reference.owner(publicDirectory: true) }
    var time: Timespec { reference.startTime }
    var linkCount: UInt32 { 2 + UInt32(truncatingIfNeeded: reference.group.threadCount) }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        guard let id = ProcName.id(name), id > 0, let global = reference.pidNamespace.global(id),
            let task = reference.kernel.processes.task(global), task.threadGroup === reference.group
        else {
            return nil
        }
        return ProcessDirectory(ProcessReference(reference.fileSystem, reference.group, task))
    }

    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        guard reference.isPresent else { throw .ENOENT }
        let space = reference.pidNamespace
        var ids = reference.group.tasks.map { $0.numbers.number(in: space) }.filter { $0 != 0 }
        // A zombie keeps its leader.
        if ids.isEmpty { ids = [reference.group.numbers.number(in: space)] }
        return ids.sorted().filter { Int64($0) + 2 >= position }.map { id in
            SyntheticEntry(
                name: Array(String(id).utf8), number: ProcessReference.number(id, isThread: true), type: .directory,
                position: Int64(id) + 2)
        }
    }
}
