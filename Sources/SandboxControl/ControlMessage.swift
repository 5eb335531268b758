import HostOS
import LinuxABI

/// What goes over the control socket between the CLI and the Sentry.
public enum ControlMessage: Sendable, Equatable {
    /// CLI → Sentry, first message.
    case start(SandboxConfiguration)
    /// CLI → Sentry: a signal for the program; `fromTerminal` ones go to the terminal's foreground process group.
    case signal(number: Int32, fromTerminal: Bool)
    /// CLI → Sentry: kill every guest process and exit.
    case terminate
    /// Sentry → CLI, last message: the program's wait status.
    case exited(waitStatus: Int32)
    /// Sentry → CLI, last message: the program could not be started; the exit status (126, 127) and why.
    case startFailed(status: Int32, message: String)
    /// Sentry → CLI, last message: the sandbox itself failed.
    case failed(message: String)
    /// Sentry → CLI: the program stopped (job control); the CLI stops itself too.
    case stopped(signal: Int32)
    /// Sentry → CLI, before the last message: what the sandbox's rules refused, one line each.
    case refusals([String])
    /// Sentry → CLI, before the last message: changes that could not be told, since the host lost what they are about; path and errno.
    case missingChanges([String])
    /// Sentry → CLI: the container is created; its program waits for a start. The control socket in the state directory answers from now on.
    /// `warnings`: what was asked for and could not be had, without harm.
    case created(warnings: [String])
    /// CLI → Sentry, last message: the container is on record, and goes on without this socket. Without it the Sentry ends with the socket.
    case adopted

    private enum Tag: UInt32 {
        case start = 1
        case signal, terminate, exited, startFailed, failed, stopped, refusals, created, adopted, missingChanges
    }

    func encoded() -> [UInt8] {
        var w = MessageWriter()
        func tag(_ tag: Tag) { w.put(tag.rawValue) }
        switch self {
        case .start(let configuration):
            tag(.start)
            w.put(configuration.encoded())
        case .signal(let number, let fromTerminal):
            tag(.signal)
            w.put(UInt32(bitPattern: number))
            w.put(UInt32(fromTerminal ? 1 : 0))
        case .terminate: tag(.terminate)
        case .exited(let status):
            tag(.exited)
            w.put(UInt32(bitPattern: status))
        case .startFailed(let status, let message):
            tag(.startFailed)
            w.put(UInt32(bitPattern: status))
            w.put(Array(message.utf8))
        case .failed(let message):
            tag(.failed)
            w.put(Array(message.utf8))
        case .stopped(let signal):
            tag(.stopped)
            w.put(UInt32(bitPattern: signal))
        case .refusals(let lines):
            tag(.refusals)
            w.put(lines.map { Array($0.utf8) })
        case .missingChanges(let lines):
            tag(.missingChanges)
            w.put(lines.map { Array($0.utf8) })
        case .created(let warnings):
            tag(.created)
            w.put(warnings.map { Array($0.utf8) })
        case .adopted: tag(.adopted)
        }
        return w.bytes
    }

    init(decoding bytes: [UInt8]) throws(ControlError) {
        var r = MessageReader(bytes)
        switch Tag(rawValue: try r.word("tag")) {
        case .start: self = .start(try SandboxConfiguration(decoding: r.byteString("configuration")))
        case .signal: self = .signal(number: Int32(bitPattern: try r.word("signal")), fromTerminal: try r.word("origin") != 0)
        case .terminate: self = .terminate
        case .exited: self = .exited(waitStatus: Int32(bitPattern: try r.word("status")))
        case .startFailed:
            self = .startFailed(
                status: Int32(bitPattern: try r.word("status")), message: String(decoding: try r.byteString("message"), as: UTF8.self))
        case .failed: self = .failed(message: String(decoding: try r.byteString("message"), as: UTF8.self))
        case .stopped: self = .stopped(signal: Int32(bitPattern: try r.word("signal")))
        case .refusals: self = .refusals(try r.byteStrings("refusals").map { String(decoding: $0, as: UTF8.self) })
        case .missingChanges:
            self = .missingChanges(try r.byteStrings("missing changes").map { String(decoding: $0, as: UTF8.self) })
        case .created: self = .created(warnings: try r.byteStrings("warnings").map { String(decoding: $0, as: UTF8.self) })
        case .adopted: self = .adopted
        case nil: throw .malformed("tag")
        }
        guard r.isAtEnd else { throw .malformed("trailing bytes") }
    }
}

public enum ControlError: Error, Equatable {
    /// A message whose named field is out of bounds or unknown.
    case malformed(String)
    /// The other side is gone.
    case closed
    case host(Errno)
}
