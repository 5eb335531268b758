import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

extension GoferInode {
    /// A name that the protocol can carry.
    private func component(_ name: FileName) throws(Errno) -> [UInt8] {
        guard NameRule.isComponent(name.bytes) else { throw name.bytes.count > FileName.maximumLength ? .ENAMETOOLONG : .EINVAL }
        return name.bytes
    }

    private func adopt(_ reply: NodeReply) throws(Errno) -> GoferInode {
        let inode = try goferFileSystem.inode(reply)
        inode.state.withLock { $0.parentNumber = number }
        return inode
    }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        guard type == .directory else { throw .ENOTDIR }
        let reply = try connection.call(WalkRequest(node: handle.id, handles: .all, names: [try component(name)]))
        if reply.stopped == Errno.ENOENT.rawValue { return nil }
        if reply.stopped != 0 { throw Errno(rawValue: reply.stopped) }
        guard let found = reply.nodes.first, reply.nodes.count == 1 else { throw connection.fail("the Gofer's walk went astray") }
        return try adopt(found)
    }

    func revalidate(_ name: FileName, child: (any Inode)?) -> Bool {
        guard type == .directory, NameRule.isComponent(name.bytes) else { return false }
        do {
            let status = try connection.call(GetAttributesRequest(NodeTarget(handle.id, name.bytes)))
            guard let inode = child as? GoferInode, inode.key == GoferFileSystem.Key(status), inode.type == status.mode.type else { return false }
            inode.learned(status)
            return true
        } catch {
            return error == .ENOENT && child == nil
        }
    }

    func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        let bytes = try component(name)
        let attributes = NewNodeAttributes(permissions: request.permissions & 0o7777, uid: request.uid, gid: request.gid)
        let kind: MakeNodeRequest.Kind
        var link: [UInt8] = []
        changed()
        switch request.kind {
        case .regular:
            let (reply, file) = try connection.callForDescriptor(
                CreateRequest(directory: handle.id, name: bytes, attributes: attributes))
            return try adoptCreated(reply, file)
        case .directory: kind = .directory
        case .fifo: kind = .fifo
        case .symbolicLink(let target):
            guard !target.isEmpty, NameRule.isPlain(target) else { throw .ENOENT }
            guard target.count < ProtocolLimits.maximumLink else { throw .ENAMETOOLONG }
            kind = .symbolicLink
            link = target
        // Sockets and devices of the guest mean nothing to the host.
        case .socket, .device: throw .EPERM
        }
        return try adopt(
            try connection.call(
                MakeNodeRequest(directory: handle.id, name: bytes, kind: kind, attributes: attributes, link: link)))
    }

    private func adoptCreated(_ reply: NodeReply, _ file: SharedHostDescriptor) throws(Errno) -> GoferInode {
        let inode = try adopt(reply)
        inode.state.withLock {
            $0.created = file
            $0.writable = file
        }
        return inode
    }

    func temporaryFile(_ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        let attributes = NewNodeAttributes(permissions: request.permissions & 0o7777, uid: request.uid, gid: request.gid)
        let (reply, file) = try connection.callForDescriptor(TemporaryFileRequest(directory: handle.id, attributes: attributes))
        return try adoptCreated(reply, file)
    }

    func link(_ name: FileName, to target: any Inode, caller: any Caller) throws(Errno) {
        guard let target = target as? GoferInode else { throw .EXDEV }
        let bytes = try component(name)
        changed()
        target.changed()
        target.learned(try connection.call(LinkRequest(node: target.handle.id, directory: handle.id, name: bytes)))
    }

    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        let bytes = try component(name)
        changed()
        defer { (child as? GoferInode)?.changed() }
        _ = try connection.call(UnlinkRequest(directory: handle.id, name: bytes, isDirectory: false))
    }

    func removeDirectory(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        let bytes = try component(name)
        changed()
        defer { (child as? GoferInode)?.changed() }
        _ = try connection.call(UnlinkRequest(directory: handle.id, name: bytes, isDirectory: true))
    }

    func rename(
        _ name: FileName, child: any Inode, to newParent: any Inode, _ newName: FileName, replacing: (any Inode)?, exchange: Bool,
        caller: any Caller
    ) throws(Errno) {
        guard let newParent = newParent as? GoferInode else { throw .EXDEV }
        let request = RenameRequest(
            directory: handle.id, name: try component(name), newDirectory: newParent.handle.id, newName: try component(newName),
            flags: exchange ? RenameRequest.exchange : 0)
        changed()
        newParent.changed()
        defer {
            (replacing as? GoferInode)?.changed()
            (child as? GoferInode)?.changed()
        }
        _ = try connection.call(request)
        (child as? GoferInode)?.state.withLock { $0.parentNumber = newParent.number }
    }

    /// All entries now, with `.` and `..`.
    func entries() throws(Errno) -> [DirectoryEntry] {
        let above = state.withLock { $0.parentNumber } ?? number
        let directory = FileType.directory.directoryEntryType
        var result = [
            DirectoryEntry(name: [0x2e], inode: number, type: directory, nextPosition: 1),
            DirectoryEntry(name: [0x2e, 0x2e], inode: above, type: directory, nextPosition: 2),
        ]
        var stream = NodeID.none
        repeat {
            let reply = try connection.call(ListRequest(NodeTarget(handle.id), stream: stream, withAttributes: false))
            for entry in reply.entries {
                result.append(
                    DirectoryEntry(name: entry.name, inode: entry.inode, type: entry.type, nextPosition: Int64(result.count) + 1))
            }
            guard reply.stream == .none || !reply.entries.isEmpty else { throw connection.fail("the Gofer's directory has no end") }
            stream = reply.stream
        } while stream != .none
        return result
    }
}
