import ArgumentParser
import HostOS
import LinuxABI
import OCIRuntime

struct CreateCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a container; its program waits for `start`.")
    @Option(name: [.short, .long], help: "The bundle's directory; default: the working directory.") var bundle: String?
    @Option(help: "Socket that takes the terminal's master.") var consoleSocket: String?
    @Option(help: "File for the container's process number.") var pidFile: String?
    @Option(help: "How many descriptors from 3 on the program keeps.") var preserveFds = 0
    @Flag(help: "Accepted; a sandbox has no pivot_root.") var noPivot = false
    @Flag(help: "Accepted; a sandbox has no session keyring.") var noNewKeyring = false
    @Argument var id: String

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            var request = CreateRequest(id: id)
            request.consoleSocket = consoleSocket
            request.pidFile = pidFile.map(Paths.absolute)
            request.preservedDescriptors = preserveFds
            let created = try context.runtime().create(try Bundle(path: Paths.absolute(bundle ?? ".")), request)
            _ = consume created
            return 0
        } catch { throw error.during("stockade create failed") }
    }
}

struct StartCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Run the program of a created container.")
    @Argument var id: String
    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        try context.runtime().start(id)
        return 0
    }
}

struct RunCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Create a container and run its program.")
    @Option(name: [.short, .long], help: "The bundle's directory; default: the working directory.") var bundle: String?
    @Option(help: "Socket that takes the terminal's master.") var consoleSocket: String?
    @Option(help: "File for the container's process number.") var pidFile: String?
    @Option(help: "How many descriptors from 3 on the program keeps.") var preserveFds = 0
    @Flag(name: [.short, .long], help: "Return when the program runs.") var detach = false
    @Flag(help: "Remove the container at its end, as is done without `--keep`.") var rm = false
    @Flag(help: "Leave the container in the state \"stopped\" at its end.") var keep = false
    @Flag(help: "Accepted: the Sentry reaps.") var noSubreaper = false
    @Flag(help: "Accepted; a sandbox has no pivot_root.") var noPivot = false
    @Flag(help: "Accepted; a sandbox has no session keyring.") var noNewKeyring = false
    @Argument var id: String

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            var request = CreateRequest(id: id)
            request.consoleSocket = consoleSocket
            request.pidFile = pidFile.map(Paths.absolute)
            request.preservedDescriptors = preserveFds
            request.isAttached = !detach && consoleSocket == nil
            let runtime = try context.runtime()
            let bundle = try Bundle(path: Paths.absolute(bundle ?? "."))
            let signals = detach ? nil : try Foreground.signals()
            let created = try runtime.create(bundle, request)
            let pid = created.pid
            let master = try runtime.startCreated(created)
            guard let signals else { return 0 }
            let id = id
            let status = Foreground.wait(for: pid, signals: signals, master: master) { signal in
                try? runtime.kill(id, signal: signal, all: false)
            }
            if !keep { try runtime.removeEnded(id) }
            return status
        } catch { throw error.during("stockade run failed") }
    }
}

struct KillCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Send a signal, SIGTERM by default, to the container's first process.")
    @Flag(name: [.short, .long], help: "To all processes.") var all = false
    @Argument var id: String
    @Argument(parsing: .allUnrecognized) var signal: [String] = []

    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        var words = signal
        let all = all || words.contains("--all") || words.contains("-a")
        words.removeAll { $0 == "--all" || $0 == "-a" }
        let name = words.first ?? "SIGTERM"
        guard let number = SignalName.number(name) else { throw RuntimeError("unknown signal \"\(name)\"") }
        try context.runtime().kill(id, signal: number, all: all)
        return 0
    }
}

struct DeleteCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Remove a stopped container.")
    @Flag(name: [.short, .long], help: "Kill it first if it runs; a container that does not exist is no error.") var force = false
    @Argument var id: String
    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        try context.runtime().delete(id, force: force)
        return 0
    }
}

struct PauseCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "pause", abstract: "Suspend all processes of a container.")
    @Argument var id: String
    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        try context.runtime().pause(id)
        return 0
    }
}

struct ResumeCommand: RuntimeCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "Let the processes of a paused container go on.")
    @Argument var id: String
    func run(_ context: Context) throws(RuntimeError) -> Int32 {
        try context.runtime().resume(id)
        return 0
    }
}
