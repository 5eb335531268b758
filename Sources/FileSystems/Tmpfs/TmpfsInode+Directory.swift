import LinuxABI
import Synchronization
import VirtualFileSystem

/// Looking up, making and removing names.
extension TmpfsInode {
    func lookup(_ name: FileName, caller: any Caller) throws(Errno) -> (any Inode)? { try child(name) }

    /// The node called `name`; nil when there is none.
    func child(_ name: FileName) throws(Errno) -> TmpfsInode? {
        guard let directory else { throw .ENOTDIR }
        enum Found: Sendable {
            case node(TmpfsInode)
            case nothing
            case askLower
        }
        let found: Found = directory.state.withLock { s in
            switch s.children[name]?.content {
            case .node(let node): .node(node)
            case .whiteout: .nothing
            case .lower(let weak, _, _): if let node = weak.node { .node(node) } else { .askLower }
            case nil: s.isComplete ? .nothing : .askLower
            }
        }
        switch found {
        case .node(let node): return node
        case .nothing: return nil
        case .askLower:
            guard let lower = try directory.lower?.lookup(name) else { return nil }
            return adopt(try makeNode(over: lower), name, directory)
        }
    }

    /// The node that shows `lower`, below this directory.
    private func makeNode(over lower: any LowerNode) throws(Errno) -> TmpfsInode {
        let a = try lower.attributes()
        let content: Content
        var identity: TmpfsCore.HostIdentity?
        switch lower.type {
        case .directory: content = .directory(TmpfsDirectory(lower: lower, device: a.device, parentNumber: number))
        case .symbolicLink: content = .symbolicLink(try lower.readLink())
        case .regular:
            content = .regular(
                TmpfsData(
                    core: core, inodeNumber: core.number(forHost: a.inode, device: a.device), size: a.size, lower: lower,
                    lowerBlocks: a.blocks))
        default: content = .special
        }
        if lower.type != .directory && a.linkCount > 1 { identity = .init(device: a.device, inode: a.inode) }
        guard let identity else {
            return TmpfsInode(core: core, lower: lower, attributes: a, content: content, identity: nil, isPinned: false)
        }
        return core.node(for: identity) {
            TmpfsInode(core: core, lower: lower, attributes: a, content: content, identity: identity, isPinned: false)
        }
    }

    /// Enters `node`, found in the lower directory, under `name`, unless the name came to mean something else meanwhile.
    private func adopt(_ node: TmpfsInode, _ name: FileName, _ directory: TmpfsDirectory) -> TmpfsInode? {
        enum Outcome: Sendable {
            case entered
            case found(TmpfsInode?)
        }
        let outcome: Outcome = directory.state.withLock { s in
            switch s.children[name]?.content {
            case .node(let other): return .found(other)
            case .whiteout: return .found(nil)
            case .lower(let weak, _, _):
                if let other = weak.node { return .found(other) }
            case nil: break
            }
            let weak = TmpfsDirectory.WeakNode(node: node)
            s.set(name, .lower(weak, number: node.number, type: node.type), shadowsLower: true)
            return .entered
        }
        if case .found(let other) = outcome { return other }
        if !node.addOrigin(self, name) {
            // It was changed under another of its names.
            directory.hold(node, name)
            pin()
        }
        return node
    }

