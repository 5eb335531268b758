import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Why init could not start.
public enum InitStartError: Error, Sendable {
    /// The working directory cannot be entered.
    case workingDirectory(Errno)
    /// The program cannot be found or opened for execution.
    case executable(Errno)
    /// The program was found but cannot be loaded: ENOEXEC, ENOENT or ELIBBAD for its interpreter, E2BIG, ENOMEM.
    case loading(Errno)
    /// The host gave no thread or process.
    case start(Errno)
}

extension SandboxKernel {
    /// Loads and starts init, process 1.
    /// - Parameters:
    ///   - path: absolute, or relative to the working directory; no search along PATH.
    ///   - descriptors: its descriptor table, standard streams installed.
    ///   - workingDirectory: an absolute path.
    public func startInit(
        path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]], credentials: Credentials, descriptors: DescriptorTable,
        workingDirectory: [UInt8], umask: UInt16 = 0o022, attributes: InitialAttributes = .init()
    ) throws(InitStartError) {
        let (program, fileSystem) = try load(
            path: path, arguments: arguments, environment: environment, credentials: credentials, workingDirectory: workingDirectory,
            umask: umask, limits: attributes.limits)
        do throws(Errno) {
            try startInit(program, descriptors: descriptors, fileSystem: fileSystem, attributes: attributes)
        } catch { throw .start(error) }
    }

    /// Loads and starts a process beside init: see `startBesideInit`.
    public func startProcess(
        path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]], credentials: Credentials, descriptors: DescriptorTable,
        workingDirectory: [UInt8], umask: UInt16, attributes: InitialAttributes
    ) throws(InitStartError) -> ThreadGroup {
        let (program, fileSystem) = try load(
            path: path, arguments: arguments, environment: environment, credentials: credentials, workingDirectory: workingDirectory,
            umask: umask, limits: attributes.limits)
        do throws(Errno) {
            return try startBesideInit(program, descriptors: descriptors, fileSystem: fileSystem, attributes: attributes)
        } catch { throw .start(error) }
    }

    /// Whether a program could be started from `path` now; nothing is loaded.
    public func checkExecutable(path: [UInt8], credentials: Credentials, workingDirectory: [UInt8]) throws(InitStartError) {
        let space: AddressSpace
        do throws(Errno) {
            space = try AddressSpace(platform: platform, memoryFile: memoryFile)
        } catch { throw .start(error) }
        defer { space.tearDown() }
        let root = mountNamespace.top(of: mountNamespace.root)
        _ = try open(path, BootCaller(kernel: self, credentials: credentials, memory: space, root: root), workingDirectory)
    }

    private func open(_ path: [UInt8], _ caller: BootCaller, _ workingDirectory: [UInt8]) throws(InitStartError) -> FileDescription {
        do throws(Errno) {
            let place = try VFS.resolve(workingDirectory, [.follow, .directory], caller: caller)
            try VFS.checkAccess(.execute, place, caller.credentials)
            caller.workingDirectory = place
        } catch { throw .workingDirectory(error) }
        do throws(Errno) {
            return try VFS.openForExecution(VFS.resolve(path, [.follow], caller: caller), caller: caller)
        } catch { throw .executable(error) }
    }

    private func load(
        path: [UInt8], arguments: [[UInt8]], environment: [[UInt8]], credentials: Credentials, workingDirectory: [UInt8], umask: UInt16,
        limits: [ResourceLimit]
    ) throws(InitStartError) -> (LoadedProgram, FileSystemContext) {
        let root = mountNamespace.top(of: mountNamespace.root)
        let space: AddressSpace
        do throws(Errno) {
            space = try AddressSpace(platform: platform, memoryFile: memoryFile)
        } catch { throw .start(error) }
        var isHandedOver = false
        defer { if !isHandedOver { space.tearDown() } }
        let caller = BootCaller(kernel: self, credentials: credentials, memory: space, root: root)
        let file = try open(path, caller, workingDirectory)
        let program: LoadedProgram
        do throws(Errno) {
            program = try ProgramLoader.load(
                LoadRequest(
                    file: file, fileName: path, arguments: arguments, environment: environment, kernel: self, caller: caller,
                    limits: MemoryLimits(limits, credentials), space: space))
        } catch { throw .loading(error) }
        isHandedOver = true
        return (program, FileSystemContext(root: root, workingDirectory: caller.workingDirectory, umask: umask))
    }
}

/// Opens files for init before there is any task.
public final class BootCaller: Caller {
    let kernel: SandboxKernel
    public let credentials: Credentials
    public let memory: AddressSpace
    public let root: Path
    public var workingDirectory: Path
    public let parker = HostParker()

    /// The kernel itself, with every capability; `memory` is never touched.
    public convenience init(kernel: SandboxKernel, memory: AddressSpace) {
        self.init(
            kernel: kernel, credentials: Credentials(uid: 0, gid: 0, groups: [], capabilities: .all), memory: memory,
            root: kernel.mountNamespace.root)
    }

    init(kernel: SandboxKernel, credentials: Credentials, memory: AddressSpace, root: Path) {
        self.kernel = kernel
        self.credentials = credentials
        self.memory = memory
        self.root = root
        workingDirectory = root
    }

    public var umask: UInt16 { 0o022 }
    public var mountNamespace: MountNamespace { kernel.mountNamespace }
    public var fileSizeLimit: UInt64 { .max }
    public var processID: Int32 { 1 }
    public func park(until deadline: MonotonicInstant?) throws(Errno) {
        if !parker.park(until: deadline) { throw .ETIMEDOUT }
    }
    public func raise(_ signal: Signal) {}
}
