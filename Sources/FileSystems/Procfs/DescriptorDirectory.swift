import Kernel
import LinuxABI
import VirtualFileSystem

/// /proc/PID/fd and /proc/PID/fdinfo.
final class DescriptorDirectory: SyntheticDirectory {
    enum Kind: Sendable { case links, information }
    private let reference: ProcessReference
    private let kind: Kind
    let shared = InodeState()
    init(_ reference: ProcessReference, _ kind: Kind) {
        self.reference = reference
        self.kind = kind
    }

    private var table: DescriptorTable? { (try? reference.task())?.files }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.directories, kind == .links ? 1 : 2) }
    var parentNumber: UInt64 { reference.number }
    var mode: FileMode { FileMode(.directory, kind == .links ? 0o500 : 0o555) }
    var owner: SyntheticOwner { reference.owner(publicDirectory: kind == .information) }
    var time: Timespec { reference.startTime }
    /// Since Linux 6.2 the size of /proc/PID/fd is the number of open descriptors.
    var size: UInt64 { kind == .links ? UInt64(table?.snapshot().count ?? 0) : 0 }

    /// Whoever has the very credentials of the process gets into its directory although it is not dumpable, as the process itself
    /// may (proc_fd_permission).
    func checkAccess(_ access: AccessMask, _ credentials: Credentials) throws(Errno) {
        do throws(Errno) {
            try Permissions.check(access, syntheticAttributes(), credentials)
        } catch {
            guard !access.contains(.write), let task = try? reference.task(), task.credentials == credentials else { throw error }
        }
    }

    func willOpen(caller: any Caller) throws(Errno) {
        if kind == .information { try reference.requireInspection(caller) }
    }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        if kind == .information { try reference.requireInspection(caller) }
        guard let descriptor = ProcName.id(name), let entry = try? table?.entry(descriptor) else { return nil }
        switch kind {
        case .links: return DescriptorLink(reference, descriptor, entry.description)
        case .information: return DescriptorInformation(reference, descriptor)
        }
    }

    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] {
        guard reference.isPresent else { throw .ENOENT }
        guard let table else { return [] }
        let area: ProcessReference.Area = kind == .links ? .descriptors : .descriptorInformation
        var result: [SyntheticEntry] = []
        for (descriptor, _) in table.snapshot() where Int64(descriptor) + 2 >= position {
            result.append(
                SyntheticEntry(
                    name: Array(String(descriptor).utf8), number: reference.number(area, Int(descriptor)),
                    type: kind == .links ? .symbolicLink : .regular, position: Int64(descriptor) + 2))
        }
        return result
    }
}

/// /proc/PID/fd/N: leads to the open file itself, whatever its name means now.
final class DescriptorLink: SyntheticInode {
    private let reference: ProcessReference
    private let descriptor: Int32
    private let isReadable: Bool
    private let isWritable: Bool
    let shared = InodeState()

    /// Keeps no reference to the description: the link must not hold the file open.
    init(_ reference: ProcessReference, _ descriptor: Int32, _ description: FileDescription) {
        self.reference = reference
        self.descriptor = descriptor
        isReadable = description.isReadable
        isWritable = description.isWritable
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.descriptors, Int(descriptor)) }
    var mode: FileMode { FileMode(.symbolicLink, (isReadable ? 0o500 : 0) | (isWritable ? 0o300 : 0)) }
    var owner: SyntheticOwner { reference.owner() }
    var size: UInt64 { 64 }
    var time: Timespec { reference.startTime }

    /// - Throws: EACCES without inspection rights, ENOENT when the descriptor was closed.
    private func description(_ caller: any Caller) throws(Errno) -> FileDescription {
        guard let task = try? reference.task() else { throw .ENOENT }
        try reference.requireInspection(caller)
        guard let found = try? task.files?.get(descriptor) else { throw .ENOENT }
        return found
    }
    func readLink(caller: any Caller) throws(Errno) -> [UInt8] {
        let description = try description(caller)
        if let path = description.path { return path.procName(root: caller.root) }
        return Array(description.anonymousName.utf8)
    }
    func followMagicLink(caller: any Caller) throws(Errno) -> Path? { try description(caller).location }
}

/// /proc/PID/fdinfo/N. The content is made at open(2): a read of the file may hold the lock of the very position it shows.
final class DescriptorInformation: SyntheticInode {
    private let reference: ProcessReference
    private let descriptor: Int32
    let shared = InodeState()
    init(_ reference: ProcessReference, _ descriptor: Int32) {
        self.reference = reference
        self.descriptor = descriptor
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.descriptorInformation, Int(descriptor)) }
    var mode: FileMode { FileMode(.regular, 0o444) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        guard let task = try? reference.task() else { throw .ENOENT }
        try reference.requireInspection(caller)
        guard let table = task.files, let entry = try? table.entry(descriptor) else { throw .ENOENT }
        return SyntheticFileOperations(FixedTextFile(self, Self.text(entry, table)))
    }

    static func text(_ entry: DescriptorTable.Entry, _ table: DescriptorTable) -> [UInt8] {
        let description = entry.description
        var flags = description.statusFlags
        if entry.closeOnExec { flags.insert(.closeOnExec) }
        let location = description.location
        var text = TextBuilder()
        text.text("pos:\t")
        text.decimal(description.position.withLock { $0 })
        text.text("\nflags:\t0")
        text.octal(UInt64(flags.rawValue))
        text.text("\nmnt_id:\t")
        text.decimal(location.mount.id)
        text.text("\nino:\t")
        text.decimal((try? description.attributes())?.inode ?? 0)
        text.newline()
        let owners = [LockOwner.process(table), LockOwner.description(description)]
        var index = 1
        for lock in description.inode?.shared.locksIfAny?.recordLocks ?? [] where owners.contains(lock.owner) {
            text.text(
                "lock:\t\(index): \(lock.owner == owners[0] ? "POSIX " : "OFDLCK") ADVISORY  \(lock.isExclusive ? "WRITE" : "READ") "
            )
            text.decimal(lock.owner == owners[0] ? lock.processID : -1)
            if let attributes = try? description.attributes() {
                text.space()
                text.hex(UInt64(attributes.device.major), width: 2)
                text.text(":")
                text.hex(UInt64(attributes.device.minor), width: 2)
                text.text(":")
                text.decimal(attributes.inode)
            }
            text.line(" \(lock.start) \(lock.end == Int64.max ? "EOF" : String(lock.end))")
            index += 1
        }
        text.text(description.operations.descriptionInfo)
        return text.bytes
    }
}

/// A file with content that was made already.
final class FixedTextFile: SyntheticFile {
    private let inode: any SyntheticInode
    private let text: [UInt8]
    var shared: InodeState { inode.shared }
    init(_ inode: any SyntheticInode, _ text: [UInt8]) {
        self.inode = inode
        self.text = text
    }
    var fileSystem: any FileSystem { inode.fileSystem }
    var number: UInt64 { inode.number }
    var mode: FileMode { inode.mode }
    var time: Timespec { inode.time }
    func content(caller: any Caller) throws(Errno) -> [UInt8] { text }
}
