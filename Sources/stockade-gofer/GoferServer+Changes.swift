import GoferProtocol
import HostOS
import LinuxABI

/// Requests that change the host. Each demands a read-write grant on every node it touches.
extension GoferServer {
    private func writableDirectory(_ id: NodeID) throws(Errno) -> Node {
        let node = try table.node(id)
        try node.requireDirectory()
        try node.requireWritable()
        return node
    }

    private static let setIDBits: UInt16 = 0o6000

    /// What runs with other rights than its user's on the host must not hold what a guest wrote: the host takes set-ID bits and capabilities
    /// away when a file is written to, but not when it is changed through a mapping.
    /// - Throws: EPERM.
    func requireNoPrivileges(_ node: Node) throws(Errno) {
        if try HostFileStatus(of: node.number).mode.permissions & Self.setIDBits != 0 { throw .EPERM }
        if (try? HostExtendedAttributes.get(path(of: node), Array("security.capability".utf8))) != nil { throw .EPERM }
    }

    /// Set-ID bits of files would mean something to the host. - Throws: EPERM.
    private func requireNoSetID(_ permissions: UInt16, besides present: UInt16 = 0) throws(Errno) {
        if permissions & Self.setIDBits & ~present != 0 { throw .EPERM }
    }

    func create(_ request: CreateRequest) throws(Errno) -> NodeReply {
        let directory = try writableDirectory(request.directory)
        try requireNoSetID(request.attributes.permissions)
        try requireChangeable(request.name, in: directory)
        let opened = try openComponent(
            request.name, in: directory, [.readWrite, .create, .exclusive, .noFollow], mode: request.attributes.permissions)
        return try adopt(opened, in: directory, request.attributes)
    }

    func temporaryFile(_ request: TemporaryFileRequest) throws(Errno) -> NodeReply {
        let directory = try writableDirectory(request.directory)
        try requireNoSetID(request.attributes.permissions)
        let opened = try openComponent(
            [0x2e], in: directory, [.readWrite, .temporaryFileBit, .directory], mode: request.attributes.permissions)
        return try adopt(opened, in: directory, request.attributes)
    }

    /// Makes a node of a file just created, and donates its descriptor.
    private func adopt(_ opened: consuming HostDescriptor, in directory: Node, _ attributes: NewNodeAttributes) throws(Errno) -> NodeReply {
        let anchor = try HostNames.openTrusted(Array("\(opened.number)".utf8), in: descriptors.number, [.path])
        let node = Node(
            anchor, status: try HostFileStatus(of: opened.number), isWritable: directory.isWritable, isSealed: false)
        let changed = try applyOwner(attributes, to: node)
        let reply = NodeReply(node: try table.add(node), status: changed ? try HostFileStatus(of: opened.number) : node.status)
        donations = [SharedHostDescriptor(opened)]
        return reply
    }

    func makeNode(_ request: MakeNodeRequest) throws(Errno) -> NodeReply {
        let directory = try writableDirectory(request.directory)
        try requireChangeable(request.name, in: directory)
        let permissions = request.attributes.permissions
        switch request.kind {
        case .directory: try HostNames.makeDirectory(request.name, in: directory.number, mode: permissions)
        case .fifo: try HostNames.makeFIFO(request.name, in: directory.number, mode: permissions)
        case .symbolicLink: try HostNames.makeSymbolicLink(request.name, in: directory.number, target: request.link)
        }
        let node = try child(of: directory, request.name)
        // Somebody outside may have put something else there meanwhile; its owner is not ours to change.
        let expected: FileType
        switch request.kind {
        case .directory: expected = .directory
        case .fifo: expected = .fifo
        case .symbolicLink: expected = .symbolicLink
        }
        guard node.type == expected else { throw .EEXIST }
        _ = try applyOwner(request.attributes, to: node)
        let id = try table.add(node)
        let watch = request.watches && node.type == .directory ? watch(node) : 0
        return NodeReply(node: id, status: try HostFileStatus(of: node.number), watch: watch)
    }

    /// Gives a new node the owner that the guest's credentials ask for, where the invoking user may do that; else it stays the
    /// user's own. Returns whether its status may have changed.
    private func applyOwner(_ attributes: NewNodeAttributes, to node: Node) throws(Errno) -> Bool {
        let status = node.status
        guard status.uid != attributes.uid || status.gid != attributes.gid else { return false }
        do {
            try HostNames.changeOwner([], in: node.number, uid: attributes.uid, gid: attributes.gid, flags: HostAt.emptyPath)
            // chown(2) clears the set-ID bits.
            if node.type != .symbolicLink, attributes.permissions & 0o6000 != 0 {
                try HostNames.changeMode(Array("\(node.number)".utf8), in: descriptors.number, mode: attributes.permissions)
            }
        } catch {
            if error != .EPERM && error != .EINVAL { throw error }
        }
        return true
    }

