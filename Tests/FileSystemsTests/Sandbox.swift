import HostOS
import LinuxABI
import Memory
import Testing
import VirtualFileSystem

@testable import FileSystems

/// A mount namespace over one file system, and a root user who works in it.
final class Sandbox: Caller {
    let mountNamespace: MountNamespace
    var credentials = Credentials(uid: 0, gid: 0, groups: [], capabilities: .all)
    var memory: AddressSpace { fatalError("no guest memory in these tests") }
    var umask: UInt16 = 0o022
    var root: Path { mountNamespace.root }
    var workingDirectory: Path { mountNamespace.root }
    var fileSizeLimit = UInt64.max
    let parker = HostParker()
    var processID: Int32 { 1 }
    var raised: [Signal] = []
    func park(until deadline: MonotonicInstant?) throws(Errno) { throw .ERESTARTSYS }
    func raise(_ signal: Signal) { raised.append(signal) }

    init(_ fileSystem: any FileSystem) { mountNamespace = MountNamespace(rootFileSystem: fileSystem) }

    static func overlay(_ lower: MemoryLowerNode, memoryFile: MemoryFile? = nil) throws -> Sandbox {
        Sandbox(try OverlayFileSystem(lower: lower, memoryFile: try memoryFile ?? MemoryFile(window: 64 << 30)))
    }
    static func tmpfs(sizeLimit: UInt64? = nil) throws -> Sandbox {
        Sandbox(TmpfsFileSystem(memoryFile: try MemoryFile(window: 64 << 30), sizeLimit: sizeLimit))
    }

    func path(_ text: String) throws(Errno) -> Path { try VFS.resolve(Array(text.utf8), from: nil, caller: self) }
    func exists(_ text: String) -> Bool { (try? path(text)) != nil }
    func attributes(_ text: String) throws(Errno) -> FileAttributes { try path(text).node.attributes() }

    func open(_ text: String, _ flags: OpenFlags = []) throws(Errno) -> FileDescription {
        try VFS.open(Array(text.utf8), OpenRequest(flags: flags, permissions: 0o644), caller: self)
    }
    func write(_ text: String, _ content: String) throws(Errno) {
        let file = try open(text, [.create, .truncate, .writeOnly])
        _ = try write(file, Array(content.utf8), at: 0)
    }
    @discardableResult
    func write(_ file: FileDescription, _ bytes: [UInt8], at offset: Int64) throws(Errno) -> Int {
        var buffer = IOBuffer(kernelBytes: bytes)
        return try file.operations.write(&buffer, at: .offset(offset), caller: self).count
    }
    func read(_ file: FileDescription, _ count: Int, at offset: Int64 = 0) throws(Errno) -> [UInt8] {
        var buffer = IOBuffer(kernelCapacity: count)
        let n = try file.operations.read(&buffer, at: .offset(offset), caller: self)
        return Array(buffer.kernelBytes.prefix(n))
    }
    func contents(_ text: String) throws(Errno) -> String {
        String(decoding: try read(try open(text), 1 << 20), as: UTF8.self)
    }
    func makeDirectory(_ text: String) throws(Errno) {
        try VFS.createNode(Array(text.utf8), .directory, permissions: 0o755, caller: self)
    }
    func unlink(_ text: String) throws(Errno) { try VFS.unlink(Array(text.utf8), caller: self) }
    func removeDirectory(_ text: String) throws(Errno) { try VFS.removeDirectory(Array(text.utf8), caller: self) }
    func rename(_ old: String, _ new: String, _ flags: RenameFlags = []) throws(Errno) {
        try VFS.rename(Array(old.utf8), to: Array(new.utf8), flags, caller: self)
    }
    func link(_ old: String, _ new: String) throws(Errno) {
        try VFS.link(try path(old), to: Array(new.utf8), caller: self)
    }
    /// Names but `.` and `..`.
    func list(_ text: String) throws(Errno) -> [String] {
        var names: [String] = []
        _ = try open(text, .directory).operations.readDirectory(from: 0, caller: self) {
            names.append(String(decoding: $0.name, as: UTF8.self))
            return true
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }
}

/// A small reproducible generator (xorshift).
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
