import Kernel
import LinuxABI
import Loader
import SandboxControl
import VirtualFileSystem

/// Finds and starts the command, with the exit statuses that shells give.
struct Program {
    let kernel: SandboxKernel
    let configuration: SandboxConfiguration

    private static let notFound: Int32 = 127
    private static let notExecutable: Int32 = 126

    func start(_ descriptors: DescriptorTable) throws(BootFailure) {
        guard let command = configuration.arguments.first, !command.isEmpty else {
            throw .program(status: Self.notFound, "the command is an empty word; name a program")
        }
        var refused: Errno?
        for path in candidates(command) {
            do throws(InitStartError) {
                try kernel.startInit(
                    path: path, arguments: configuration.arguments, environment: configuration.environment, credentials: credentials,
                    descriptors: descriptors, workingDirectory: configuration.workingDirectory, umask: configuration.umask)
                return
            } catch .executable(let error) where error == .ENOENT || error == .ENOTDIR {
                continue
            } catch .executable(let error) where error == .EACCES && !command.contains(UInt8(ascii: "/")) {
                // As execvp(3): go on looking, and report this when nothing else is found.
                refused = error
            } catch {
                throw failure(of: command, error)
            }
        }
        if let refused { throw failure(of: command, .executable(refused)) }
        throw .program(status: Self.notFound, "\(Boot.text(command)): command not found in the sandbox; check its name and PATH")
    }

    private var credentials: Credentials {
        Credentials(
            uid: configuration.uid, gid: configuration.gid, groups: configuration.groups,
            capabilities: configuration.isPrivileged ? .all : [])
    }

    /// The command itself when it holds a slash, else one path for each directory of PATH, as execvp(3).
    private func candidates(_ command: [UInt8]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        if command.contains(slash) { return [command] }
        let prefix = Array("PATH=".utf8)
        let setting = configuration.environment.first { $0.starts(with: prefix) }.map { $0.dropFirst(prefix.count) }
        let search = setting ?? ArraySlice("/usr/local/bin:/usr/bin:/bin".utf8)
        return search.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { folder in
            folder.isEmpty ? command : Array(folder) + [slash] + command
        }
    }

    private func failure(of command: [UInt8], _ error: InitStartError) -> BootFailure {
        let name = Boot.text(command)
        switch error {
        case .workingDirectory(let errno):
            return .sandbox(
                "the working directory \(Boot.text(configuration.workingDirectory)) cannot be entered in the sandbox (\(errno)); name another with --cwd")
        case .executable(let errno) where errno == .ENOENT || errno == .ENOTDIR:
            return .program(status: Self.notFound, "\(name): not found in the sandbox")
        case .executable(let errno):
            return .program(status: Self.notExecutable, "\(name): cannot be executed (\(errno)); it must be a file with execute permission")
        case .loading(.ENOEXEC):
            return .program(status: Self.notExecutable, "\(name): not an executable of this system (ENOEXEC); x86-64 ELF files and #! scripts are")
        case .loading(.ENOENT):
            return .program(status: Self.notFound, "\(name): its interpreter is not in the sandbox (ENOENT)")
        case .loading(let errno):
            return .program(status: Self.notExecutable, "\(name): cannot be loaded (\(errno))")
        case .start(let errno):
            return .sandbox("could not start the program: the host gives no more processes, threads or memory (\(errno))")
        }
    }
}