    func link(_ request: LinkRequest) throws(Errno) -> HostFileStatus {
        let node = try table.node(request.node)
        try node.requireWritable()
        let directory = try writableDirectory(request.directory)
        if node.type == .directory { throw .EPERM }
        try requireChangeable(request.name, in: directory)
        // Through /proc/self/fd: linkat with AT_EMPTY_PATH needs a capability.
        try HostNames.link(
            Array("\(node.number)".utf8), in: descriptors.number, to: request.name, in: directory.number, flags: HostAt.follow)
        return try HostFileStatus(of: node.number)
    }

    /// By the file itself, which may have come here under another name.
    private func requireNotHidden(_ name: [UInt8], in directory: Node) throws(Errno) {
        guard !hiddenPaths.files.isEmpty, let status = try? HostFileStatus(of: name, in: directory.number) else { return }
        guard let rule = hiddenPaths.rule(for: status) else { return }
        _ = refuse(rule)
        throw rule.kind == .absent ? .ENOENT : .EACCES
    }

    func unlink(_ request: UnlinkRequest) throws(Errno) -> Empty {
        let directory = try writableDirectory(request.directory)
        try requireVisible(request.name, in: directory)
        try requireChangeable(request.name, in: directory)
        try requireNotHidden(request.name, in: directory)
        try HostNames.unlink(request.name, in: directory.number, isDirectory: request.isDirectory)
        return Empty()
    }

    func rename(_ request: RenameRequest) throws(Errno) -> Empty {
        let from = try writableDirectory(request.directory)
        let to = try writableDirectory(request.newDirectory)
        try requireVisible(request.name, in: from)
        for (name, directory) in [(request.name, from), (request.newName, to)] {
            try requireChangeable(name, in: directory)
            try requireNotHidden(name, in: directory)
        }
        try HostNames.rename(request.name, in: from.number, to: request.newName, in: to.number, flags: request.flags)
        return Empty()
    }

    func setAttributes(_ request: SetAttributesRequest) throws(Errno) -> HostFileStatus {
        let node = try table.node(request.node)
        try node.requireWritable()
        let name = Array("\(node.number)".utf8)
        if let size = request.size {
            guard node.type == .regular else { throw node.type == .directory ? .EISDIR : .EINVAL }
            try requireNoPrivileges(node)
            try HostNames.truncate(path(of: node), to: Int64(truncatingIfNeeded: size))
        }
        if request.uid != nil || request.gid != nil {
            try HostNames.changeOwner(
                [], in: node.number, uid: request.uid ?? .max, gid: request.gid ?? .max, flags: HostAt.emptyPath)
        }
        if let permissions = request.permissions {
            if node.type == .symbolicLink { throw .EOPNOTSUPP }
            if node.type != .directory { try requireNoSetID(permissions, besides: try HostFileStatus(of: node.number).mode.permissions) }
            try HostNames.changeMode(name, in: descriptors.number, mode: permissions)
        }
        if request.accessTime != .omit || request.modificationTime != .omit {
            do {
                try HostNames.changeTimes(
                    [], in: node.number, access: request.accessTime, modification: request.modificationTime, flags: HostAt.emptyPath)
            } catch {
                // AT_EMPTY_PATH came with Linux 5.8.
                guard error == .EINVAL || error == .ENOENT else { throw error }
                try HostNames.changeTimes(
                    name, in: descriptors.number, access: request.accessTime, modification: request.modificationTime, flags: 0)
            }
        }
        return try HostFileStatus(of: node.number)
    }

    // MARK: extended attributes

    func getExtendedAttribute(_ request: GetExtendedAttributeRequest) throws(Errno) -> ByteString {
        let node = try resolve(request.target)
        return ByteString(try HostExtendedAttributes.get(path(of: node), request.name))
    }

    func listExtendedAttributes(_ request: ListExtendedAttributesRequest) throws(Errno) -> ByteString {
        let node = try resolve(request.target)
        return ByteString(try HostExtendedAttributes.list(path(of: node)))
    }

    /// Attributes outside `user.` mean something to the host: file capabilities, access lists, labels. The guest sets none of them.
    /// - Throws: EOPNOTSUPP for access lists, as of a file system without them, so that programs make do with modes; else EPERM.
    private func requireUserAttribute(_ name: [UInt8]) throws(Errno) {
        if name.starts(with: Array("system.".utf8)) { throw .EOPNOTSUPP }
        if !name.starts(with: Array("user.".utf8)) { throw .EPERM }
    }

    func setExtendedAttribute(_ request: SetExtendedAttributeRequest) throws(Errno) -> Empty {
        let node = try table.node(request.node)
        try node.requireWritable()
        try requireUserAttribute(request.name)
        try HostExtendedAttributes.set(path(of: node), request.name, request.value, flags: Int32(truncatingIfNeeded: request.flags))
        return Empty()
    }

    func removeExtendedAttribute(_ request: RemoveExtendedAttributeRequest) throws(Errno) -> Empty {
        let node = try table.node(request.node)
        try node.requireWritable()
        try requireUserAttribute(request.name)
        try HostExtendedAttributes.remove(path(of: node), request.name)
        return Empty()
    }
}
