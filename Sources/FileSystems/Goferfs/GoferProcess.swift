import GoferProtocol
import HostOS
import LinuxABI

/// Starting the Gofer.
public enum GoferProcess {
    /// Starts `executable` with `grants`, whose indices name them from now on, and connects to it. Call it from the thread that lives as long as
    /// the Sentry: the Gofer is killed when that thread ends.
    ///
    /// A grant that can't be opened does not fail here; attaching it does, with the reason.
    /// - Throws: the errno of starting the program, EIO when it ended at once.
    public static func spawn(executable: String, grants: [Grant], descriptorCapacity: Int = 2048) throws(Errno) -> GoferConnection {
        let pair = try MessageSocketPair()
        let arguments = GoferArguments(socket: 3, parent: HostProcess.id, grants: grants)
        let pid = try HostProcess.spawn(
            executable, arguments: arguments.words, environment: [], descriptors: [(source: pair.far.number, target: 3)])
        return try connect(pair, pid, descriptorCapacity)
    }

    private static func connect(_ pair: consuming MessageSocketPair, _ pid: Int32, _ capacity: Int) throws(Errno) -> GoferConnection {
        let near = pair.near.number
        do {
            // Our copy of the Gofer's end must go, or its death would not show.
            let socket = try HostFileCalls.duplicate(near)
            _ = consume pair
            return try GoferConnection(socket: socket, processID: pid, descriptorCapacity: capacity)
        } catch {
            HostConfinement.killAndReap(pid)
            throw error
        }
    }
}

/// A handle of the Gofer's, given back when the last user is done: nobody's request can lose the node it names.
final class NodeHandle: Sendable {
    let id: NodeID
    private let connection: GoferConnection
    init(_ id: NodeID, _ connection: GoferConnection) {
        self.id = id
        self.connection = connection
    }
    deinit { connection.release(id) }
}
