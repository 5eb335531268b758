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

    /// The file that was found or made as `name` in here.
    private func adopt(_ reply: NodeReply, _ name: [UInt8]) throws(Errno) -> GoferInode {
        let inode = try goferFileSystem.inode(reply)
        inode.found(in: self, name)
        return inode
    }

    /// This file is the entry `name` of `directory`.
    func found(in directory: GoferInode, _ name: [UInt8]) {
        let old = state.withLock { s -> Origin? in
            s.parentNumber = directory.number
            guard type != .directory else { return nil }
            defer { s.origin = Origin(directory: directory, name: name) }
            return s.origin
        }
        // Its directory may go with it, which takes other locks.
        _ = consume old
    }

    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? {
        guard type == .directory else { throw .ENOTDIR }
        let bytes = try component(name)
        let hash = NameHash.of(bytes)
        let since = nameChanges
        if let answer = try lookupAhead(bytes, hash, since) { return answer.inode }
        let reply = try connection.call(WalkRequest(node: try handle().id, handles: .all, watches: true, names: [bytes]))
        if reply.stopped == Errno.ENOENT.rawValue {
            learnName(hash, nil, since: since)
            return nil
        }
        if reply.stopped != 0 { throw Errno(rawValue: reply.stopped) }
        guard let found = reply.nodes.first, reply.nodes.count == 1 else { throw connection.fail("the Gofer's walk went astray") }
        let inode = try adopt(found, bytes)
        if inode.type == .symbolicLink, !reply.link.isEmpty { inode.state.withLock { $0.linkTarget = reply.link } }
        learnName(hash, inode.key, since: since)
        return inode
    }

    private struct Found {
        var inode: GoferInode?
    }

    /// What reading ahead found, or finds now; nil: it does not know.
    private func lookupAhead(_ name: [UInt8], _ hash: UInt64, _ since: UInt64) throws(Errno) -> Found? {
        var answer = answerAhead(name, hash)
        if case .unknown = answer, readAheadIfDue() { answer = answerAhead(name, hash) }
        switch answer {
        case .unknown: return nil
        case .absent:
            learnName(hash, nil, since: since)
            return Found(inode: nil)
        case .entry(let status, let link):
            let inode = goferFileSystem.inode(status, origin: Origin(directory: self, name: name))
            inode.state.withLock {
                $0.parentNumber = number
                if !link.isEmpty { $0.linkTarget = link }
            }
            learnName(hash, inode.key, since: since)
            return Found(inode: inode)
        }
    }

    func revalidate(_ name: FileName, child: (any Inode)?) -> Bool {
        guard type == .directory, NameRule.isComponent(name.bytes) else { return false }
        let hash = NameHash.of(name.bytes)
        let since = nameChanges
        do {
            let status = try connection.call(GetAttributesRequest(NodeTarget(try handle().id, name.bytes)))
            let key = GoferFileSystem.Key(status)
            guard let inode = child as? GoferInode, inode.key == key, inode.type == status.mode.type else { return false }
            inode.learned(status)
            learnName(hash, key, since: since)
            return true
        } catch {
            guard error == .ENOENT && child == nil else { return false }
            learnName(hash, nil, since: since)
            return true
        }
    }

    func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        let bytes = try component(name)
        let attributes = try newAttributes(request)
        let kind: MakeNodeRequest.Kind
        var link: [UInt8] = []
        let hash = NameHash.of(bytes)
        let since = nameChanges
        changed()
        switch request.kind {
        case .regular:
            let directory = try handle().id
            let inode = try changing(.create(hash)) { () throws(Errno) in
                let (reply, file) = try connection.callForDescriptor(CreateRequest(directory: directory, name: bytes, attributes: attributes))
                return try adoptCreated(reply, file, bytes)
            }
            learnName(hash, inode.key, since: since)
            return inode
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
        let message = MakeNodeRequest(
            directory: try handle().id, name: bytes, kind: kind, attributes: attributes, link: link, watches: true)
        let inode = try changing(.create(hash)) { () throws(Errno) in try adopt(try connection.call(message), bytes) }
        // Its first look-up lists it: from then on absent names are known.
        if kind == .directory { inode.names.withLock { $0.misses = Int.max / 2 } }
        learnName(hash, inode.key, since: since)
        return inode
    }

    private func newAttributes(_ request: NodeRequest) throws(Errno) -> NewNodeAttributes {
        let owners = try connection.ownersOutside(request.uid, request.gid)
        return NewNodeAttributes(permissions: request.permissions & 0o7777, uid: owners.user, gid: owners.group)
    }

    private func adoptCreated(_ reply: NodeReply, _ file: SharedHostDescriptor, _ name: [UInt8]?) throws(Errno) -> GoferInode {
        let inode = try goferFileSystem.inode(reply)
        if let name { inode.found(in: self, name) } else { inode.state.withLock { $0.parentNumber = number } }
        inode.state.withLock {
            $0.created = file
            $0.writable = file
        }
        return inode
    }

    func temporaryFile(_ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        let attributes = try newAttributes(request)
        let (reply, file) = try connection.callForDescriptor(TemporaryFileRequest(directory: try handle().id, attributes: attributes))
        return try adoptCreated(reply, file, nil)
    }

    func link(_ name: FileName, to target: any Inode, caller: any Caller) throws(Errno) {
        guard let target = target as? GoferInode else { throw .EXDEV }
        let bytes = try component(name)
        changed()
        target.changed()
        let hash = NameHash.of(bytes)
        let since = nameChanges
        let request = LinkRequest(node: try target.handle().id, directory: try handle().id, name: bytes)
        target.learned(try changing(.create(hash)) { () throws(Errno) in try connection.call(request) })
        target.changed()
        learnName(hash, target.key, since: since)
    }

    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        let bytes = try component(name)
        try remove(bytes, child, isDirectory: false)
    }

    private func remove(_ name: [UInt8], _ child: any Inode, isDirectory: Bool) throws(Errno) {
        let hash = NameHash.of(name)
        let since = nameChanges
        changed()
        defer { (child as? GoferInode)?.changed() }
        let request = UnlinkRequest(directory: try handle().id, name: name, isDirectory: isDirectory)
        names.withLock { $0.forgetName(hash) }
        _ = try changing(.delete(hash)) { () throws(Errno) in try connection.call(request) }
        learnName(hash, nil, since: since)
    }

    func removeDirectory(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        let bytes = try component(name)
        try remove(bytes, child, isDirectory: true)
    }

    func rename(
        _ name: FileName, child: any Inode, to newParent: any Inode, _ newName: FileName, replacing: (any Inode)?, exchange: Bool,
        caller: any Caller
    ) throws(Errno) {
        guard let newParent = newParent as? GoferInode else { throw .EXDEV }
        let request = RenameRequest(
            directory: try handle().id, name: try component(name), newDirectory: try newParent.handle().id, newName: try component(newName),
            flags: exchange ? RenameRequest.exchange : 0)
        changed()
        newParent.changed()
        defer {
            (replacing as? GoferInode)?.changed()
            (child as? GoferInode)?.changed()
        }
        // A file that has no handle is named by its directory, which is about to change.
        if let child = child as? GoferInode { _ = try child.handle() }
        if let replacing = replacing as? GoferInode { _ = try replacing.handle() }
        let (oldHash, newHash) = (NameHash.of(name.bytes), NameHash.of(newName.bytes))
        let (since, newSince) = (nameChanges, newParent.nameChanges)
        // Whatever comes of it, the old meanings are not to be relied on.
        names.withLock { $0.forgetName(oldHash) }
        newParent.names.withLock { $0.forgetName(newHash) }
        if exchange {
            // Its events take away what is known of both names.
            _ = try connection.call(request)
            synchronizeNames()
            (replacing as? GoferInode)?.found(in: self, name.bytes)
        } else {
            _ = try changing(.moveFrom(oldHash)) { () throws(Errno) in
                try newParent.changing(.moveTo(newHash)) { () throws(Errno) in try connection.call(request) }
            }
            learnName(oldHash, nil, since: since)
            if let child = child as? GoferInode { newParent.learnName(newHash, child.key, since: newSince) }
        }
        (child as? GoferInode)?.found(in: newParent, newName.bytes)
    }

    /// All entries now, with `.` and `..`.
    func entries() throws(Errno) -> [DirectoryEntry] {
        let above = state.withLock { $0.parentNumber } ?? number
        let directory = FileType.directory.directoryEntryType
        var result = [
            DirectoryEntry(name: [0x2e], inode: number, type: directory, nextPosition: 1),
            DirectoryEntry(name: [0x2e, 0x2e], inode: above, type: directory, nextPosition: 2),
        ]
        // Of a watched directory more is kept than the names.
        let (start, since) = (MonotonicInstant.now, names.withLock { $0.watch == 0 ? nil : $0.entryChanges })
        let listed = try listing(since == nil ? .none : .directories)
        for entry in listed.entries {
            result.append(DirectoryEntry(name: entry.name, inode: entry.inode, type: entry.type, nextPosition: Int64(result.count) + 1))
        }
        if let since { _ = keepAhead(listed, since: since, from: start, replacing: false) }
        return result
    }
}
