import Kernel
import Memory
import LinuxABI
import Loader
import SandboxControl
import VirtualFileSystem

/// A process of a container: finds its program as the container's PATH says, and starts it. Messages have the words that clients of container
/// runtimes look for.
struct ContainerProgram {
    let kernel: SandboxKernel
    let process: ProcessConfiguration
    let caller: BootCaller
    /// seccomp(2)'s, for all processes of the container.
    let filter: SeccompFilter?

    struct Failure: Error {
        /// 126 or 127, as shells; 125 when it is not the program's fault.
        var status: Int32
        var message: String
    }

    /// What execve(2) is given: found once, at `create`.
    func find() throws(Failure) -> [UInt8] {
        let command = command
        guard !command.isEmpty else { throw Failure(status: 127, message: "exec: \"\": executable file not found in $PATH") }
        var refused = false
        for path in candidates(command) {
            do throws(InitStartError) {
                try kernel.checkExecutable(path: path, credentials: credentials, workingDirectory: process.workingDirectory)
                return path
            } catch .executable(let error) where !command.contains(UInt8(ascii: "/")) {
                if error == .EACCES { refused = true }
            } catch { throw failure(command, error) }
        }
        if refused { throw failure(command, .executable(.EACCES)) }
        throw Failure(status: 127, message: "exec: \"\(Boot.text(command))\": executable file not found in $PATH")
    }

    private var command: [UInt8] { process.executable.isEmpty ? process.arguments.first ?? [] : process.executable }

    func startInit(_ path: [UInt8], _ descriptors: DescriptorTable) throws(Failure) {
        do throws(InitStartError) {
            try kernel.startInit(
                path: path, arguments: process.arguments, environment: environment, credentials: credentials, descriptors: descriptors,
                workingDirectory: process.workingDirectory, umask: umask, attributes: attributes)
        } catch { throw failure(command, error) }
    }

    func start(_ path: [UInt8], _ descriptors: DescriptorTable) throws(Failure) -> ThreadGroup {
        do throws(InitStartError) {
            return try kernel.startProcess(
                path: path, arguments: process.arguments, environment: environment, credentials: credentials, descriptors: descriptors,
                workingDirectory: process.workingDirectory, umask: umask, attributes: attributes)
        } catch { throw failure(command, error) }
    }

    private var umask: UInt16 { UInt16(truncatingIfNeeded: process.umask) }

    private var attributes: InitialAttributes {
        var attributes = InitialAttributes()
        for limit in process.limits where attributes.limits.indices.contains(Int(limit.kind)) {
            attributes.limits[Int(limit.kind)] = ResourceLimit(soft: limit.soft, hard: limit.hard)
        }
        attributes.oomScoreAdjustment = process.oomScoreAdjustment
        attributes.filter = filter
        return attributes
    }

    private var credentials: Credentials {
        var credentials = Credentials(uid: process.uid, gid: process.gid, groups: process.groups, capabilities: [])
        credentials.bounding = CapabilitySet(rawValue: process.capabilities.bounding)
        credentials.permitted = CapabilitySet(rawValue: process.capabilities.permitted)
        credentials.effective = CapabilitySet(rawValue: process.capabilities.effective).intersection(credentials.permitted)
        credentials.inheritable = CapabilitySet(rawValue: process.capabilities.inheritable)
        credentials.ambient = CapabilitySet(rawValue: process.capabilities.ambient)
            .intersection(credentials.permitted).intersection(credentials.inheritable)
        credentials.noNewPrivileges = process.hasNoNewPrivileges
        return credentials
    }

    /// With HOME from the container's /etc/passwd where the configuration has none.
    private var environment: [[UInt8]] {
        if process.environment.contains(where: { $0.starts(with: Array("HOME=".utf8)) }) { return process.environment }
        return process.environment + [Array("HOME=".utf8) + home]
    }
    private var home: [UInt8] {
        guard let file = try? VFS.open(Array("/etc/passwd".utf8), OpenRequest(flags: []), caller: caller),
            let text = try? ProgramText.read(file, limit: 1 << 20, caller)
        else { return [0x2f] }
        let uid = Array("\(process.uid)".utf8)
        for line in text.split(separator: 0x0a) {
            let fields = line.split(separator: 0x3a, omittingEmptySubsequences: false)
            if fields.count >= 6, Array(fields[2]) == uid, !fields[5].isEmpty { return Array(fields[5]) }
        }
        return [0x2f]
    }

    private func candidates(_ command: [UInt8]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        if command.contains(slash) { return [command] }
        let prefix = Array("PATH=".utf8)
        guard let setting = process.environment.last(where: { $0.starts(with: prefix) })?.dropFirst(prefix.count) else { return [] }
        return setting.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { folder in
            (folder.isEmpty ? [UInt8(ascii: ".")] : Array(folder)) + [slash] + command
        }
    }

    private func failure(_ command: [UInt8], _ error: InitStartError) -> Failure {
        let name = Boot.text(command)
        switch error {
        case .workingDirectory(let errno):
            return Failure(
                status: 126, message: "chdir to cwd (\"\(Boot.text(process.workingDirectory))\") set in config.json failed: \(Words.of(errno))")
        case .executable(.ENOENT), .executable(.ENOTDIR), .loading(.ENOENT):
            return Failure(status: 127, message: "exec: \"\(name)\": stat \(name): no such file or directory")
        case .executable(let errno): return Failure(status: 126, message: "exec: \"\(name)\": \(Words.of(errno))")
        case .loading(let errno): return Failure(status: 126, message: "exec \(name): \(Words.of(errno))")
        case .start(let errno): return Failure(status: 125, message: "could not start \(name): the host gives no more processes, threads or memory (\(errno))")
        }
    }
}

/// The errors of starting a program in strerror(3)'s words.
enum Words {
    static func of(_ error: Errno) -> String {
        switch error {
        case .EPERM: "operation not permitted"
        case .ENOENT: "no such file or directory"
        case .ENOTDIR: "not a directory"
        case .EACCES: "permission denied"
        case .ENOEXEC: "exec format error"
        case .EISDIR: "is a directory"
        case .E2BIG: "argument list too long"
        case .ELOOP: "too many levels of symbolic links"
        default: "\(error)"
        }
    }
}

enum ProgramText {
    /// A file of the guest, as far as `limit`.
    static func read(_ file: FileDescription, limit: Int, _ caller: BootCaller) throws(Errno) -> [UInt8] {
        var text: [UInt8] = []
        while text.count < limit {
            // Room for all at once would be cleared each time.
            var buffer = IOBuffer(kernelCapacity: min(4096, limit - text.count))
            if try file.operations.read(&buffer, at: .offset(Int64(text.count)), caller: caller) == 0 { break }
            text += buffer.kernelBytes
        }
        return text
    }
}
