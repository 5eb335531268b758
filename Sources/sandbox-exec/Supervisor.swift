import HostOS
import LinuxABI
import SandboxControl

/// Starts the Sentry, passes signals in and the exit status out. The program's input and output never pass through here: the Sentry
/// holds the descriptors themselves.
enum Supervisor {
    /// Signals that a user or a service manager sends to the command; they go to the program.
    private static let forwarded: [Signal] = [
        .SIGHUP, .SIGINT, .SIGQUIT, .SIGTERM, .SIGUSR1, .SIGUSR2, .SIGALRM, .SIGWINCH, .SIGTSTP, .SIGCONT,
    ]

    /// Runs the sandbox to its end. Returns this process's exit status.
    static func run(_ configuration: SandboxConfiguration, timeout: Int64?, _ outputs: RunOutputs) -> Int32 {
        let deadline = timeout.map { MonotonicInstant.after(nanoseconds: $0) }
        do throws(SandboxFailure) {
            let signals = try SandboxFailure.wrap("watch signals") { () throws(Errno) in try HostSignalQueue(forwarded) }
            HostStartup.becomeSubreaper()
            var sentry = try SentryProcess.start(changes: outputs.changes?.number)
            try sentry.send(.start(configuration))
            let status = try supervise(&sentry, signals, deadline, outputs)
            return outputs.finish() ?? status
        } catch {
            Diagnostics.report(error.message)
            return ExitStatus.sandboxFailed
        }
    }

    private static func supervise(
        _ sentry: inout SentryProcess, _ signals: borrowing HostSignalQueue, _ deadline: MonotonicInstant?,
        _ outputs: RunOutputs
    ) throws(SandboxFailure) -> Int32 {
        while true {
            let ready = HostPoll.waitReadable([sentry.control.number, signals.number], until: deadline)
            if let deadline, MonotonicInstant.now >= deadline {
                sentry.end()
                return ExitStatus.timedOut
            }
            if ready.contains(signals.number) {
                while let signal = signals.next() {
                    try sentry.send(.signal(number: signal.number, fromTerminal: signal.isFromKernel))
                }
            }
            guard ready.contains(sentry.control.number) else { continue }
            switch try sentry.receive() {
            case .exited(let waitStatus):
                sentry.reap()
                return exitStatus(ofWaitStatus: waitStatus)
            case .startFailed(let status, let message):
                sentry.reap()
                Diagnostics.report(message)
                return status
            case .failed(let message):
                sentry.reap()
                Diagnostics.report(message)
                return ExitStatus.sandboxFailed
            case .stopped:
                // The program was stopped from the terminal: stop too, so that the shell gets its prompt back. SIGCONT is forwarded.
                try? HostProcess.send(Signal.SIGSTOP.rawValue, to: HostProcess.id)
            case .refusals(let lines): outputs.report(lines)
            case .missingChanges(let lines): outputs.missing(lines)
            case .start, .signal, .terminate, .created, .adopted:
                throw SandboxFailure(message: "stockade-sentry sent a message that only the command line sends")
            }
        }
    }

    /// As shells do: the exit status, or 128 + the signal's number.
    private static func exitStatus(ofWaitStatus status: Int32) -> Int32 {
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }
}

/// The sandbox itself failed: one line that says at what.
struct SandboxFailure: Error {
    var message: String

    static func wrap<R: ~Copyable>(_ action: String, _ body: () throws(Errno) -> R) throws(SandboxFailure) -> R {
        do { return try body() } catch { throw SandboxFailure(message: "could not \(action): \(error)") }
    }
}
