import LinuxABI
import VirtualFileSystem

/// What a file of a fixed tree shows and takes.
protocol SyntheticContent: Sendable {
    var permissions: UInt16 { get }
    func bytes(caller: any Caller) throws(Errno) -> [UInt8]
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno)
}

extension SyntheticContent {
    var permissions: UInt16 { 0o444 }
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) { throw .EIO }
}

/// A file that always shows the same.
struct ConstantContent: SyntheticContent {
    let text: [UInt8]
    var permissions: UInt16
    init(_ text: String, permissions: UInt16 = 0o444) {
        self.text = Array(text.utf8)
        self.permissions = permissions
    }
    init(_ text: [UInt8], permissions: UInt16 = 0o444) {
        self.text = text
        self.permissions = permissions
    }
    func bytes(caller: any Caller) throws(Errno) -> [UInt8] { text }
    /// Linux would take a new value; here nothing goes by it, so the file is as on a read-only mount.
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) { throw .EROFS }
}

/// A fixed tree of names: a value, from which inodes are made at look-up.
indirect enum SyntheticNode: Sendable {
    case directory([SyntheticTreeEntry])
    case file(any SyntheticContent)
    case link(String)
}

struct SyntheticTreeEntry: Sendable {
    let name: String
    let node: SyntheticNode

    static func directory(_ name: String, _ entries: [SyntheticTreeEntry] = []) -> Self {
        Self(name: name, node: .directory(entries))
    }
    static func file(_ name: String, _ content: any SyntheticContent) -> Self { Self(name: name, node: .file(content)) }
    /// A constant line.
    static func text(_ name: String, _ line: String, _ permissions: UInt16 = 0o444) -> Self {
        Self(name: name, node: .file(ConstantContent(line + "\n", permissions: permissions)))
    }
    static func link(_ name: String, _ target: String) -> Self { Self(name: name, node: .link(target)) }
}

/// A numbered node of a fixed tree.
final class SyntheticTree: Sendable {
    let name: [UInt8]
    let number: UInt64
    let parentNumber: UInt64
    let kind: Kind
    enum Kind: Sendable {
        case directory([SyntheticTree])
        case file(any SyntheticContent)
        case link([UInt8])
    }

    /// Numbers the whole tree from `next` on.
    init(_ entry: SyntheticTreeEntry, parent: UInt64, next: inout UInt64) {
        name = Array(entry.name.utf8)
        number = next
        parentNumber = parent
        next += 1
        switch entry.node {
        case .file(let content): kind = .file(content)
        case .link(let target): kind = .link(Array(target.utf8))
        case .directory(let entries):
            var children: [SyntheticTree] = []
            for child in entries { children.append(SyntheticTree(child, parent: number, next: &next)) }
            kind = .directory(children)
        }
    }

    var type: FileType {
        switch kind {
        case .directory: .directory
        case .file: .regular
        case .link: .symbolicLink
        }
    }
    var children: [SyntheticTree] {
        if case .directory(let children) = kind { children } else { [] }
    }
    func child(_ name: FileName) -> SyntheticTree? { children.first { $0.name == name.bytes } }

    /// The children in listing order.
    func entries(from position: Int64) -> [SyntheticEntry] {
        var result: [SyntheticEntry] = []
        for (index, child) in children.enumerated() where Int64(index) + 2 >= position {
            result.append(SyntheticEntry(name: child.name, number: child.number, type: child.type, position: Int64(index) + 2))
        }
        return result
    }

    func inode(in fileSystem: any SyntheticTreeHost) -> any Inode {
        switch kind {
        case .directory: SyntheticTreeDirectory(self, fileSystem)
        case .file(let content): SyntheticTreeFile(self, content, fileSystem)
        case .link(let target): SyntheticTreeLink(self, target, fileSystem)
        }
    }
}

/// A file system with a fixed tree.
protocol SyntheticTreeHost: FileSystem {
    /// When the file system came into being: the time of its files.
    var creationTime: Timespec { get }
    /// `st_size` of a regular file: 0 in procfs, a page in sysfs.
    var fileSize: UInt64 { get }
    var directoryPermissions: UInt16 { get }
}

final class SyntheticTreeDirectory: SyntheticDirectory {
    private let tree: SyntheticTree
    private let host: any SyntheticTreeHost
    let shared = InodeState()
    init(_ tree: SyntheticTree, _ host: any SyntheticTreeHost) {
        self.tree = tree
        self.host = host
    }

    var fileSystem: any FileSystem { host }
    var number: UInt64 { tree.number }
    var parentNumber: UInt64 { tree.parentNumber }
    var mode: FileMode { FileMode(.directory, host.directoryPermissions) }
    var time: Timespec { host.creationTime }
    var linkCount: UInt32 { 2 + UInt32(tree.children.reduce(0) { $0 + ($1.type == .directory ? 1 : 0) }) }
    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? { tree.child(name)?.inode(in: host) }
    func entries(from position: Int64, caller: any Caller) throws(Errno) -> [SyntheticEntry] { tree.entries(from: position) }
}

final class SyntheticTreeFile: SyntheticFile {
    private let tree: SyntheticTree
    private let content: any SyntheticContent
    private let host: any SyntheticTreeHost
    let shared = InodeState()
    init(_ tree: SyntheticTree, _ content: any SyntheticContent, _ host: any SyntheticTreeHost) {
        self.tree = tree
        self.content = content
        self.host = host
    }

    var fileSystem: any FileSystem { host }
    var number: UInt64 { tree.number }
    var mode: FileMode { FileMode(.regular, content.permissions) }
    var size: UInt64 { host.fileSize }
    var time: Timespec { host.creationTime }
    func content(caller: any Caller) throws(Errno) -> [UInt8] { try content.bytes(caller: caller) }
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) { try content.store(bytes, caller: caller) }
    func willOpen(_ flags: OpenFlags, caller: any Caller) throws(Errno) {
        if flags.isWritable && content is ConstantContent { throw .EROFS }
        // What nobody may read, root may not either (proc_sys_permission).
        if flags.isReadable && content.permissions & 0o444 == 0 { throw .EACCES }
    }
}

final class SyntheticTreeLink: SyntheticInode {
    private let tree: SyntheticTree
    private let target: [UInt8]
    private let host: any SyntheticTreeHost
    let shared = InodeState()
    init(_ tree: SyntheticTree, _ target: [UInt8], _ host: any SyntheticTreeHost) {
        self.tree = tree
        self.target = target
        self.host = host
    }

    var fileSystem: any FileSystem { host }
    var number: UInt64 { tree.number }
    var mode: FileMode { FileMode(.symbolicLink, 0o777) }
    var size: UInt64 { host.fileSize == 0 ? UInt64(target.count) : 0 }
    var time: Timespec { host.creationTime }
    func readLink(caller: any Caller) throws(Errno) -> [UInt8] { target }
}
