import HostOS
import Kernel
import LinuxABI
import Synchronization
import VirtualFileSystem

/// devpts: the slaves of pseudo-terminals by number, and a ptmx of its own.
public final class DevptsFileSystem: FileSystem {
    public let device = AnonymousDevice.allocate()
    public let typeName = "devpts"
    /// Slaves come and go by themselves.
    public let cachePolicy = CachePolicy.none
    public let mountOptions: String
    public let userNamespace: UserNamespace?
    let options: DevptsMountOptions
    /// /proc/sys/kernel/pty/max.
    static let maximum = 4096

    private let slaves = Mutex<[Int: DevptsSlaveInode]>([:])
    /// The root holds the file system, so that this must not hold the root.
    private struct WeakRoot: Sendable {
        weak var inode: DevptsRoot?
    }
    private let rootInode = Mutex(WeakRoot())

    /// The sandbox's own.
    public convenience init() {
        var options = DevptsMountOptions()
        (options.group, options.mode, options.masterMode) = (5, 0o620, 0o666)
        self.init(options, text: "gid=5,mode=620,ptmxmode=666", userNamespace: nil)
    }
    init(_ options: DevptsMountOptions, text: String, userNamespace: UserNamespace?) {
        self.options = options
        mountOptions = text
        self.userNamespace = userNamespace
    }

    /// Lets mount(2) make instances.
    public static func register(in types: FileSystemTypeRegistry) {
        types.register("devpts", .userNamespaces) { (_, text, caller) throws(Errno) in
            let options = try DevptsMountOptions(text, caller.credentials)
            return DevptsFileSystem(options, text: options.text(for: caller.credentials), userNamespace: caller.credentials.innerUserNamespace)
        }
    }

    public var root: any Inode {
        rootInode.withLock { present in
            if let inode = present.inode { return inode }
            let fresh = DevptsRoot(self)
            present.inode = fresh
            return fresh
        }
    }
    public func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x1cd1) }

    /// Registers /dev/ptmx and /dev/tty.
    public func register(in devices: DeviceRegistry) {
        devices.register(TerminalNumbers.ptmx) { [self] (_, _, caller) throws(Errno) in try openMaster(caller) }
        TerminalNumbers.registerControllingTerminal(in: devices)
    }

    /// A new pair. - Throws: ENOSPC at the limit.
    func openMaster(_ caller: any Caller) throws(Errno) -> PseudoTerminalMaster {
        let credentials = caller.credentials
        let terminal = try slaves.withLock { table throws(Errno) in
            var index = 0
            while table[index] != nil { index += 1 }
            guard index < Self.maximum else { throw .ENOSPC }
            let terminal = PseudoTerminal(index: index, fileSystem: self)
            table[index] = DevptsSlaveInode(
                terminal, uid: options.user ?? credentials.fileSystemUID, gid: options.group ?? credentials.fileSystemGID, mode: options.mode)
            return terminal
        }
        return PseudoTerminalMaster(terminal)
    }

    func remove(_ terminal: PseudoTerminal) {
        slaves.withLock { if $0[terminal.index]?.terminal === terminal { $0[terminal.index] = nil } }
    }
    func inode(of terminal: PseudoTerminal) -> DevptsSlaveInode? { slaves.withLock { $0[terminal.index] } }
    func slave(_ index: Int) -> DevptsSlaveInode? { slaves.withLock { $0[index] } }
    var indices: [Int] { slaves.withLock { $0.keys.sorted() } }
}

/// The directory.
final class DevptsRoot: Inode {
    private let owner: DevptsFileSystem
    let shared = InodeState()
    private let made = FileSystemClock.now
    init(_ owner: DevptsFileSystem) { self.owner = owner }

    var fileSystem: any FileSystem { owner }
    let number: UInt64 = 1
    let type = FileType.directory

    func attributes() throws(Errno) -> FileAttributes {
        var result = FileAttributes(device: owner.device, inode: 1, mode: FileMode(.directory, 0o755), linkCount: 2)
        result.blockSize = 1024
        result.accessTime = made
        result.modificationTime = made
        result.changeTime = made
        return result
    }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        if name.bytes == Array("ptmx".utf8) { return DevptsMasterInode(owner) }
        guard let index = Self.number(name.bytes) else { return nil }
        return owner.slave(index)
    }

    /// A decimal number as devpts writes it.
    private static func number(_ bytes: [UInt8]) -> Int? {
        guard (1...4).contains(bytes.count), bytes.count == 1 || bytes[0] != 0x30 else { return nil }
        var value = 0
        for byte in bytes {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { Listing(owner) }

    /// Positions are 1 and 2 for the dots, 3 for ptmx, and 4 plus the index for slaves, so that they stay good.
    private final class Listing: FileOperations {
        private let owner: DevptsFileSystem
        init(_ owner: DevptsFileSystem) { self.owner = owner }
        var isSeekable: Bool { true }

        func readDirectory(from position: Int64, caller: any Caller, _ emit: (DirectoryEntry) -> Bool) throws(Errno) -> Int64 {
            let directory = FileType.directory.directoryEntryType, node = FileType.characterDevice.directoryEntryType
            var entries: [DirectoryEntry] = [
                DirectoryEntry(name: [0x2e], inode: 1, type: directory, nextPosition: 1),
                DirectoryEntry(name: [0x2e, 0x2e], inode: 1, type: directory, nextPosition: 2),
                DirectoryEntry(name: Array("ptmx".utf8), inode: 2, type: node, nextPosition: 3),
            ]
            for index in owner.indices {
                entries.append(
                    DirectoryEntry(
                        name: Array("\(index)".utf8), inode: UInt64(index) + 3, type: node, nextPosition: Int64(index) + 4))
            }
            var end = position
            for entry in entries where entry.nextPosition > position {
                guard emit(entry) else { break }
                end = entry.nextPosition
            }
            return end
        }
        func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
            let base: Int64 = whence == 1 ? current : 0
            let (result, overflow) = base.addingReportingOverflow(offset)
            guard whence == 0 || whence == 1, !overflow, result >= 0 else { throw .EINVAL }
            return result
        }
    }
}
