import FileSystems
import Kernel
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// fsopen(2), fsconfig(2), fsmount(2), fspick(2).
extension SystemCallFamilies {
    public static let fileSystemContexts: [SystemCallEntry] = [
        .init(430, "fsopen", sysFsopen),
        .init(431, "fsconfig", sysFsconfig),
        .init(432, "fsmount", sysFsmount),
        .init(433, "fspick", sysFspick),
    ]

    @Sendable static func sysFsopen(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try requireMounting(current)
        guard a.uint(1) & ~1 == 0 else { throw .EINVAL }
        let name = String(decoding: try text(current, a.address(0), limit: 4096), as: UTF8.self)
        _ = try current.mountNamespace.fileSystemTypes.traits(name)
        return try current.install(
            FileSystemContextFile(.creating(type: name)).makeDescription(), closeOnExec: a.uint(1) & 1 != 0)
    }

    @Sendable static func sysFspick(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (closeOnExec, noFollow, noAutomount, emptyPath): (UInt32, UInt32, UInt32, UInt32) = (1, 2, 4, 8)
        let flags = a.uint(2)
        try requireMounting(current)
        guard flags & ~(closeOnExec | noFollow | noAutomount | emptyPath) == 0 else { throw .EINVAL }
        let place = try current.place(a.int(0), a.address(1), follow: flags & noFollow == 0, emptyPath: flags & emptyPath != 0)
        guard place.dentry === place.mount.root else { throw .EINVAL }
        return try current.install(
            FileSystemContextFile(.reconfiguring(place.mount)).makeDescription(), closeOnExec: flags & closeOnExec != 0)
    }

    private enum Command {
        static let setFlag: UInt32 = 0
        static let setString: UInt32 = 1
        static let setBinary: UInt32 = 2
        static let setPath: UInt32 = 3
        static let setPathEmpty: UInt32 = 4
        static let setDescriptor: UInt32 = 5
        static let create: UInt32 = 6
        static let reconfigure: UInt32 = 7
        static let createExclusively: UInt32 = 8
    }

    @Sendable static func sysFsconfig(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let (command, key, value, extra) = (a.uint(1), a.address(2), a.address(3), a.int(4))
        if a.int(0) < 0 { throw .EINVAL }
        let isValid: Bool
        switch command {
        case Command.setFlag: isValid = !key.isNull && value.isNull && extra == 0
        case Command.setString: isValid = !key.isNull && !value.isNull && extra == 0
        case Command.setBinary: isValid = !key.isNull && !value.isNull && extra > 0 && extra <= 1 << 20
        case Command.setPath, Command.setPathEmpty: isValid = !key.isNull && !value.isNull && (extra == AtFlags.workingDirectory || extra >= 0)
        case Command.setDescriptor: isValid = !key.isNull && value.isNull && extra >= 0
        case Command.create, Command.createExclusively, Command.reconfigure: isValid = key.isNull && value.isNull && extra == 0
        default: throw .EOPNOTSUPP
        }
        guard isValid else { throw .EINVAL }
        let description = try current.files.get(a.int(0))
        guard let context = description.operations as? FileSystemContextFile else { throw .EINVAL }
        let name = key.isNull ? [] : try text(current, key, limit: 256)
        switch command {
        case Command.setFlag: try context.set(name, nil, current)
        case Command.setString: try context.set(name, try text(current, value, limit: 256), current)
        // No parameter of any type here takes bytes, a path or a descriptor.
        case Command.setBinary, Command.setPath, Command.setPathEmpty: throw .EINVAL
        case Command.setDescriptor:
            _ = try current.files.get(extra)
            throw .EINVAL
        case Command.create, Command.createExclusively: try context.create(current)
        default: try context.reconfigure(current)
        }
        return 0
    }

    /// - Throws: EFAULT, EINVAL when it is longer.
    private static func text(_ current: CurrentTask, _ address: GuestAddress, limit: Int) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try current.memory.copyInString(address, limit: limit)
        } catch { throw error == .ENAMETOOLONG ? .EINVAL : error }
    }

    @Sendable static func sysFsmount(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        try requireMounting(current)
        let attributes = MountAttributes(rawValue: UInt64(a.uint(2)))
        guard a.uint(1) & ~1 == 0, attributes.isSubset(of: .settable) else { throw .EINVAL }
        let flags = plain(attributes).union(try accessTime(attributes))
        let description = try current.files.get(a.int(0))
        guard let context = description.operations as? FileSystemContextFile else { throw .EINVAL }
        let tree = try context.mount(flags, current)
        return try current.install(DetachedTreeFile.makeDescription(tree), closeOnExec: a.uint(1) & 1 != 0)
    }
}

