import GoferProtocol
import HostOS
import LinuxABI

/// Requests about several entries of a directory.
extension GoferConnection {
    typealias OpenedFile = (node: NodeReply, file: SharedHostDescriptor)

    /// Opens files of a directory for reading: for each name the file, or why it could not be opened. nil when there is no room for so many
    /// descriptors: one may fit.
    func openSeveral(_ request: OpenSeveralRequest) throws(Errno) -> [Result<OpenedFile, Errno>]? {
        let (reply, files): (OpenSeveralReply, [SharedHostDescriptor])
        do {
            (reply, files) = try callForDescriptors(request)
        } catch {
            if error == .EMFILE { return nil }
            throw error
        }
        guard reply.files.count == request.names.count else { throw fail("the Gofer opened other files than asked") }
        // As many came as could be opened: the connection has counted them.
        var rest = files[...]
        return reply.files.map { outcome in
            guard outcome.error == nil, let file = rest.popFirst() else { return .failure(outcome.error ?? .EIO) }
            return .success((outcome.node, file))
        }
    }

    /// Asks for the attributes of several entries of a directory, by their places, and keeps the answers.
    func fetchAttributeNames(_ directory: NodeID, _ names: [[UInt8]], at places: [Int], into ahead: AttributeNamesAhead) throws(Errno) {
        let reply = try call(AttributeNamesRequest(directory: directory, names: names))
        guard reply.lists.count <= places.count else { throw fail("the Gofer listed attributes nobody asked for") }
        if !reply.lists.contains(where: { $0 != nil }) { ahead.giveUp() }
        for (place, list) in zip(places, reply.lists) {
            if let list { ahead.keep(Self.attributeNames(list), at: place) }
        }
    }

    /// The names in a list where each is followed by a NUL.
    static func attributeNames(_ list: [UInt8]) -> [[UInt8]] { list.isEmpty ? [] : list.split(separator: 0).map { Array($0) } }
}
