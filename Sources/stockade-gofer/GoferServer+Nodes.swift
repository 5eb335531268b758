import GoferProtocol
import HostOS
import LinuxABI

extension GoferServer {
    /// How a single component resolves: no link is followed, nothing outside the directory is reached.
    static let componentRules: ResolveFlags = [.beneath, .noMagicLinks, .noSymbolicLinks]

    /// The entry `name` of a directory node, held by an O_PATH descriptor. Opening with O_PATH has no effect on what is there, so that
    /// devices, FIFOs and sockets can be looked at but are never opened.
    func child(of directory: Node, _ name: [UInt8]) throws(Errno) -> Node {
        try directory.requireDirectory()
        if directory.isSealed { throw .ENOENT }
        try requireVisible(name, in: directory)
        let descriptor = try openComponent(name, in: directory, [.path, .noFollow])
        let status = try HostFileStatus(of: descriptor.number)
        guard status.mode.type != nil else { throw .EIO }
        let hiding = hiddenPaths.rule(for: status)
        if let hiding, hiding.kind != .sealed { throw refuse(hiding) }
        var isSealed = directory.rule(hiding: name)?.kind == .sealed || hiding != nil
        if !isSealed && status.device != directory.status.device { isSealed = try KernelFileSystems.contains(descriptor.number) }
        return Node(
            descriptor, status: status, isWritable: directory.isWritable, isSealed: isSealed, hidden: directory.rules(below: name))
    }

    func openComponent(_ name: [UInt8], in directory: Node, _ flags: OpenFlags, mode: UInt16 = 0) throws(Errno) -> HostDescriptor {
        // openat2 gives EAGAIN when a rename or mount elsewhere made the walk unsafe to judge.
        for _ in 0..<64 {
            do {
                return try HostNames.open(name, in: directory.number, flags, mode: mode, resolve: Self.componentRules)
            } catch {
                if error == .EAGAIN { continue }
                // A host without openat2: one component with O_NOFOLLOW follows nothing either.
                if error == .ENOSYS { return try HostNames.openTrusted(name, in: directory.number, flags.union(.noFollow), mode: mode) }
                throw error
            }
        }
        throw .EAGAIN
    }

    func resolve(_ target: NodeTarget) throws(Errno) -> Node {
        let node = try table.node(target.node)
        return target.name.isEmpty ? node : try child(of: node, target.name)
    }

    /// A fresh descriptor for a node: a different open file of the same inode.
    func reopen(_ node: Node, _ flags: OpenFlags) throws(Errno) -> HostDescriptor {
        try HostNames.openTrusted(Array("\(node.number)".utf8), in: descriptors.number, flags.union(.noControllingTerminal))
    }

    /// The path that names a node's inode for calls that take no descriptor.
    func path(of node: Node) -> [UInt8] { Array("/proc/self/fd/\(node.number)".utf8) }

    func handle(for node: Node, _ wish: HandleWish) throws(Errno) -> NodeID {
        switch wish {
        case .none: .none
        case .directories: node.type == .directory ? try table.add(node) : .none
        case .all: try table.add(node)
        }
    }

    // MARK: requests

    func attach(_ request: AttachRequest) throws(Errno) -> NodeReply {
        guard Int(request.grant) < grants.count else { throw .EINVAL }
        switch grants[Int(request.grant)] {
        case .failed(let error): throw error
        case .open(let node):
            // A node of its own: its watch ends with its handle.
            let root = node.another()
            let watch = request.watches ? watch(root) : 0
            return NodeReply(node: try table.add(root), status: try HostFileStatus(of: node.number), watch: watch)
        }
    }

    func walk(_ request: WalkRequest) throws(Errno) -> WalkReply {
        var current = try table.node(request.node)
        var reply = WalkReply(stopped: 0, nodes: [])
        for name in request.names {
            do {
                let next = try child(of: current, name)
                let id = try handle(for: next, request.handles)
                var found = NodeReply(node: id, status: next.status)
                if request.watches, id != .none, next.type == .directory {
                    found.watch = watch(next)
                    // What is told must be as young as the watch.
                    if found.watch != 0 { found.status = try HostFileStatus(of: next.number) }
                }
                reply.nodes.append(found)
                if next.type == .symbolicLink {
                    reply.link = (try? HostNames.readLink([], in: next.number)) ?? []
                    break
                }
                current = next
            } catch {
                reply.stopped = error.rawValue
                break
            }
        }
        return reply
    }

    func close(_ request: CloseRequest) throws(Errno) -> Empty {
        for node in request.nodes { table.close(node) }
        return Empty()
    }

