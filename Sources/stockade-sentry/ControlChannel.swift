import HostOS
import Kernel
import LinuxABI
import SandboxControl
import Synchronization

/// The Sentry's side of the control socket: one thread reads, any thread may end the sandbox, and the last word is said once.
final class ControlChannel: Sendable {
    private let socket: ControlSocket
    private let isFinished = Mutex(false)

    init(_ socket: consuming ControlSocket) { self.socket = socket }

    func receive() throws(ControlError) -> ControlMessage { try socket.receive() }

    /// Starts the thread that passes signals on. When the command line has gone, so has the reason to run.
    func serve(_ sandbox: RunningSandbox) {
        let channel = self
        do throws(Errno) {
            try HostThread.start {
                channel.passOn(to: sandbox)
                HostProcess.exitNow(1)
            }
        } catch { finish(.failed(message: "the host gives no more threads (\(error))")) }
    }

    private func passOn(to sandbox: RunningSandbox) {
        while let message = try? receive() {
            switch message {
            case .signal(let number, let fromTerminal): sandbox.deliver(number, fromTerminal: fromTerminal)
            case .terminate: sandbox.killAll()
            case .start, .exited, .startFailed, .failed, .stopped, .refusals, .missingChanges, .created, .adopted:
                finish(.failed(message: "unexpected control message"))
            }
        }
    }

    func tellCreated(_ warnings: [String]) { try? socket.send(.created(warnings: warnings)) }
    /// Whether the command line has put the container on record; false when it is gone.
    func waitForAdoption() -> Bool { (try? receive()) == .adopted }

    func tellStopped(_ signal: Signal) { try? socket.send(.stopped(signal: signal.rawValue)) }

    func tellRefusals(_ lines: [String]) { try? socket.send(.refusals(lines)) }

    /// A thousand are told; that something is missing is what counts.
    func tellMissingChanges(_ lines: [String]) {
        let more = lines.count > 1000 ? ["and \(lines.count - 1000) more"] : []
        try? socket.send(.missingChanges(lines.prefix(1000) + more))
    }

    /// Says the last word and ends the process; everything below it dies with it.
    func finish(_ message: ControlMessage) -> Never {
        let isFirst = isFinished.withLock { finished in
            defer { finished = true }
            return !finished
        }
        if isFirst {
            try? socket.send(message)
            if case .exited = message { HostProcess.exitNow(0) }
            HostProcess.exitNow(1)
        }
        // Another thread is saying it and will end the process.
        while true { _ = HostPoll.waitReadable([], until: nil) }
    }
}
