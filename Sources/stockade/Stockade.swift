import HostOS
import LinuxABI
import OCIRuntime
import SandboxControl

@main
enum Stockade {
    private static let version = "stockade version 0.1.0\nspec: \(RuntimeSpec.version)\n"
    private static let commands: [any RuntimeCommand] = [
        CreateCommand(), DeleteCommand(), EventsCommand(), ExecCommand(), FeaturesCommand(), KillCommand(), ListCommand(), ContainerCommand.pause,
        ProcessesCommand(), ContainerCommand.resume, RunCommand(), SpecCommand(), ContainerCommand.start, StateCommand(), UpdateCommand(),
    ]

    static func main() {
        _ = HostStartup.reserveStandardDescriptors()
        let words = HostProcess.argumentBytes.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        HostProcess.exitNow(run(words))
    }

    /// Runs a command line; its exit status.
    private static func run(_ words: [String]) -> Int32 {
        var log = Log.standardError
        do throws(RuntimeError) {
            let global: Words
            do throws(UsageError) { global = try GlobalOptions.syntax.parse(words) } catch { return complain(error, help, log) }
            if try global.isSet("version") {
                Output.write(version)
                return 0
            }
            let globals = try GlobalOptions(global)
            log = try Log(globals)
            guard let name = global.rest.first, name != "help" else {
                Output.write(help)
                return 0
            }
            guard let command = commands.first(where: { $0.syntax.name == name }) else {
                throw RuntimeError("No help topic for '\(name)'", status: 3)
            }
            let own: Words
            do throws(UsageError) { own = try command.syntax.parse(global.rest.dropFirst()) } catch {
                return complain(error, command.syntax.help, log)
            }
            let before = Array(words.dropLast(global.rest.count)), behind = Array(global.rest.dropFirst())
            return try command.run(Context(globals: globals, log: log, globalWords: before, commandWords: behind), own)
        } catch {
            log.fail(error.message)
            return error.status
        }
    }

    /// As runc: the help goes to standard output, what is wrong to the log.
    private static func complain(_ error: UsageError, _ help: String, _ log: Log) -> Int32 {
        switch error {
        case .help:
            Output.write(help)
            return 0
        case .wrong(let message):
            Output.write("Incorrect Usage: \(message)\n\n" + help)
            log.fail(message)
            return 1
        }
    }

    private static var help: String {
        let width = commands.map(\.syntax.name.count).max() ?? 0
        let list = commands.map { "   \($0.syntax.name)\(String(repeating: " ", count: width - $0.syntax.name.count))  \($0.syntax.summary)\n" }
        return """
            NAME:
               stockade - Open Container Initiative runtime: each container is a sandbox whose system calls reach an application kernel, never the host's

            USAGE:
               stockade [global options] command [command options] [arguments...]

            COMMANDS:

            """ + list.joined() + "\nGLOBAL OPTIONS:\n" + CommandSyntax.list(GlobalOptions.syntax.options)
    }
}

/// What a command works with.
struct Context {
    let globals: GlobalOptions
    let log: Log
    /// The global options as given, for a command that starts this program again.
    let globalWords: [String]
    /// The command's own options and arguments as given.
    let commandWords: [String]

    var store: StateStore { StateStore(root: globals.stateRoot) }

    func runtime() throws(RuntimeError) -> Runtime {
        var options = Runtime.Options(executables: try Self.folder())
        guard let platform = SandboxConfiguration.PlatformChoice(name: globals.platform) else {
            throw RuntimeError("--platform \(globals.platform): auto, seccomp or ptrace")
        }
        options.platform = platform
        options.isDebugging = globals.debug
        options.usesSystemdNames = globals.systemdCgroup
        switch globals.rootless {
        case "true", "1", "t": options.toleratesControlGroups = true
        case "false", "0", "f": options.toleratesControlGroups = false
        case "auto": options.toleratesControlGroups = HostProcess.effectiveUID != 0 || HostProcess.isInUserNamespace
        default: throw RuntimeError("--rootless \(globals.rootless): true, false or auto")
        }
        let log = log
        return Runtime(store: store, options: options) { log.warn($0) }
    }

    private static func folder() throws(RuntimeError) -> String {
        do throws(Errno) {
            let own = try HostProcess.readLink("/proc/self/exe")
            return own.lastIndex(of: "/").map { String(own[..<$0]) } ?? "."
        } catch { throw RuntimeError("this program's own path cannot be found: \(error)") }
    }
}

enum Output {
    /// A closed standard output leaves nowhere to report it.
    static func write(_ text: String) { try? HostIO.writeAll(1, Array(text.utf8)) }
}
