import GoferProtocol
import HostOS
import LinuxABI

/// Starting the Gofer.
public enum GoferProcess {
    /// A Gofer that was started and has not said hello yet: its start takes a while, in which other things can be done.
    public struct Starting: ~Copyable {
        private let pair: MessageSocketPair
        private let processID: Int32
        private let descriptorCapacity: Int

        fileprivate init(_ pair: consuming MessageSocketPair, _ processID: Int32, _ descriptorCapacity: Int) {
            self.pair = pair
            self.processID = processID
            self.descriptorCapacity = descriptorCapacity
        }

        /// Waits for the hello. - Throws: EIO when the Gofer ended at once.
        public consuming func connect() throws(Errno) -> GoferConnection {
            let pid = processID
            let capacity = descriptorCapacity
            do {
                // Our copy of the Gofer's end must go, or its death would not show.
                let socket = try HostFileCalls.duplicate(pair.near.number)
                _ = consume self
                return try GoferConnection(socket: socket, processID: pid, descriptorCapacity: capacity)
            } catch {
                HostConfinement.killAndReap(pid)
                throw error
            }
        }
    }

    /// Starts `executable` with `grants`, whose indices name them from now on. Call it from the thread that lives as long as the Sentry: the
    /// Gofer is killed when that thread ends.
    ///
    /// A grant that can't be opened does not fail here; attaching it does, with the reason.
    /// - Throws: the errno of starting the program.
    public static func start(executable: String, grants: [Grant], hides: [HideRule] = [], descriptorCapacity: Int = 1024) throws(Errno) -> Starting {
        let pair = try MessageSocketPair()
        let arguments = GoferArguments(socket: 3, parent: HostProcess.id, grants: grants, hides: hides)
        let pid = try HostProcess.spawn(
            executable, arguments: arguments.words, environment: [], descriptors: [(source: pair.far.number, target: 3)])
        return Starting(pair, pid, descriptorCapacity)
    }
}

/// A handle of the Gofer's, given back when the last user is done: nobody's request can lose the node it names.
final class NodeHandle: Sendable {
    let id: NodeID
    private let connection: GoferConnection
    init(_ id: NodeID, _ connection: GoferConnection) {
        self.id = id
        self.connection = connection
        connection.handles.taken()
    }
    deinit {
        connection.handles.returned()
        connection.release(id)
    }
}
