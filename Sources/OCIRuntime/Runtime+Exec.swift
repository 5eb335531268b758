import HostOS
import LinuxABI
import SandboxControl

extension Runtime {
    /// A process beside the container's first, started over a connection that stands for it: its end comes back there, and when the connection goes,
    /// the process is killed.
    public struct AddedProcess: ~Copyable, Sendable {
        public let socket: ContainerSocket
        /// Its number inside.
        public let pid: Int32
    }

    /// Starts `process` with these host descriptors as its standard streams and what follows them.
    public func exec(
        _ id: String, _ process: ProcessConfiguration, descriptors: [Int32], ignoringPause: Bool = false
    ) throws(RuntimeError) -> AddedProcess {
        let record = try store.record(id)
        switch try status(of: record) {
        case .running: break
        case .stopped: throw RuntimeError("cannot exec in a stopped container")
        case .paused where ignoringPause: break
        case .paused: throw RuntimeError("cannot exec in a paused container (use --ignore-paused to override)")
        case .created, .creating: throw RuntimeError("cannot exec in a container that has not been started")
        }
        return try add(id, process, descriptors: descriptors, ignoringPause: ignoringPause)
    }

    /// The same, whatever the container's state: the Sentry knows whether it may be.
    func add(
        _ id: String, _ process: ProcessConfiguration, descriptors: [Int32], ignoringPause: Bool
    ) throws(RuntimeError) -> AddedProcess {
        guard descriptors.count <= MessageSocket.maximumDescriptors else {
            throw RuntimeError("--preserve-fds: exec can pass \(MessageSocket.maximumDescriptors - 3) descriptors at most")
        }
        let socket = try connect(id)
        let reply: ContainerReply
        do throws(ControlError) { reply = try socket.request(.exec(process, ignoresPause: ignoringPause), descriptors: descriptors) } catch {
            throw RuntimeError("container \(id) does not answer: \(error)")
        }
        switch reply {
        case .started(let pid): return AddedProcess(socket: socket, pid: pid)
        case .failed(_, let message): throw RuntimeError("unable to start container process: \(message)")
        default: throw RuntimeError("container \(id) gave a strange answer")
        }
    }
}