    func getAttributes(_ request: GetAttributesRequest) throws(Errno) -> HostFileStatus {
        let node = try resolve(request.target)
        return request.target.name.isEmpty ? try HostFileStatus(of: node.number) : node.status
    }

    func open(_ request: OpenFileRequest) throws(Errno) -> NodeReply {
        let node = try resolve(request.target)
        switch node.type {
        case .regular: break
        case .directory: throw .EISDIR
        case .symbolicLink: throw .ELOOP
        default: throw .ENXIO
        }
        if request.access != .read {
            try node.requireWritable()
            try requireNoPrivileges(node)
        }
        if node.isSealed { throw .EACCES }
        let opened = try reopen(node, request.access.flags)
        // A node found by name was looked at just now, and this is the same file.
        let status = request.target.name.isEmpty ? try HostFileStatus(of: opened.number) : node.status
        let reply = NodeReply(node: try handle(for: node, request.handles), status: status)
        donations = [SharedHostDescriptor(opened)]
        return reply
    }

    // MARK: changes

    func changeQueue(_ request: ChangeQueueRequest) throws(Errno) -> Empty {
        if watcher != nil { throw .EBUSY }
        let fresh = try ChangeWatcher()
        donations = [SharedHostDescriptor(try HostFileCalls.duplicate(fresh.queue.number))]
        watcher = fresh
        return Empty()
    }

    /// Watches a directory node for as long as it has a handle; 0 where the host can't, and the client asks each time.
    func watch(_ node: Node) -> Int32 {
        guard let watcher, !node.isSealed else { return 0 }
        return watcher.watch(node, path(of: node))
    }

    func inspect(_ request: InspectRequest) throws(Errno) -> NodeReply {
        let node = try resolve(request.target)
        // A directory's descriptor would name what lies in it.
        if node.type == .directory { throw .EISDIR }
        let status = try HostFileStatus(of: node.number)
        let id = try handle(for: node, request.handles)
        donations = [SharedHostDescriptor(try HostFileCalls.duplicate(node.number))]
        return NodeReply(node: id, status: status)
    }

    func readLink(_ request: ReadLinkRequest) throws(Errno) -> ByteString {
        let node = try resolve(request.target)
        if node.type != .symbolicLink { throw .EINVAL }
        return ByteString(try HostNames.readLink([], in: node.number))
    }

    /// Encodes entries up to the size of a message.
    func list(_ request: ListRequest) throws(Errno) -> [UInt8] {
        let stream: DirectoryStream
        var directory = NodeID.none
        if request.stream == .none {
            let node = try resolve(request.target)
            try node.requireDirectory()
            if node.isSealed { return ListReply(stream: .none, node: try handle(for: node, request.handles), entries: []).encoded() }
            stream = DirectoryStream(try reopen(node, [.directory]), of: node, hiddenPaths)
            directory = try handle(for: node, request.handles)
        } else {
            stream = try table.takeStream(request.stream)
        }
        let capacity = ProtocolLimits.maximumMessage - MessageHeader.size
        var writer = ByteWriter(reserving: 8192)
        writer.put(NodeID.none)
        writer.put(directory)
        writer.put(stream.isFiltered)
        writer.put(UInt32(0))
        var count: UInt32 = 0
        while let entry = try stream.next(attributes: request.attributes, &hiddenPaths) {
            if writer.bytes.count + ListedEntry.maximumSize > capacity {
                stream.pushBack(entry)
                let id: NodeID
                if request.stream == .none {
                    id = try table.add(stream)
                } else {
                    id = request.stream
                    table.putBack(stream, id)
                }
                writer.patch(at: 0, UInt32(truncatingIfNeeded: id.rawValue))
                writer.patch(at: 4, UInt32(truncatingIfNeeded: id.rawValue >> 32))
                break
            }
            writer.put(entry)
            count += 1
        }
        writer.patch(at: 17, count)
        return writer.bytes
    }

    func fileSystemStatus(_ request: FileSystemStatusRequest) throws(Errno) -> HostFileSystemStatus {
        try HostFileSystemStatus(of: try table.node(request.node).number)
    }

    func synchronize(_ request: SynchronizeRequest) throws(Errno) -> Empty {
        let node = try table.node(request.node)
        guard node.type == .regular || node.type == .directory, !node.isSealed else { throw .EINVAL }
        let opened = try reopen(node, [])
        switch request.extent {
        case .file: try HostFileCalls.synchronize(opened.number, dataOnly: false)
        case .data: try HostFileCalls.synchronize(opened.number, dataOnly: true)
        case .fileSystem: try HostFileCalls.synchronizeFileSystem(opened.number)
        }
        return Empty()
    }
}
