import HostOS
import LinuxABI
import SandboxControl

/// The Sentry of a container while it is created: a child of the caller, which ends it when anything goes wrong.
struct SentryChild: ~Copyable {
    let pid: Int32
    private let control: ControlSocket

    private static let controlDescriptor: Int32 = 3
    private static let listenDescriptor: Int32 = 4
    private static let firstPreserved: Int32 = 5

    /// `slave`: the terminal that becomes its standard streams, else it gets the caller's.
    init(id: String, executable: String, listener: Int32, slave: Int32?, preserved: Int) throws(RuntimeError) {
        do throws(Errno) {
            let pair = try SocketPair()
            // Copies above all targets, so that none is overwritten before it is taken.
            let least = Self.firstPreserved + Int32(preserved) + 32
            var copies: [SharedHostDescriptor] = []
            var descriptors: [(source: Int32, target: Int32)] = []
            func give(_ source: Int32, _ target: Int32) throws(Errno) {
                let copy = SharedHostDescriptor(try HostIO.duplicate(source, from: least))
                copies.append(copy)
                descriptors.append((source: copy.number, target: target))
            }
            try give(pair.far.number, Self.controlDescriptor)
            try give(listener, Self.listenDescriptor)
            for index in 0..<Int32(preserved) { try give(3 + index, Self.firstPreserved + index) }
            if let slave { for target: Int32 in 0...2 { try give(slave, target) } }
            let arguments = ["stockade-sentry", "--container", id, String(preserved)].map { Array($0.utf8) }
            // Its environment is empty: nothing that the user sets for the program may steer the Sentry.
            pid = try HostProcess.spawn(executable, arguments: arguments, environment: [], descriptors: descriptors)
            control = ControlSocket(pair.near)
            _ = copies
        } catch { throw RuntimeError("\(executable) cannot be started: \(error)") }
    }

    /// Has it boot; returns its warnings once the container is created.
    mutating func boot(_ configuration: SandboxConfiguration) throws(RuntimeError) -> [String] {
        do throws(ControlError) { try control.send(.start(configuration)) } catch {
            // Its own last message, or its end, says more.
        }
        let message: ControlMessage
        do throws(ControlError) { message = try control.receive() } catch {
            guard error == .closed else { throw RuntimeError("stockade-sentry sent a message that cannot be read: \(error)") }
            throw RuntimeError("unable to start container process: the sandbox ended unexpectedly\(endDescription())")
        }
        switch message {
        case .created(let warnings): return warnings
        case .startFailed(_, let text): throw RuntimeError("unable to start container process: \(text)")
        case .failed(let text): throw RuntimeError("unable to start container process: \(text)")
        default: throw RuntimeError("stockade-sentry sent an unexpected message")
        }
    }

    /// The container is on record: it goes on without us.
    func adopt() throws(RuntimeError) {
        do throws(ControlError) { try control.send(.adopted) } catch { throw RuntimeError("the sandbox ended unexpectedly") }
    }

    func end() {
        try? HostProcess.send(9, to: pid)
        _ = try? HostProcess.waitStatus(of: pid, wait: true)
    }

    private func endDescription() -> String {
        let deadline = MonotonicInstant.after(nanoseconds: 500_000_000)
        while MonotonicInstant.now < deadline {
            if let status = (try? HostProcess.waitStatus(of: pid, wait: false)) ?? nil {
                let signal = status & 0x7f
                return signal == 0 ? ": exit status \((status >> 8) & 0xff)" : ": killed by signal \(signal)"
            }
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: 5_000_000))
        }
        return ""
    }
}
