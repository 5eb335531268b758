import Foundation
import GoferProtocol
import HostOS
import LinuxABI
import Memory
import VirtualFileSystem

@testable import FileSystems

/// A temporary host tree and a real Gofer that serves it.
final class GoferFixture {
    let folder: String
    let connection: GoferConnection

    static var executable: String {
        let own = (try? HostProcess.readLink("/proc/self/exe")) ?? ""
        let beside = URL(fileURLWithPath: own).deletingLastPathComponent().path + "/stockade-gofer"
        if HostProcess.isExecutableFile(beside) { return beside }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
            + "/.build/debug/stockade-gofer"
    }

    /// `hidden` are names in the tree.
    init(writable: Bool = false, more: [Grant] = [], hidden: [String] = []) throws {
        folder = FileManager.default.temporaryDirectory.path + "/gofer-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder + "/sub/deep", withIntermediateDirectories: true)
        try Data("hello\n".utf8).write(to: URL(fileURLWithPath: folder + "/file"))
        try Data("inner\n".utf8).write(to: URL(fileURLWithPath: folder + "/sub/inner"))
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "/etc/passwd")
        try FileManager.default.createSymbolicLink(atPath: folder + "/up", withDestinationPath: "..")
        connection = try GoferProcess.start(
            executable: Self.executable, grants: [Grant(path: Array(folder.utf8), isWritable: writable)] + more,
            hides: hidden.map { [folder] in HideRule(path: Array((folder + "/" + $0).utf8), .absent) }
        ).connect()
    }

    deinit {
        HostConfinement.killAndReap(connection.processID)
        try? FileManager.default.removeItem(atPath: folder)
    }

    func path(_ name: String) -> String { folder + "/" + name }
    func text(_ name: String) -> String? { FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) } }
    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }
}

/// A caller as far as host files need one.
final class TestCaller: Caller {
    var credentials = Credentials(uid: 0, gid: 0, groups: [], capabilities: .all)
    var memory: AddressSpace { fatalError("not used by these tests") }
    var umask: UInt16 { 0o022 }
    var root: VirtualFileSystem.Path { fatalError("not used by these tests") }
    var workingDirectory: VirtualFileSystem.Path { fatalError("not used by these tests") }
    var mountNamespace: MountNamespace { fatalError("not used by these tests") }
    var fileSizeLimit: UInt64 = .max
    let parker = HostParker()
    func park(until deadline: MonotonicInstant?) throws(Errno) { if !parker.park(until: deadline) { throw .ETIMEDOUT } }
    var processID: Int32 { 1 }
    var raised: [Signal] = []
    func raise(_ signal: Signal) { raised.append(signal) }
}

extension FileOperations {
    func readText(at position: FilePosition, count: Int = 100) throws(Errno) -> String {
        var buffer = IOBuffer(kernelCapacity: count)
        _ = try read(&buffer, at: position, caller: TestCaller())
        return String(decoding: buffer.kernelBytes, as: UTF8.self)
    }
    @discardableResult
    func writeText(_ text: String, at position: FilePosition) throws(Errno) -> (count: Int, end: Int64) {
        var buffer = IOBuffer(kernelBytes: Array(text.utf8))
        return try write(&buffer, at: position, caller: TestCaller())
    }
}
