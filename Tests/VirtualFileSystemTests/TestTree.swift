import HostOS
import LinuxABI
import Memory
import Synchronization

@testable import VirtualFileSystem

/// A file system in a few lines: directories, files without contents, and symbolic links, in memory. It counts lookups.
final class TestFileSystem: FileSystem {
    let typeName = "test"
    let device = DeviceNumber(major: 0, minor: 99)
    let cachePolicy: CachePolicy
    let lookups = Atomic<Int>(0)
    let isStale = Atomic<Bool>(false)
    private let rootSlot = Mutex<TestInode?>(nil)
    private let counter = Atomic<UInt64>(1)

    init(_ cachePolicy: CachePolicy = .exclusive) {
        self.cachePolicy = cachePolicy
        rootSlot.withLock { $0 = TestInode(self, .directory, nextNumber()) }
    }
    var root: any Inode { testRoot }
    var testRoot: TestInode { rootSlot.withLock { $0 }! }
    func nextNumber() -> UInt64 { counter.add(1, ordering: .relaxed).newValue }
    func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 1) }
}

final class TestInode: Inode {
    struct State {
        var children: [[UInt8]: TestInode] = [:]
        var target: [UInt8] = []
        var attributes: FileAttributes
    }
    unowned let owner: TestFileSystem
    let type: FileType
    let number: UInt64
    let shared = InodeState()
    let state: Mutex<State>
    /// Where it leads as a magic link.
    let magic = Mutex<Path?>(nil)

    init(_ owner: TestFileSystem, _ type: FileType, _ number: UInt64, mode: UInt16 = 0o755) {
        self.owner = owner
        self.type = type
        self.number = number
        state = Mutex(State(attributes: FileAttributes(device: owner.device, inode: number, mode: FileMode(type, mode))))
    }

    var fileSystem: any FileSystem { owner }
    func attributes() throws(Errno) -> FileAttributes { state.withLock { $0.attributes } }
    func setAttributes(_ change: AttributeChange, caller: any Caller) throws(Errno) {
        state.withLock {
            if let permissions = change.permissions { $0.attributes.mode.permissions = permissions }
            if let uid = change.uid { $0.attributes.uid = uid }
            if let gid = change.gid { $0.attributes.gid = gid }
        }
    }
    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        owner.lookups.wrappingAdd(1, ordering: .relaxed)
        return state.withLock { $0.children[name.bytes] }
    }
    func revalidate(_ name: FileName, child: (any Inode)?) -> Bool { !owner.isStale.load(ordering: .relaxed) }
    func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        let inode: TestInode
        switch request.kind {
        case .directory: inode = TestInode(owner, .directory, owner.nextNumber(), mode: request.permissions)
        case .symbolicLink(let target):
            inode = TestInode(owner, .symbolicLink, owner.nextNumber(), mode: 0o777)
            inode.state.withLock { $0.target = target }
        default: inode = TestInode(owner, .regular, owner.nextNumber(), mode: request.permissions)
        }
        inode.state.withLock {
            $0.attributes.uid = request.uid
            $0.attributes.gid = request.gid
        }
        state.withLock { $0.children[name.bytes] = inode }
        return inode
    }
    func link(_ name: FileName, to target: any Inode, caller: any Caller) throws(Errno) {
        guard let target = target as? TestInode else { throw .EXDEV }
        state.withLock { $0.children[name.bytes] = target }
    }
    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        state.withLock { $0.children[name.bytes] = nil }
    }
    func removeDirectory(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        guard (child as? TestInode)?.state.withLock({ $0.children.isEmpty }) == true else { throw .ENOTEMPTY }
        state.withLock { $0.children[name.bytes] = nil }
    }
    func rename(
        _ name: FileName, child: any Inode, to newParent: any Inode, _ newName: FileName, replacing: (any Inode)?, exchange: Bool,
        caller: any Caller
    ) throws(Errno) {
        guard let newParent = newParent as? TestInode, let child = child as? TestInode else { throw .EXDEV }
        let other = replacing as? TestInode
        if let other, other.type == .directory, !exchange, !other.state.withLock({ $0.children.isEmpty }) { throw .ENOTEMPTY }
        state.withLock { $0.children[name.bytes] = exchange ? other : nil }
        newParent.state.withLock { $0.children[newName.bytes] = child }
    }
    func readLink(caller: any Caller) throws(Errno) -> [UInt8] { state.withLock { $0.target } }
    func followMagicLink(caller: any Caller) throws(Errno) -> Path? { magic.withLock { $0 } }
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations { TestFile() }
    func truncate(to length: UInt64, caller: any Caller) throws(Errno) {
        state.withLock { $0.attributes.size = length }
    }
}

