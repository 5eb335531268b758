import HostOS
import LinuxABI
import OCIRuntime

/// What `create` and `run` have in common.
private enum Creation {
    static let options: [CommandSyntax.Option] = [
        .value("bundle", "b", help: "the bundle's directory; default: the working directory"),
        .value("console-socket", help: "socket that takes the terminal's master"),
        .value("pid-file", help: "file for the container's process number"),
        .value("preserve-fds", help: "how many descriptors from 3 on the program keeps"),
        .flag("no-pivot", help: "accepted; a sandbox has no pivot_root"),
        .flag("no-new-keyring", help: "accepted; a sandbox has no session keyring"),
    ]

    static func request(_ words: Words) throws(RuntimeError) -> CreateRequest {
        var request = CreateRequest(id: words.id)
        request.consoleSocket = words.text("console-socket")
        request.pidFile = words.text("pid-file").map(Paths.absolute)
        request.preservedDescriptors = try words.number("preserve-fds") ?? 0
        return request
    }
    static func bundle(_ words: Words) throws(RuntimeError) -> Bundle { try Bundle(path: Paths.absolute(words.text("bundle") ?? ".")) }
}

struct CreateCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "create", summary: "create a container; its program waits for `start`", arguments: CommandSyntax.container, count: .exactly(1),
        options: Creation.options)

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            let created = try context.runtime().create(try Creation.bundle(words), try Creation.request(words))
            _ = consume created
            return 0
        } catch { throw error.during("stockade create failed") }
    }
}

struct RunCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "run", summary: "create a container and run its program", arguments: CommandSyntax.container, count: .exactly(1),
        options: Creation.options + [
            .flag("detach", "d", help: "return when the program runs"),
            .flag("rm", help: "remove the container at its end, as is done without --keep"),
            .flag("keep", help: "leave the container in the state \"stopped\" at its end"),
            .flag("no-subreaper", help: "accepted: the Sentry reaps"),
        ])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        do throws(RuntimeError) {
            let isDetached = try words.isSet("detach"), isKept = try words.isSet("keep")
            var request = try Creation.request(words)
            request.isAttached = !isDetached && request.consoleSocket == nil
            let runtime = try context.runtime()
            let bundle = try Creation.bundle(words)
            let signals = isDetached ? nil : try Foreground.signals()
            let created = try runtime.create(bundle, request)
            let pid = created.pid
            let master = try runtime.startCreated(created)
            guard let signals else { return 0 }
            let id = words.id
            let status = Foreground.wait(for: pid, signals: signals, master: master) { signal in
                try? runtime.kill(id, signal: signal, all: false)
            }
            if !isKept { try runtime.removeEnded(id) }
            return status
        } catch { throw error.during("stockade run failed") }
    }
}

struct KillCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "kill", summary: "send a signal, SIGTERM by default, to the container's first process",
        arguments: "\(CommandSyntax.container) [signal]", count: .atLeast(1), options: [.flag("all", "a", help: "to all processes")])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        guard words.rest.count <= 2 else { throw RuntimeError("stockade: \"kill\" requires a maximum of 2 argument(s)") }
        let name = words.rest.count > 1 ? words.rest[1] : "SIGTERM"
        guard let number = SignalName.number(name) else { throw RuntimeError("unknown signal \"\(name)\"") }
        try context.runtime().kill(words.id, signal: number, all: try words.isSet("all"))
        return 0
    }
}

struct DeleteCommand: RuntimeCommand {
    let syntax = CommandSyntax(
        name: "delete", summary: "remove a stopped container", arguments: CommandSyntax.container, count: .exactly(1),
        options: [.flag("force", "f", help: "kill it first if it runs; a container that does not exist is no error")])

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        try context.runtime().delete(words.id, force: try words.isSet("force"))
        return 0
    }
}

/// A command that takes a container and nothing else.
struct ContainerCommand: RuntimeCommand {
    let syntax: CommandSyntax
    private let act: @Sendable (Runtime, String) throws(RuntimeError) -> Void

    private init(_ name: String, _ summary: String, _ act: @escaping @Sendable (Runtime, String) throws(RuntimeError) -> Void) {
        syntax = CommandSyntax(name: name, summary: summary, arguments: CommandSyntax.container, count: .exactly(1))
        self.act = act
    }

    static let start = Self("start", "run the program of a created container") { runtime, id throws(RuntimeError) in try runtime.start(id) }
    static let pause = Self("pause", "suspend all processes of a container") { runtime, id throws(RuntimeError) in try runtime.pause(id) }
    static let resume = Self("resume", "let the processes of a paused container go on") { runtime, id throws(RuntimeError) in
        try runtime.resume(id)
    }

    func run(_ context: Context, _ words: Words) throws(RuntimeError) -> Int32 {
        try act(try context.runtime(), words.id)
        return 0
    }
}
