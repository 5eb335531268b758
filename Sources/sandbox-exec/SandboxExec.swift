import ArgumentParser
import HostOS
import LinuxABI
import SandboxControl

@main
struct SandboxExec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox-exec",
        abstract: "Run a command in a sandbox: its system calls reach an application kernel, never the host's.",
        usage: "sandbox-exec [options] [--] COMMAND [ARG...]",
        discussion: """
            The program sees the host's files read-only under a writable overlay that vanishes at the end. Standard input, output \
            and error pass through. No root, no user namespace and no setuid program is needed.

            EXAMPLES:
              sandbox-exec -- python3 script.py            run a script; its writes stay inside
              sandbox-exec --bind ./out:/out -- make       let it write to one directory of the host
              sandbox-exec --bind ~/data:/data:ro -- sh    give it a directory to read
              sandbox-exec --rw . --hide .git -- make      work here, without the history
              sandbox-exec --changes --apply /opt -- make install   see what it does, keep what lies in /opt
              sandbox-exec --root ./rootfs -- /bin/sh      another distribution as the root
              sandbox-exec --strace=openat,execve -- ls    show what it asks its kernel for
              sandbox-exec --timeout 10s -- ./untrusted    end it after ten seconds
              sandbox-exec doctor                          say what this host offers, and what it lacks

            EXIT STATUS:
              the program's own; 128+N when signal N ended it; 124 on time-out; 126 when the command cannot be \
            executed; 127 when it is not found; 125 when the sandbox itself failed.
            """,
        version: "0.1.0")

    @Option(help: ArgumentHelp("How guest code is run: seccomp, ptrace, or auto for the fastest that works here.", valueName: "name"))
    var platform = "auto"

    @Option(help: ArgumentHelp("Host directory that becomes the root, read-only under the overlay.", valueName: "dir"))
    var root = "/"

    @Option(help: ArgumentHelp("Show a host path at another place, writable unless `:ro` follows. Repeatable.", valueName: "src:dst[:ro|rw]"))
    var bind: [String] = []

    @Option(help: ArgumentHelp("Let the program read this host path, as it is at any moment. Repeatable.", valueName: "path"))
    var ro: [String] = []

    @Option(help: ArgumentHelp("Let the program read and change this host path. Repeatable.", valueName: "path"))
    var rw: [String] = []

    @Option(
        help: ArgumentHelp(
            "Keep this path from the program: uses fail with ENOENT, or with EACCES if `:EACCES` follows. Of several rules the one with the longest path holds. Repeatable.",
            valueName: "path[:EACCES]"))
    var hide: [String] = []

    @Option(help: ArgumentHelp("An empty in-memory file system at this place. Repeatable.", valueName: "dir[:size=n]"))
    var tmpfs: [String] = []

    @Option(help: ArgumentHelp("What the program's changes outside grants may take, such as 500M. Default: half of the memory.", valueName: "size"))
    var overlaySize: String?

    @Option(help: ArgumentHelp("At the end, tell which accesses the rules refused (`--report`, `--report=file`).", valueName: "file"))
    var report: String?

    @Option(help: ArgumentHelp("At the end, list what the program created (A), changed (M) and deleted (D) outside grants (`--changes`, `--changes=file`).", valueName: "file"))
    var changes: String?

    @Option(help: ArgumentHelp("At the end, write these changes to a tar file, deletions as `.wh.` entries as in container layers.", valueName: "file"))
    var exportChanges: String?

    @Option(help: ArgumentHelp("At the end, make the program's changes below this path on the host. Repeatable.", valueName: "path"))
    var apply: [String] = []

    @Option(help: ArgumentHelp("Set a variable of the program's environment. Repeatable.", valueName: "name=value"))
    var env: [String] = []

    @Flag(help: "Start from an empty environment.")
    var clearEnv = false

    @Option(help: ArgumentHelp("Working directory inside. Default: the present one, or / with --root.", valueName: "dir"))
    var cwd: String?

    @Option(help: ArgumentHelp("Host name inside.", valueName: "name"))
    var hostname = "stockade"

    @Option(help: ArgumentHelp("User and group the program sees itself as. Default: the caller's.", valueName: "uid[:gid]"))
    var user: String?

    @Option(help: ArgumentHelp("End everything after this long, such as 10, 1.5s, 5m, 1h.", valueName: "duration"))
    var timeout: String?

    @Option(help: ArgumentHelp("Write system calls to standard error: all, or the named ones (`--strace`, `--strace=open,read`).", valueName: "names"))
    var strace: String?

    @Flag(help: "Write the sandbox's own diagnostics to standard error: system calls it lacks, what the host refuses it, processes that somebody killed.")
    var debug = false

    @Flag(help: ArgumentHelp(
        "Report and refuse host calls outside the Sentry's own filter instead of ending the sandbox: for finding faults in the filter.",
        visibility: .hidden))
    var audit = false

    @Option(help: ArgumentHelp(
        "Whether the seccomp platform hands system calls over in shared memory where that pays: on, off, or eager for tests.", visibility: .hidden))
    var fastPath = "on"

    static func main() {
        _ = HostStartup.reserveStandardDescriptors()
        let split = ArgumentSplitter(Array(HostProcess.argumentBytes.dropFirst()))
        if split.isDoctor { HostProcess.exitNow(Doctor.run()) }
        let status: Int32
        do {
            let parsed = try SandboxExec.parse(split.options)
            var (configuration, timeout) = try parsed.sandboxConfiguration(command: split.command)
            let outputs = try RunOutputs(parsed, hidden: configuration.hides.map(\.path))
            configuration.exportsChanges = outputs.changes != nil
            configuration.reportsRefusals = outputs.wantsReport
            if let problem = HostRequirements.problem() { throw UsageFailure(message: problem) }
            status = Supervisor.run(configuration, timeout: timeout, outputs)
        } catch let error as UsageFailure {
            Diagnostics.report(error.message)
            status = ExitStatus.sandboxFailed
        } catch {
            let code = SandboxExec.exitCode(for: error)
            if code == .success {
                Diagnostics.write(SandboxExec.fullMessage(for: error) + "\n", to: 1)
                status = 0
            } else {
                Diagnostics.report(SandboxExec.message(for: error) + "; see sandbox-exec --help")
                status = ExitStatus.sandboxFailed
            }
        }
        HostProcess.exitNow(status)
    }
}

/// Exit statuses that are not the program's own.
enum ExitStatus {
    static let timedOut: Int32 = 124
    static let sandboxFailed: Int32 = 125
}

/// A wrong option: what was wrong and what to do, in one line.
struct UsageFailure: Error {
    var message: String
}

enum Diagnostics {
    static func report(_ message: String) { write("sandbox-exec: \(message)\n", to: 2) }
    /// A closed standard error is a normal use; there is nowhere left to report it.
    static func write(_ text: String, to descriptor: Int32) { try? HostIO.writeAll(descriptor, Array(text.utf8)) }
}