final class TestFile: FileOperations {
    var isSeekable: Bool { true }
}

/// A caller without memory or signals.
final class TestCaller: Caller {
    var credentials: Credentials
    var umask: UInt16 = 0o022
    var root: Path
    var workingDirectory: Path
    let mountNamespace: MountNamespace
    let parker = HostParker()
    var parkError: Errno?

    init(_ fileSystem: TestFileSystem = TestFileSystem(), uid: UInt32 = 0, cacheCapacity: Int = DentryTree.defaultCapacity) {
        mountNamespace = MountNamespace(rootFileSystem: fileSystem, cacheCapacity: cacheCapacity)
        root = mountNamespace.root
        workingDirectory = root
        credentials = Credentials(uid: uid, gid: uid, groups: [], capabilities: uid == 0 ? .all : [])
    }

    var memory: AddressSpace { fatalError("these tests copy nothing") }
    var fileSizeLimit: UInt64 { .max }
    var processID: Int32 { 1 }
    func raise(_ signal: Signal) {}
    func park(until deadline: MonotonicInstant?) throws(Errno) {
        if let parkError { throw parkError }
        parker.park(until: deadline)
    }
}

extension TestCaller {
    func resolve(_ path: String, _ options: LookupOptions = [.follow], from base: Path? = nil) throws(Errno) -> Path {
        try VFS.resolve(Array(path.utf8), from: base, options, caller: self)
    }
    func name(_ path: String, _ options: LookupOptions = [.follow], from base: Path? = nil) throws(Errno) -> String {
        String(decoding: try resolve(path, options, from: base).displayName(root: root), as: UTF8.self)
    }
    @discardableResult
    func open(_ path: String, _ flags: OpenFlags, mode: UInt16 = 0o666, resolve: LookupOptions = [], from base: Path? = nil)
        throws(Errno) -> FileDescription
    {
        try VFS.open(Array(path.utf8), from: base, OpenRequest(flags: flags, permissions: mode, resolve: resolve), caller: self)
    }
    func makeDirectory(_ path: String, mode: UInt16 = 0o777) throws(Errno) {
        try VFS.createNode(Array(path.utf8), .directory, permissions: mode, caller: self)
    }
    func makeFile(_ path: String, mode: UInt16 = 0o666) throws(Errno) {
        try VFS.createNode(Array(path.utf8), .regular, permissions: mode, caller: self)
    }
    func makeLink(_ path: String, _ target: String) throws(Errno) {
        try VFS.createNode(Array(path.utf8), .symbolicLink(target: Array(target.utf8)), permissions: 0o777, caller: self)
    }
    func rename(_ old: String, _ new: String, _ flags: RenameFlags = []) throws(Errno) {
        try VFS.rename(Array(old.utf8), to: Array(new.utf8), flags, caller: self)
    }
    func unlink(_ path: String) throws(Errno) { try VFS.unlink(Array(path.utf8), caller: self) }
    func removeDirectory(_ path: String) throws(Errno) { try VFS.removeDirectory(Array(path.utf8), caller: self) }
}
