import ArgumentParser
import HostOS
import LinuxABI
import Logging
import OCIRuntime
import SandboxControl

@main
struct Stockade: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stockade",
        abstract: "Open Container Initiative runtime: each container is a sandbox whose system calls reach an application kernel, never the host's.",
        usage: "stockade [global options] COMMAND [options] [arguments...]",
        discussion: GlobalOptions.help,
        version: "stockade version 0.1.0\nspec: \(RuntimeSpec.version)",
        subcommands: [
            CreateCommand.self, DeleteCommand.self, EventsCommand.self, ExecCommand.self, FeaturesCommand.self, KillCommand.self, ListCommand.self,
            PauseCommand.self, ProcessesCommand.self, ResumeCommand.self, RunCommand.self, SpecCommand.self, StartCommand.self,
            StateCommand.self, UpdateCommand.self,
        ])

    static func main() {
        _ = HostStartup.reserveStandardDescriptors()
        let words = HostProcess.argumentBytes.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        HostProcess.exitNow(run(words))
    }

    /// Runs a command line; its exit status.
    private static func run(_ words: [String]) -> Int32 {
        let split = GlobalOptions.split(words)
        var log = Log.standardError
        do {
            let globals = try GlobalOptions.parse(split.globals)
            log = try Log(globals)
            guard !split.command.isEmpty else {
                Output.write(Stockade.helpMessage() + "\n")
                return 0
            }
            let command = try Stockade.parseAsRoot(split.command)
            guard let command = command as? any RuntimeCommand else {
                var other = command
                try other.run()
                return 0
            }
            return try command.run(Context(globals: globals, log: log, globalWords: split.globals))
        } catch let error as RuntimeError {
            log.fail(error.message)
            return error.status
        } catch {
            let code = Stockade.exitCode(for: error)
            if code == .success {
                Output.write(Stockade.fullMessage(for: error) + "\n")
                return 0
            }
            log.fail(Stockade.message(for: error))
            return 1
        }
    }
}

/// A command with what stands in front of it.
protocol RuntimeCommand: ParsableCommand {
    /// Returns the exit status.
    func run(_ context: Context) throws(RuntimeError) -> Int32
}

/// What a command works with.
struct Context {
    let globals: GlobalOptions
    let log: Log
    /// The global options as given, for a command that starts this program again.
    let globalWords: [String]

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
        case "auto": options.toleratesControlGroups = HostProcess.effectiveUID != 0
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
