import GoferProtocol
import HostOS
import LinuxABI

/// Nodes and directory streams by handle. Handles only ever increase, so a closed one never means something else.
struct NodeTable {
    private var nodes: [NodeID: Node] = [:]
    private var streams: [NodeID: DirectoryStream] = [:]
    private var last: UInt64 = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    /// - Throws: ENFILE at the limit.
    mutating func add(_ node: Node) throws(Errno) -> NodeID {
        let id = try nextID()
        nodes[id] = node
        return id
    }
    mutating func add(_ stream: DirectoryStream) throws(Errno) -> NodeID {
        let id = try nextID()
        streams[id] = stream
        return id
    }
    private mutating func nextID() throws(Errno) -> NodeID {
        guard nodes.count + streams.count < limit else { throw .ENFILE }
        last += 1
        return NodeID(rawValue: last)
    }
    /// - Throws: EBADF.
    func node(_ id: NodeID) throws(Errno) -> Node {
        guard let node = nodes[id] else { throw .EBADF }
        return node
    }
    /// Takes the stream out; whoever continues it puts it back.
    mutating func takeStream(_ id: NodeID) throws(Errno) -> DirectoryStream {
        guard let stream = streams.removeValue(forKey: id) else { throw .EBADF }
        return stream
    }
    mutating func putBack(_ stream: DirectoryStream, _ id: NodeID) { streams[id] = stream }
    mutating func close(_ id: NodeID) {
        nodes[id] = nil
        streams[id] = nil
    }
}