    func create(_ name: FileName, _ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode { try add(name, request) }

    /// Makes a node under a name that is free. - Throws: ENOTDIR, ENOENT, EEXIST, ENOSPC.
    func add(_ name: FileName, _ request: NodeRequest) throws(Errno) -> TmpfsInode {
        guard let directory else { throw .ENOTDIR }
        try checkAlive()
        let node = try makeNode(request, parentNumber: number)
        try insert(node, name, directory)
        return node
    }

    /// A node of the upper layer, not yet in any directory.
    func makeNode(_ request: NodeRequest, parentNumber: UInt64) throws(Errno) -> TmpfsInode {
        try core.chargeInode()
        let content: Content
        let type: FileType
        var device = DeviceNumber(major: 0, minor: 0)
        let number = core.newNumber()
        var permissions = request.permissions
        switch request.kind {
        case .regular: (type, content) = (.regular, .regular(TmpfsData(core: core, inodeNumber: number)))
        case .directory: (type, content) = (.directory, .directory(TmpfsDirectory(parentNumber: parentNumber)))
        case .symbolicLink(let target):
            (type, content) = (.symbolicLink, .symbolicLink(target))
            permissions = 0o777
        case .fifo: (type, content) = (.fifo, .special)
        case .socket: (type, content) = (.socket, .special)
        case .device(let kind, let number):
            (type, content) = (kind, .special)
            device = number
        }
        return TmpfsInode(
            core: core, number: number, content: content, mode: FileMode(type, permissions), uid: request.uid, gid: request.gid,
            specialDevice: device)
    }

    /// - Throws: ENOENT in a directory that was removed.
    func checkAlive() throws(Errno) {
        if state.withLock({ $0.linkCount == 0 }) { throw .ENOENT }
    }

    /// Puts a node under a new name here, and counts it.
    private func insert(_ node: TmpfsInode, _ name: FileName, _ directory: TmpfsDirectory) throws(Errno) {
        pin()
        try directory.state.withLock { s throws(Errno) in
            if let existing = s.children[name], !existing.isWhiteout { throw .EEXIST }
            s.set(name, .node(node), shadowsLower: false)
        }
        if node.type == .directory { adjustLinks(1) }
        touchModified(.names)
    }

    func link(_ name: FileName, to target: any Inode, caller: any Caller) throws(Errno) {
        guard let directory else { throw .ENOTDIR }
        guard let node = target as? TmpfsInode, node.core === core else { throw .EXDEV }
        guard node.type != .directory else { throw .EPERM }
        try checkAlive()
        node.pin()
        let now = FileSystemClock.now
        try node.state.withLock { s throws(Errno) in
            if s.linkCount == 0 && !s.isLinkable { throw .ENOENT }
            if s.linkCount == .max { throw .EMLINK }
            s.linkCount += 1
            s.isLinkable = false
            s.changeTime = now
            s.changes.insert(.moved)
        }
        do {
            try insert(node, name, directory)
        } catch {
            node.dropLink()
            throw error
        }
    }

    func temporaryFile(_ request: NodeRequest, caller: any Caller) throws(Errno) -> any Inode {
        try checkAlive()
        let node = try makeNode(request, parentNumber: number)
        node.state.withLock {
            $0.linkCount = 0
            $0.isLinkable = true
        }
        return node
    }

    func unlink(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        guard let directory, let node = child as? TmpfsInode else { throw .ENOENT }
        try detach(node, name, directory)
        node.dropLink()
        touchModified(.names)
    }

    func removeDirectory(_ name: FileName, child: any Inode, caller: any Caller) throws(Errno) {
        guard let directory, let node = child as? TmpfsInode else { throw .ENOENT }
        guard let inner = node.directory else { throw .ENOTDIR }
        guard try inner.isEmpty(core) else { throw .ENOTEMPTY }
        try detach(node, name, directory)
        node.dropLink()
        adjustLinks(-1)
        touchModified(.names)
    }

    /// Takes a name away, leaving a whiteout where the lower directory has it.
    private func detach(_ node: TmpfsInode, _ name: FileName, _ directory: TmpfsDirectory) throws(Errno) {
        node.pin()
        pin()
        try directory.state.withLock { s throws(Errno) in
            guard case .node(let found)? = s.children[name]?.content, found === node else { throw .ENOENT }
            s.remove(name)
        }
    }

    /// One name less; a directory's only name.
    func dropLink() {
        let now = FileSystemClock.now
        state.withLock {
            if type == .directory { $0.linkCount = 0 } else if $0.linkCount > 0 { $0.linkCount -= 1 }
            $0.changeTime = now
        }
        accessTimeIsFresh.store(false, ordering: .relaxed)
    }

    /// A subdirectory came or went. Lower directories of file systems that do not count them keep their 1.
    func adjustLinks(_ change: Int) {
        guard change != 0 else { return }
        state.withLock {
            guard $0.linkCount >= 2 else { return }
            $0.linkCount = change > 0 ? $0.linkCount &+ 1 : max(2, $0.linkCount - 1)
        }
    }
}

extension TmpfsDirectory.Child {
    var isWhiteout: Bool {
        if case .whiteout = content { true } else { false }
    }
}

extension TmpfsDirectory {
    /// Holds on to a child that this directory showed weakly.
    func hold(_ node: TmpfsInode, _ name: FileName) {
        state.withLock { s in
            if case .lower(let weak, _, _)? = s.children[name]?.content, weak.node === node { s.children[name]?.content = .node(node) }
        }
    }
}
