import HostOS
import LinuxABI
import SandboxControl
import Synchronization

/// Answers the control socket of a container: one thread accepts, one serves each connection, so that no client waits for another. The number of
/// connections is bounded.
final class ContainerService: Sendable {
    private let listener: HostDescriptor
    private let container: Container
    private let connections = Atomic<Int>(0)
    private static let maximumConnections = 128
    /// Connections that wait for the container's end.
    private let waiting = Mutex<[ObjectIdentifier: Connection]>([:])

    init(_ listener: consuming HostDescriptor, _ container: Container) {
        self.listener = listener
        self.container = container
    }

    func start() throws(BootFailure) {
        try Boot.step("start a thread") { () throws(Errno) in try HostThread.start { [self] in acceptAll() } }
    }

    /// Tells those that wait for the container.
    func tellEnd(exitStatus: Int32) {
        for connection in waiting.withLock({ Array($0.values) }) { connection.send(.exited(waitStatus: (exitStatus & 0xff) << 8)) }
    }

    private func acceptAll() {
        while true {
            guard let client = try? HostUnixSocket.accept(listener.number) else {
                // No descriptors left: connections that end give some back.
                _ = HostPoll.waitReadable([], until: .after(nanoseconds: 50_000_000))
                continue
            }
            guard connections.load(ordering: .relaxed) < Self.maximumConnections else { continue }
            connections.wrappingAdd(1, ordering: .relaxed)
            let connection = Connection(ContainerSocket(client))
            do throws(Errno) {
                try HostThread.start { [self] in
                    serve(connection)
                    waiting.withLock { $0[ObjectIdentifier(connection)] = nil }
                    connections.wrappingSubtract(1, ordering: .relaxed)
                }
            } catch { connections.wrappingSubtract(1, ordering: .relaxed) }
        }
    }

    /// Serves until the client closes or says something that no command line says.
    private func serve(_ connection: Connection) {
        var added: Container.Added?
        // The connection stands for the process on the host: without it nobody waits for its end or could end it.
        defer { if let added { container.kill(added) } }
        while true {
            var numbers: [Int32] = []
            let bytes = try? connection.socket.receive(descriptors: &numbers)
            let descriptors = numbers.map { SharedHostDescriptor(HostDescriptor(owning: $0)) }
            guard let bytes, let request = try? ContainerRequest(decoding: bytes) else { return }
            guard descriptors.isEmpty || request.takesDescriptors else { return }
            do throws(Container.Failure) {
                switch request {
                case .status: connection.send(.status(container.phase))
                case .start(let isHeld):
                    try container.start(isHeld: isHeld)
                    connection.send(.done)
                case .release:
                    try container.release()
                    connection.send(.done)
                case .signal(let pid, let number, let all, let fromTerminal):
                    if fromTerminal {
                        if let terminal = added?.terminal {
                            if let signal = Signal(rawValue: number) { terminal.deliver(signal) }
                        } else {
                            container.deliverFromTerminal(number)
                        }
                    } else {
                        try container.signal(number, to: pid == 0 ? added?.group.id ?? 1 : pid, all: all)
                    }
                    connection.send(.done)
                case .exec(let process, let ignoresPause):
                    guard added == nil else { return }
                    let fresh = try container.exec(process, descriptors, ignoringPause: ignoresPause)
                    added = fresh
                    connection.send(.started(pid: fresh.group.id))
                    watch(fresh, connection)
                case .pause:
                    try container.pause()
                    connection.send(.done)
                case .resume:
                    try container.resume()
                    connection.send(.done)
                case .processes: connection.send(.processes(container.processes()))
                case .statistics: connection.send(.statistics(container.statistics()))
                case .wait: waiting.withLock { $0[ObjectIdentifier(connection)] = connection }
                case .limitTasks(let limit):
                    container.limitTasks(to: limit)
                    connection.send(.done)
                }
            } catch {
                connection.send(.failed(errno: error.errno.rawValue, message: error.message))
            }
        }
    }

    private func watch(_ added: Container.Added, _ connection: Connection) {
        container.beginWatching()
        let container = container
        do throws(Errno) {
            try HostThread.start {
                connection.send(.exited(waitStatus: container.wait(for: added.group)))
                container.endWatching()
            }
        } catch {
            container.endWatching()
            connection.send(.failed(errno: error.rawValue, message: "the end of the process cannot be waited for: the host gives no more threads"))
        }
    }
}

/// A client. Whole messages go out, whichever thread sends them; one that does not read is given up.
private final class Connection: Sendable {
    let socket: ContainerSocket
    private let sending = Mutex(())
    init(_ socket: consuming ContainerSocket) { self.socket = socket }
    func send(_ reply: ContainerReply) { sending.withLock { _ in try? socket.send(reply.encoded()) } }
}

extension ContainerRequest {
    fileprivate var takesDescriptors: Bool { if case .exec = self { true } else { false } }
}
