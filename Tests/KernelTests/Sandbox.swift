import FileSystems
import HostOS
import LinuxABI
import Loader
import Memory
import Platform
import SystemCalls
import Synchronization
import VirtualFileSystem

@testable import Kernel

/// Dispatches to the real handlers.
final class TestDispatcher: SystemCallDispatcher {
    private let handlers: [Int: SystemCallHandler]
    init() {
        let families =
            SystemCallFamilies.clone + SystemCallFamilies.exitAndWait + SystemCallFamilies.identifiers + SystemCallFamilies.signals
            + SystemCallFamilies.signalSending + SystemCallFamilies.processControl + SystemCallFamilies.pidFiles
            + SystemCallFamilies.posixQueues
        handlers = Dictionary(uniqueKeysWithValues: families.map { ($0.number, $0.handler) })
    }
    func dispatch(_ current: CurrentTask, number: UInt64, arguments: SystemCallArguments) throws(Errno) -> Int {
        guard let handler = handlers[Int(truncatingIfNeeded: number)] else { throw .ENOSYS }
        return try handler(current, arguments)
    }
}

final class Reports: Sendable {
    let lines = Mutex<[String]>([])
}

/// A kernel with a scripted program as init.
struct Sandbox {
    static let data: UInt64 = 0x1000_0000
    static let dataSize: UInt64 = 0x1_0000
    /// Where stacks begin, growing down within the data area.
    static let stack = data + dataSize - 0x100

    let platform: ScriptedPlatform
    /// What the kernel reported.
    let reports = Reports()
    let kernel: SandboxKernel

    init(_ steps: [Step], contextLimit: Int = .max) throws {
        platform = ScriptedPlatform(steps, contextLimit: contextLimit)
        let memoryFile = try MemoryFile(window: 64 << 30)
        let root = TmpfsFileSystem(memoryFile: memoryFile)
        kernel = SandboxKernel(
            platform: platform, memoryFile: memoryFile, mountNamespace: MountNamespace(rootFileSystem: root), hostName: "test",
            report: { [reports] line in reports.lines.withLock { $0.append(line) } })
        kernel.dispatcher = TestDispatcher()
    }

    /// Runs init to its end. Returns its status and what the guest noted.
    func run(prepare: (AddressSpace) throws -> Void = { _ in }) throws -> (status: ExitStatus, log: [String]) {
        try start(prepare: prepare)
        let status = kernel.waitForExit()
        return (status, platform.log.withLock { $0 })
    }

    func start(prepare: (AddressSpace) throws -> Void = { _ in }) throws {
        let memory = try AddressSpace(platform: platform, memoryFile: kernel.memoryFile)
        _ = try memory.map(
            AddressSpace.MapRequest(
                address: GuestAddress(Self.data), length: Self.dataSize, protection: [.read, .write],
                flags: [.private, .anonymous, .fixed]))
        try prepare(memory)
        let root = kernel.mountNamespace.root
        try kernel.startInit(
            LoadedProgram(
                memory: memory, entry: GuestAddress(ScriptedPlatform.codeBase), stackPointer: GuestAddress(Self.stack),
                image: ProcessImage(), name: Array("init".utf8),
                credentials: Credentials(uid: 0, gid: 0, groups: [], capabilities: .all), isSecure: false),
            descriptors: DescriptorTable(), fileSystem: FileSystemContext(root: root, workingDirectory: root, umask: 0o022))
    }

    /// An action for rt_sigaction at `address`, with a restorer.
    static func storeAction(_ memory: AddressSpace, at address: UInt64, handlerStep: Int, flags: UInt64, restorerStep: Int, mask: UInt64 = 0)
        throws
    {
        var action = SignalAction()
        action.handler = ScriptedPlatform.address(ofStep: handlerStep)
        action.flags = flags | SignalAction.Flags.restorer.rawValue
        action.restorer = ScriptedPlatform.address(ofStep: restorerStep)
        action.mask = SignalSet(rawValue: mask)
        try memory.store(action, at: GuestAddress(address))
    }
}

/// Numbers of system calls.
enum Call {
    static let sigaction: UInt64 = 13
    static let sigprocmask: UInt64 = 14
    static let sigreturn: UInt64 = 15
    static let pause: UInt64 = 34
    static let getpid: UInt64 = 39
    static let clone: UInt64 = 56
    static let fork: UInt64 = 57
    static let vfork: UInt64 = 58
    static let exit: UInt64 = 60
    static let wait4: UInt64 = 61
    static let kill: UInt64 = 62
    static let setpgid: UInt64 = 109
    static let getppid: UInt64 = 110
    static let setsid: UInt64 = 112
    static let gettid: UInt64 = 186
    static let exitGroup: UInt64 = 231
    static let waitid: UInt64 = 247
}
