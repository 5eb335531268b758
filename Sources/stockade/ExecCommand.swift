import ArgumentParser
import HostOS
import LinuxABI
import OCIRuntime
import SandboxControl

/// `exec`: another process in a running container. A monitor, this program once more, stands for the process on the host: its number is in the pid
/// file, signals to it go to the process, it ends as the process does, and when it is killed so is the process.
struct ExecCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "exec", abstract: "Run another process in a running container.")
    @Option(help: "Socket that takes the terminal's master.") var consoleSocket: String?
    @Option(help: "Working directory inside.") var cwd: String?
    @Option(name: [.short, .long], help: "Set a variable NAME=VALUE. Repeatable.") var env: [String] = []
    @Flag(name: [.short, .long], help: "Give it a terminal.") var tty = false
    @Option(name: [.short, .long], help: "UID or UID:GID.") var user: String?
    @Option(name: [.customShort("g"), .long], help: "A further group. Repeatable.") var additionalGids: [UInt32] = []
    @Option(name: [.short, .long], help: "File with the process in the specification's JSON.") var process: String?
    @Flag(name: [.short, .long], help: "Return when the process runs.") var detach = false
    @Option(help: "File for the process number of the process's monitor.") var pidFile: String?
    @Option(help: "Not supported.") var processLabel: String?
    @Option(help: "Not supported.") var apparmor: String?
    @Flag(help: "Gain no privileges by execve(2).") var noNewPrivs = false
    @Option(name: [.short, .long], help: "Add a capability. Repeatable.") var cap: [String] = []
    @Option(help: "How many descriptors from 3 on the process keeps.") var preserveFds = 0
    @Option(help: "Accepted; processes share the container's control group.") var cgroup: [String] = []
    @Flag(help: "Accepted.") var ignorePaused = false
    @Option(help: .hidden) var monitorReport: Int32?
    @Argument(parsing: .captureForPassthrough) var words: [String] = []

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            guard let id = words.first else { throw RuntimeError("\"stockade exec\" requires a minimum of 1 argument", status: 1) }
            if let monitorReport { return try ExecMonitor(report: monitorReport).run(context, id, try specification(context, id), preserveFds) }
            return try supervise(context, id)
        } catch { throw RuntimeError("exec failed: \(error.message)", status: 255) }
    }

    /// The process asked for: from a file, or the container's own process with changes.
    private func specification(_ context: Context, _ id: String) throws(RuntimeError) -> RuntimeSpec.Process {
        var result: RuntimeSpec.Process
        if let process {
            let bytes: [UInt8]
            do throws(Errno) { bytes = try HostPaths.read(Array(process.utf8)) } catch { throw RuntimeError("\(process) cannot be read: \(error)") }
            result = try SpecJSON.decode(bytes, process)
        } else {
            guard words.count > 1 else { throw RuntimeError("process args cannot be empty") }
            result = try context.runtime().spec(of: id).process ?? .init()
            result.args = Array(words.dropFirst(words.count > 2 && words[1] == "--" ? 2 : 1))
            result.terminal = tty
            if let cwd { result.cwd = cwd }
            result.env = (result.env ?? []) + env
            if noNewPrivs { result.noNewPrivileges = true }
            if let apparmor { result.apparmorProfile = apparmor }
            if let processLabel { result.selinuxLabel = processLabel }
            if let user { try Self.apply(user, &result) }
            if !additionalGids.isEmpty {
                var own = result.user ?? .init()
                own.additionalGids = (own.additionalGids ?? []) + additionalGids
                result.user = own
            }
            if !cap.isEmpty {
                var sets = result.capabilities ?? .init()
                for name in cap where Capability.bit(name) == nil { throw RuntimeError("unknown capability \(name)") }
                sets.bounding = (sets.bounding ?? []) + cap
                sets.effective = (sets.effective ?? []) + cap
                sets.permitted = (sets.permitted ?? []) + cap
                result.capabilities = sets
            }
        }
        try result.problems.check()
        return result
    }

    private static func apply(_ user: String, _ process: inout RuntimeSpec.Process) throws(RuntimeError) {
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { UInt32($0) }
        guard let uid = parts[0], parts.count == 1 || parts[1] != nil else { throw RuntimeError("--user \(user): UID or UID:GID as numbers") }
        var own = process.user ?? .init()
        own.uid = uid
        if parts.count == 2, let gid = parts[1] { own.gid = gid }
        process.user = own
    }

    private func supervise(_ context: Context, _ id: String) throws(RuntimeError) -> Int32 {
        let isTerminal = try specification(context, id).terminal ?? false
        if detach && isTerminal && consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        if consoleSocket != nil && !isTerminal { throw RuntimeError("cannot use console socket if runc will not detach or allocate tty") }
        let signals = detach ? nil : try Foreground.signals()
        var terminal: HostPseudoTerminal?
        if isTerminal {
            do throws(Errno) { terminal = try HostPseudoTerminal() } catch { throw RuntimeError("the host gives no pseudo-terminal: \(error)") }
        }
        // Before the process can ask.
        if let terminal, consoleSocket == nil, let size = try? HostTerminalCalls.size(0) {
            try? HostTerminalCalls.setSize(terminal.master.number, size)
        }
        let monitor = try ExecMonitor.start(context, terminal?.slave, preserved: preserveFds)
        if let terminal, let consoleSocket { try ConsoleSocket(path: consoleSocket).send(terminal.master.number) }
        if let pidFile {
            do throws(Errno) { try HostPaths.replace(Array(Paths.absolute(pidFile).utf8), Array("\(monitor)".utf8), mode: 0o644) } catch {
                throw RuntimeError("the pid file \(pidFile) cannot be written: \(error)")
            }
        }
        guard let signals else { return 0 }
        let master = consoleSocket == nil ? terminal?.master : nil
        terminal = nil
        return Foreground.wait(for: monitor, signals: signals, master: master) { try? HostProcess.send($0, to: monitor) }
    }
}
