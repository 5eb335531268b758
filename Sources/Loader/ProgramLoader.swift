import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// What to execute, and for whom.
public struct LoadRequest {
    /// The open program.
    public var file: FileDescription
    /// Its name as the caller gave it: AT_EXECFN, a script's argument, and (its last component) comm.
    public var fileName: [UInt8]
    public var arguments: [[UInt8]]
    public var environment: [[UInt8]]
    public var kernel: SandboxKernel
    /// For path walks and permission checks; its credentials are the old ones.
    public var caller: any Caller
    public var limits: MemoryLimits
    public var personality: UInt32
    /// The file is only reachable through a descriptor that execve closes: a script's interpreter could not open it.
    public var isNameInaccessible: Bool
    /// Somebody without CAP_SYS_PTRACE traces the task: the program gains no privileges.
    public var isWatched: Bool
    /// An empty address space to use; its owner tears it down on failure. Nil: make one.
    public var space: AddressSpace?
    public init(
        file: FileDescription, fileName: [UInt8], arguments: [[UInt8]], environment: [[UInt8]], kernel: SandboxKernel,
        caller: any Caller, limits: MemoryLimits, personality: UInt32 = 0, isNameInaccessible: Bool = false, isWatched: Bool = false,
        space: AddressSpace? = nil
    ) {
        self.space = space
        self.file = file
        self.fileName = fileName
        self.arguments = arguments
        self.environment = environment
        self.kernel = kernel
        self.caller = caller
        self.limits = limits
        self.personality = personality
        self.isNameInaccessible = isNameInaccessible
        self.isWatched = isWatched
    }
}

/// Makes programs runnable: the first half of execve(2). Nothing of the caller changes; the result is a new address space.
public enum ProgramLoader {
    /// MAX_ARG_STRLEN: one string with its NUL.
    public static let maximumStringLength = 131_072
    /// Linux follows interpreters of interpreters this deep.
    private static let maximumDepth = 5

    /// Loads a program.
    /// - Throws: ENOEXEC (no format fits), ELIBBAD (bad ELF interpreter), EACCES, ENOENT, ETXTBSY, E2BIG, ELOOP (interpreters too deep),
    ///   ENOMEM, EINVAL, EIO.
    public static func load(_ request: LoadRequest) throws(Errno) -> LoadedProgram {
        var request = request
        // Since Linux 5.18 an empty argument list becomes one empty string.
        if request.arguments.isEmpty { request.arguments = [[]] }
        let name = baseName(request.fileName)
        let original = request.fileName
        try checkSize(request, original)
        var scriptName = request.fileName
        var depth = 0
        while true {
            let file = try ExecutableFile(request.file)
            let head = try read(file.description, 0, ScriptHeader.bufferSize, request.caller)
            if ScriptHeader.isScript(head) {
                guard let script = ScriptHeader(head) else { throw .ENOEXEC }
                if request.isNameInaccessible { throw .ENOENT }
                depth += 1
                if depth > maximumDepth { throw .ELOOP }
                request.arguments.removeFirst()
                request.arguments = [script.interpreter] + (script.argument.map { [$0] } ?? []) + [scriptName] + request.arguments
                try checkSize(request, original)
                let place = try VFS.resolve(script.interpreter, [.follow], caller: request.caller)
                request.file = try VFS.openForExecution(place, caller: request.caller)
                scriptName = script.interpreter
                continue
            }
            guard ELFHeader.hasMagic(head) else { throw .ENOEXEC }
            var program = try ELFLoader.load(file, head, request, executedName: original)
            program.name = name
            return program
        }
    }

    /// Reads up to `count` bytes; fewer only at the end of the file.
    static func read(_ file: FileDescription, _ offset: UInt64, _ count: Int, _ caller: any Caller) throws(Errno) -> [UInt8] {
        var buffer = IOBuffer(kernelCapacity: count)
        while buffer.remaining > 0 {
            guard let position = Int64(exactly: offset &+ UInt64(buffer.transferred)) else { throw .EINVAL }
            if try file.operations.read(&buffer, at: .offset(position), caller: caller) == 0 { break }
        }
        return buffer.kernelBytes
    }

    /// Linux's bprm_stack_limits: strings and their pointers may take a quarter of the stack, 6 MiB at most, 128 KiB at least.
    private static func checkSize(_ request: LoadRequest, _ original: [UInt8]) throws(Errno) {
        let limit = max(min(request.limits.stack / 4, 6 << 20), 131_072)
        var total = UInt64(request.arguments.count + request.environment.count) * 8 + UInt64(original.count) + 1
        for list in [request.arguments, request.environment] {
            for string in list {
                if string.count >= maximumStringLength { throw .E2BIG }
                total += UInt64(string.count) + 1
            }
        }
        if total > limit { throw .E2BIG }
    }

    private static func baseName(_ path: [UInt8]) -> [UInt8] {
        if let slash = path.lastIndex(of: 0x2f) { return Array(path[(slash + 1)...]) }
        return path
    }
}
