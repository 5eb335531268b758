import LinuxABI
import Synchronization
import VirtualFileSystem

/// rename(2). A node moves as it is, with its lower node: nothing is copied.
extension TmpfsInode {
    var holdsWhiteouts: Bool { true }

    func rename(
        _ name: FileName, child: any Inode, to newParent: any Inode, _ newName: FileName, replacing: (any Inode)?, exchange: Bool,
        caller: any Caller
    ) throws(Errno) {
        guard let target = newParent as? TmpfsInode, target.core === core, let node = child as? TmpfsInode else { throw .EXDEV }
        guard let source = directory, let destination = target.directory else { throw .ENOTDIR }
        try target.checkAlive()
        let replaced = replacing as? TmpfsInode
        if let replaced, !exchange, let inner = replaced.directory, !(try inner.isEmpty(core)) { throw .ENOTEMPTY }
        node.pin()
        replaced?.pin()
        pin()
        target.pin()
        try source.state.withLock { s throws(Errno) in
            guard case .node(let found)? = s.children[name]?.content, found === node else { throw .ENOENT }
        }
        // The new name appears before the old one goes: the node can always be found.
        destination.state.withLock { $0.set(newName, .node(node), shadowsLower: false) }
        source.state.withLock { s in
            if exchange, let replaced { s.set(name, .node(replaced), shadowsLower: false) } else { s.remove(name) }
        }
        let moved = node.type == .directory ? 1 : 0
        let gone = replaced?.type == .directory ? 1 : 0
        if self !== target {
            adjustLinks(exchange ? gone - moved : -moved)
            target.adjustLinks(moved - gone)
            node.directory?.parentNumber = target.number
            if exchange { replaced?.directory?.parentNumber = number }
        } else if !exchange {
            adjustLinks(-gone)
        }
        if exchange { replaced?.noteMove() } else { replaced?.dropLink() }
        node.noteMove()
        touchModified(.names)
        if self !== target { target.touchModified(.names) }
    }

    private func noteMove() {
        touchChanged()
        state.withLock { $0.changes.formUnion(.moved) }
    }
}
