import FileSystems
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A lower tree in memory.
final class MemoryLowerNode: LowerNode {
    enum Content: Sendable {
        case directory([(FileName, MemoryLowerNode)])
        case file([UInt8])
        case link([UInt8])
    }
    let content: Content
    let inode: UInt64
    let linkCount: UInt32
    let permissions: UInt16
    let names: [[UInt8]: [UInt8]]
    /// How often the tree was asked.
    let lookups = Atomic<Int>(0)
    let lists = Atomic<Int>(0)
    private let descriptor = Mutex<SharedHostDescriptor?>(nil)
    private static let lastInode = Atomic<UInt64>(1000)

    init(_ content: Content, links: UInt32? = nil, permissions: UInt16 = 0o755, attributes: [[UInt8]: [UInt8]] = [:]) {
        self.content = content
        self.permissions = permissions
        names = attributes
        inode = Self.lastInode.add(1, ordering: .relaxed).newValue
        if case .directory(let children) = content {
            linkCount = 2 + UInt32(children.count { $0.1.type == .directory })
        } else {
            linkCount = links ?? 1
        }
    }

    static func directory(_ children: [String: MemoryLowerNode]) -> MemoryLowerNode {
        MemoryLowerNode(.directory(children.sorted { $0.key < $1.key }.map { (FileName($0.key), $0.value) }))
    }
    static func file(_ text: String, links: UInt32 = 1) -> MemoryLowerNode {
        MemoryLowerNode(.file(Array(text.utf8)), links: links, permissions: 0o644)
    }
    static func file(_ bytes: [UInt8]) -> MemoryLowerNode { MemoryLowerNode(.file(bytes), permissions: 0o644) }

    var type: FileType {
        switch content {
        case .directory: .directory
        case .file: .regular
        case .link: .symbolicLink
        }
    }
    func attributes() throws(Errno) -> FileAttributes {
        var a = FileAttributes(
            device: DeviceNumber(major: 8, minor: 1), inode: inode, mode: FileMode(type, permissions), linkCount: linkCount)
        if case .file(let bytes) = content {
            a.size = UInt64(bytes.count)
            a.blocks = (a.size + 4095) / 4096 * 8
        }
        return a
    }
    func lookup(_ name: FileName) throws(Errno) -> (any LowerNode)? {
        lookups.add(1, ordering: .relaxed)
        guard case .directory(let children) = content else { throw .ENOTDIR }
        return children.first { $0.0 == name }?.1
    }
    func list() throws(Errno) -> [LowerEntry] {
        lists.add(1, ordering: .relaxed)
        guard case .directory(let children) = content else { throw .ENOTDIR }
        return children.map { LowerEntry(name: $0.0, inode: $0.1.inode, type: $0.1.type) }
    }
    func readLink() throws(Errno) -> [UInt8] {
        guard case .link(let target) = content else { throw .EINVAL }
        return target
    }
    func open() throws(Errno) -> SharedHostDescriptor {
        guard case .file(let bytes) = content else { throw .EINVAL }
        if let known = descriptor.withLock({ $0 }) { return known }
        let file = SharedHostDescriptor(try HostMemory.makeMemoryFile())
        try HostIO.writeAll(file.number, bytes)
        descriptor.withLock { $0 = file }
        return file
    }
    func extendedAttribute(_ name: [UInt8]) throws(Errno) -> [UInt8] {
        guard let value = names[name] else { throw .ENODATA }
        return value
    }
    func extendedAttributeNames() throws(Errno) -> [[UInt8]] { Array(names.keys) }
}