/// What fsopen(2) and fspick(2) give: a file system being configured.
final class FileSystemContextFile: FileOperations {
    enum Purpose: Sendable {
        case creating(type: String)
        case reconfiguring(Mount)
    }
    private enum Phase: Sendable {
        case parameters
        case awaitingMount(any FileSystem, kept: MountFlags)
        case done
        case failed
    }
    private struct State: Sendable {
        var phase = Phase.parameters
        var options: [UInt8] = []
        var source: [UInt8]?
        var readOnly: Bool?
    }
    private let purpose: Purpose
    private let state = Mutex(State())
    init(_ purpose: Purpose) { self.purpose = purpose }

    func makeDescription() -> FileDescription {
        FileDescription(operations: self, anonymousName: "anon_inode:[fscontext]", flags: .readWrite)
    }

    /// The log of messages: there are none.
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int { throw .ENODATA }

    /// - Throws: EBUSY outside the parameter phase, EINVAL for a parameter that the type does not know.
    func set(_ key: [UInt8], _ value: [UInt8]?, _ current: CurrentTask) throws(Errno) {
        guard state.withLock({ if case .parameters = $0.phase { true } else { false } }) else { throw .EBUSY }
        let name = String(decoding: key, as: UTF8.self)
        switch (name, value) {
        case ("ro", nil): state.withLock { $0.readOnly = true }
        case ("rw", nil): state.withLock { $0.readOnly = false }
        // Writing is always asynchronous here, and times are kept as they come.
        case ("sync", nil), ("async", nil), ("dirsync", nil), ("lazytime", nil), ("nolazytime", nil), ("mand", nil), ("nomand", nil): break
        case ("source", .some(let value)):
            try state.withLock { s throws(Errno) in
                guard s.source == nil else { throw .EINVAL }
                s.source = value
            }
        default:
            let option = key + (value.map { [UInt8(ascii: "=")] + $0 } ?? [])
            // Asks the type itself whether it knows the option.
            switch purpose {
            case .creating(let type):
                _ = try current.mountNamespace.fileSystemTypes.make(type, source: [], options: option, caller: current)
            case .reconfiguring: break
            }
            state.withLock { $0.options += ($0.options.isEmpty ? [] : [UInt8(ascii: ",")]) + option }
        }
    }

    /// FSCONFIG_CMD_CREATE. - Throws: EBUSY, EPERM, EINVAL.
    func create(_ current: CurrentTask) throws(Errno) {
        guard case .creating(let type) = purpose else { throw .EBUSY }
        let s = state.withLock { $0 }
        guard case .parameters = s.phase else { throw .EBUSY }
        do throws(Errno) {
            let (fileSystem, kept) = try SystemCallFamilies.newFileSystem(
                current, type, source: s.source ?? [], options: s.options, flags: [])
            state.withLock { $0.phase = .awaitingMount(fileSystem, kept: kept) }
        } catch {
            state.withLock { $0.phase = .failed }
            throw error
        }
    }

    /// FSCONFIG_CMD_RECONFIGURE. - Throws: EBUSY, EPERM, EINVAL.
    func reconfigure(_ current: CurrentTask) throws(Errno) {
        guard case .reconfiguring(let mount) = purpose else { throw .EBUSY }
        let s = state.withLock { $0 }
        try SystemCallFamilies.reconfigure(current, mount, readOnly: s.readOnly, s.options)
        state.withLock {
            $0.options = []
            $0.readOnly = nil
        }
    }

    /// - Throws: EBUSY unless a file system was made, EPERM.
    func mount(_ flags: MountFlags, _ current: CurrentTask) throws(Errno) -> DetachedTree {
        guard case .creating = purpose else { throw .EBUSY }
        let s = state.withLock { $0 }
        guard case .awaitingMount(let fileSystem, let kept) = s.phase else {
            if case .parameters = s.phase { throw .EINVAL }
            throw .EBUSY
        }
        let tree = try DetachedTree.mount(
            fileSystem, flags: flags.union(kept), source: s.source ?? Array("none".utf8), readOnly: s.readOnly ?? false,
            in: current.mountNamespace)
        state.withLock { $0.phase = .done }
        return tree
    }
}
