import HostOS
import LinuxABI
import SandboxControl

/// The running Sentry as its parent sees it: the control socket and the process.
struct SentryProcess: ~Copyable {
    let pid: Int32
    let control: ControlSocket

    /// The control socket's number in the Sentry.
    private static let controlDescriptor: Int32 = 3

    /// `changes`: the file that the Sentry writes the changes to.
    static func start(changes: Int32? = nil) throws(SandboxFailure) -> SentryProcess {
        let path = try ExecutableLocator.path(of: "stockade-sentry")
        let pair = try SandboxFailure.wrap("make the control socket") { () throws(Errno) in try SocketPair() }
        let arguments = ["stockade-sentry", "--parent", String(HostProcess.id)].map { Array($0.utf8) }
        // The Sentry's own environment stays empty: nothing that the user sets for the program may steer the Sentry.
        var descriptors = [(source: pair.far.number, target: Self.controlDescriptor)]
        if let changes { descriptors.append((changes, SandboxConfiguration.changesDescriptor)) }
        let given = descriptors
        let pid = try SandboxFailure.wrap("start \(path)") { () throws(Errno) in
            try HostProcess.spawn(path, arguments: arguments, environment: [], descriptors: given)
        }
        return SentryProcess(pid: pid, control: ControlSocket(pair.near))
    }

    private init(pid: Int32, control: consuming ControlSocket) {
        self.pid = pid
        self.control = control
    }

    func send(_ message: ControlMessage) throws(SandboxFailure) {
        do {
            try control.send(message)
        } catch .closed {
            // The Sentry's last message may still wait to be read; its end is noticed there.
        } catch {
            throw SandboxFailure(message: "could not reach stockade-sentry: \(error)")
        }
    }

    func receive() throws(SandboxFailure) -> ControlMessage {
        do {
            return try control.receive()
        } catch .closed {
            throw SandboxFailure(message: "the sandbox ended unexpectedly: stockade-sentry \(endDescription())")
        } catch {
            end()
            throw SandboxFailure(message: "stockade-sentry sent a message that cannot be read: \(error)")
        }
    }

    /// Waits for the Sentry, which has said its last word, and for the processes below it, which die with it.
    func reap() { HostProcess.reapAll() }

    /// Ends the sandbox now. Everything below the Sentry dies with it.
    func end() {
        try? HostProcess.send(Signal.SIGKILL.rawValue, to: pid)
        reap()
    }

    private func endDescription() -> String {
        let ended = try? HostProcess.waitStatus(of: pid, wait: true)
        HostProcess.reapAll()
        guard let status = ended else { return "is gone" }
        let signal = status & 0x7f
        return signal == 0 ? "exited with status \((status >> 8) & 0xff)" : "was killed by signal \(signal)"
    }
}
