import GoferProtocol
import HostOS
import LinuxABI

/// Requests about several entries of a directory: the one that somebody waits for, and others that will probably be asked for next.
extension GoferServer {
    func openSeveral(_ request: OpenSeveralRequest) throws(Errno) -> OpenSeveralReply {
        let directory = try table.node(request.directory)
        var files: [OpenSeveralReply.File] = []
        // Only the first was asked for by the program: a rule that hides another stood in nobody's way.
        var refusalOfFirst: UInt16?
        for name in request.names {
            do {
                // Nobody waits for the others: they must not wait for a lease that somebody holds on the host.
                let flags: OpenFlags = files.isEmpty ? [] : .nonBlocking
                files.append(.init(try openForReading(try child(of: directory, name), flags, request.handles)))
            } catch {
                files.append(.init(error))
            }
            refusalOfFirst = refusalOfFirst ?? refusal
        }
        refusal = refusalOfFirst ?? 0
        return OpenSeveralReply(files: files)
    }

    private func openForReading(_ node: Node, _ flags: OpenFlags, _ handles: HandleWish) throws(Errno) -> NodeReply {
        switch node.type {
        case .regular: break
        case .directory: throw .EISDIR
        case .symbolicLink: throw .ELOOP
        default: throw .ENXIO
        }
        if node.isSealed { throw .EACCES }
        let opened = try reopen(node, flags)
        let reply = NodeReply(node: try handle(for: node, handles), status: node.status)
        donations.append(SharedHostDescriptor(opened))
        return reply
    }

    func attributeNames(_ request: AttributeNamesRequest) throws(Errno) -> AttributeNamesReply {
        let directory = try table.node(request.directory)
        try directory.requireDirectory()
        var lists: [[UInt8]?] = []
        var room = ProtocolLimits.maximumMessage - MessageHeader.size - 2
        let asked = refusal
        for name in request.names {
            let list = try? attributeNames(of: name, in: directory)
            let size = 5 + (list?.count ?? 0)
            if size > room { break }
            room -= size
            lists.append(list)
        }
        refusal = asked
        return AttributeNamesReply(lists: lists)
    }

    private func attributeNames(of name: [UInt8], in directory: Node) throws(Errno) -> [UInt8] {
        if directory.isSealed { throw .ENOENT }
        // A file may be hidden for what it is: it must be looked at first.
        if !hiddenPaths.files.isEmpty {
            let node = try child(of: directory, name)
            // The path means the file for as long as its descriptor is open.
            defer { withExtendedLifetime(node) {} }
            return try HostExtendedAttributes.list(path(of: node))
        }
        try requireVisible(name, in: directory)
        // One component below the directory's descriptor, which is not followed.
        return try HostExtendedAttributes.list(path(of: directory) + [0x2f] + name, follow: false)
    }
}
