import HostOS
import LinuxABI
import OCIRuntime
import SandboxControl

/// `exec`: another process in a running container. A monitor, this program once more, stands for the process on the host: its number is in the pid
/// file, signals to it go to the process, it ends as the process does, and when it is killed so is the process.
struct ExecCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "exec", summary: "run another process in a running container",
        arguments: "\(CommandSyntax.container) <command> [arguments]  || -p process.json \(CommandSyntax.container)", count: .atLeast(1),
        stopsAtArgument: true,
        options: [
            .value("console-socket", help: "socket that takes the terminal's master"), .value("cwd", help: "working directory inside"),
            .value("env", "e", help: "set a variable NAME=VALUE; repeatable"), .flag("tty", "t", help: "give it a terminal"),
            .value("user", "u", help: "UID or UID:GID"), .value("additional-gids", "g", help: "a further group; repeatable"),
            .value("process", "p", help: "file with the process in the specification's JSON"),
            .flag("detach", "d", help: "return when the process runs"),
            .value("pid-file", help: "file for the process number of the process's monitor"),
            .value("process-label", help: "not supported"), .value("apparmor", help: "not supported"),
            .flag("no-new-privs", help: "gain no privileges by execve(2)"), .value("cap", "c", help: "add a capability; repeatable"),
            .value("preserve-fds", help: "how many descriptors from 3 on the process keeps"),
            .value("cgroup", help: "accepted; processes share the container's control group"),
            .flag("ignore-paused", help: "start it in a paused container too; it runs when the container goes on"),
            .value(Self.monitorOption, help: ""),
        ])
    static let monitorOption = "monitor-report"

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            let request = try Request(words)
            let process = try specification(context, words)
            guard let report: Int32 = try words.number(Self.monitorOption) else { return try supervise(context, request, process) }
            return try ExecMonitor(report: report).run(context, request, process)
        } catch { throw RuntimeError("exec failed: \(error.message)", status: 255) }
    }

    /// What is asked for besides the process itself.
    struct Request {
        let id: String
        let isDetached: Bool
        let consoleSocket: String?
        let pidFile: String?
        /// Descriptors from 3 on.
        let preserved: Int
        let ignoresPause: Bool

        init(_ words: Words) throws(RuntimeError) {
            id = words.id
            isDetached = try words.isSet("detach")
            consoleSocket = words.text("console-socket")
            pidFile = words.text("pid-file").map(Paths.absolute)
            preserved = try words.number("preserve-fds") ?? 0
            ignoresPause = try words.isSet("ignore-paused")
        }
    }

    /// The process asked for: from a file, or the container's own process with changes.
    private func specification(_ context: Context, _ words: Words) throws(RuntimeError) -> RuntimeSpec.Process {
        let result: RuntimeSpec.Process
        if let path = words.text("process") { result = try read(path) } else { result = try changed(context, words) }
        var problems = result.problems
        try context.runtime().spec(of: words.id).linux?.checkOwners(of: result.user, &problems)
        try problems.check()
        return result
    }

    private func read(_ path: String) throws(RuntimeError) -> RuntimeSpec.Process {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try HostPaths.read(Array(path.utf8)) } catch { throw RuntimeError("\(path) cannot be read: \(error)") }
        return try SpecJSON.decode(bytes, path)
    }

    private func changed(_ context: Context, _ words: Words) throws(RuntimeError) -> RuntimeSpec.Process {
        let rest = words.rest
        guard rest.count > 1 else { throw RuntimeError("process args cannot be empty") }
        var result = try context.runtime().spec(of: words.id).process ?? .init()
        result.args = Array(rest.dropFirst(rest.count > 2 && rest[1] == "--" ? 2 : 1))
        result.terminal = try words.isSet("tty")
        if let cwd = words.text("cwd") { result.cwd = cwd }
        result.env = (result.env ?? []) + words.texts("env")
        if try words.isSet("no-new-privs") { result.noNewPrivileges = true }
        if let apparmor = words.text("apparmor") { result.apparmorProfile = apparmor }
        if let label = words.text("process-label") { result.selinuxLabel = label }
        if let user = words.text("user") { try Self.apply(user, &result) }
        let groups = words.texts("additional-gids")
        if !groups.isEmpty {
            var own = result.user ?? .init()
            for group in groups {
                guard let number = UInt32(group) else { throw RuntimeError("--additional-gids \(group): a group's number") }
                own.additionalGids = (own.additionalGids ?? []) + [number]
            }
            result.user = own
        }
        let added = words.texts("cap")
        if !added.isEmpty {
            var sets = result.capabilities ?? .init()
            for name in added where Capability.bit(name) == nil { throw RuntimeError("unknown capability \(name)") }
            sets.bounding = (sets.bounding ?? []) + added
            sets.effective = (sets.effective ?? []) + added
            sets.permitted = (sets.permitted ?? []) + added
            result.capabilities = sets
        }
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

    private func supervise(_ context: Context, _ request: Request, _ process: RuntimeSpec.Process) throws(RuntimeError) -> Int32 {
        let isTerminal = process.terminal ?? false
        if request.isDetached && isTerminal && request.consoleSocket == nil {
            throw RuntimeError("cannot allocate tty if runc will detach without setting console socket")
        }
        if request.consoleSocket != nil && !isTerminal { throw RuntimeError("cannot use console socket if runc will not detach or allocate tty") }
        let signals = request.isDetached ? nil : try Foreground.signals()
        var terminal: HostPseudoTerminal?
        if isTerminal {
            do throws(Errno) { terminal = try HostPseudoTerminal() } catch { throw RuntimeError("the host gives no pseudo-terminal: \(error)") }
        }
        // Before the process can ask.
        if let terminal, request.consoleSocket == nil, let size = try? HostTerminalCalls.size(0) {
            try? HostTerminalCalls.setSize(terminal.master.number, size)
        }
        let monitor = try ExecMonitor.start(context, terminal?.slave, preserved: request.preserved)
        if let terminal, let socket = request.consoleSocket { try ConsoleSocket(path: socket).send(terminal.master.number) }
        if let file = request.pidFile {
            do throws(Errno) { try HostPaths.replace(Array(file.utf8), Array("\(monitor)".utf8), mode: 0o644) } catch {
                throw RuntimeError("the pid file \(file) cannot be written: \(error)")
            }
        }
        guard let signals else { return 0 }
        let master = request.consoleSocket == nil ? terminal?.master : nil
        terminal = nil
        return Foreground.wait(for: monitor, signals: signals, master: master) { try? HostProcess.send($0, to: monitor) }
    }
}
