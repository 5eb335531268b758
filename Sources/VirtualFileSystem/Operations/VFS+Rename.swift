import LinuxABI
import Synchronization

/// Flags of renameat2(2).
public struct RenameFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let noReplace = RenameFlags(rawValue: 1)
    public static let exchange = RenameFlags(rawValue: 2)
    public static let whiteout = RenameFlags(rawValue: 4)
}

extension VFS {
    /// renameat2(2). - Throws: EINVAL for a whiteout where the file system holds none.
    ///
    /// Lock order: the tree's rename lock; then the two directories, an ancestor before its descendant; then a directory that is
    /// replaced. Renames are serialised by the first lock, and removals lock a parent before its child, so no cycle can form.
    public static func rename(
        _ oldPath: [UInt8], from oldBase: Path? = nil, to newPath: [UInt8], from newBase: Path? = nil, _ flags: RenameFlags = [],
        caller: any Caller
    ) throws(Errno) {
        if flags.contains(.exchange) && !flags.isDisjoint(with: [.noReplace, .whiteout]) { throw .EINVAL }
        let old = try resolveParent(oldPath, from: oldBase, caller: caller)
        let new = try resolveParent(newPath, from: newBase, caller: caller)
        guard old.directory.mount === new.directory.mount else { throw .EXDEV }
        guard case .name(let oldName, let oldHash, let oldSlash) = old.last else { throw .EBUSY }
        guard case .name(let newName, let newHash, let newSlash) = new.last else {
            throw flags.contains(.noReplace) ? .EEXIST : .EBUSY
        }
        try requireWritable(old.directory, oldName)
        if flags.contains(.whiteout) && !old.directory.node.holdsWhiteouts { throw .EINVAL }
        let (source, destination) = (old.directory.dentry, new.directory.dentry)
        try source.tree.renameLock.withLock { _ throws(Errno) in
            try withLocks(source, destination) { () throws(Errno) in
                let move = Move(
                    mount: old.directory.mount, source: source, oldName: oldName, oldHash: oldHash, oldSlash: oldSlash, destination: destination, newName: newName,
                    newHash: newHash, newSlash: newSlash, flags: flags)
                try perform(move, caller: caller)
            }
        }
        destination.tree.trimIfNeeded()
    }

    private struct Move {
        let mount: Mount
        let source: Dentry
        let oldName: FileName
        let oldHash: UInt64
        let oldSlash: Bool
        let destination: Dentry
        let newName: FileName
        let newHash: UInt64
        let newSlash: Bool
        let flags: RenameFlags
        var isExchange: Bool { flags.contains(.exchange) }
    }

    /// Holds the locks of both directories. Precondition: the rename lock is held.
    private static func withLocks(_ a: Dentry, _ b: Dentry, _ body: () throws(Errno) -> Void) throws(Errno) {
        if a === b { return try a.directoryLock.withLock { _ throws(Errno) in try body() } }
        let (first, second) = b.isAncestorOrSelf(of: a) ? (b, a) : (a, b)
        try first.directoryLock.withLock { _ throws(Errno) in
            try second.directoryLock.withLock { _ throws(Errno) in try body() }
        }
    }

    private static func perform(_ move: Move, caller: any Caller) throws(Errno) {
        guard let child = try move.source.lookupLocked(move.oldName, move.oldHash, caller: caller) else { throw .ENOENT }
        let existing = try move.destination.lookupLocked(move.newName, move.newHash, caller: caller)
        if existing != nil && move.flags.contains(.noReplace) { throw .EEXIST }
        if move.isExchange {
            guard let existing else { throw .ENOENT }
            if !existing.isDirectory && move.newSlash { throw .ENOTDIR }
        }
        if !child.isDirectory {
            if move.oldSlash { throw .ENOTDIR }
            if !move.isExchange && move.newSlash { throw .ENOTDIR }
        }
        // The source must not be an ancestor of the target, nor the target one of the source.
        if child.isAncestorOrSelf(of: move.destination) { throw .EINVAL }
        if let existing, existing.isAncestorOrSelf(of: move.source) { throw move.isExchange ? .EINVAL : .ENOTEMPTY }

        let credentials = caller.credentials
        if let domain = credentials.landlock {
            try domain.checkMove(
                child, from: Path(mount: move.mount, dentry: move.source), to: Path(mount: move.mount, dentry: move.destination),
                replacing: existing, exchange: move.isExchange, removing: true)
        }
        if child.node === existing?.node { return }
        try mayDelete(child, from: move.source, credentials)
        if let existing {
            try mayDelete(existing, from: move.destination, credentials)
            if !move.isExchange {
                if child.isDirectory && !existing.isDirectory { throw .ENOTDIR }
                if !child.isDirectory && existing.isDirectory { throw .EISDIR }
            }
        } else {
            if move.destination.isDeleted { throw .ENOENT }
            try move.destination.node.checkAccess([.write, .execute], credentials)
        }
        // Changing the parent of a directory changes its `..`.
        if move.source !== move.destination {
            if child.isDirectory { try child.node.checkAccess(.write, credentials) }
            if move.isExchange, let existing, existing.isDirectory { try existing.node.checkAccess(.write, credentials) }
        }
        let space = caller.mountNamespace
        if space.isMountPoint(child) || existing.map({ space.isMountPoint($0) }) == true { throw .EBUSY }

        if let existing, existing.isDirectory && !move.isExchange {
            try existing.directoryLock.withLock { _ throws(Errno) in try commit(move, child, existing, caller: caller) }
        } else {
            try commit(move, child, existing, caller: caller)
        }
    }

    private static func commit(_ move: Move, _ child: Dentry, _ existing: Dentry?, caller: any Caller) throws(Errno) {
        try move.source.node.rename(
            move.oldName, child: child.node, to: move.destination.node, move.newName, replacing: existing?.node,
            exchange: move.isExchange, caller: caller)
        if move.isExchange, let existing {
            move.source.didExchange(child, with: existing, in: move.destination)
        } else {
            move.source.didRename(child, to: move.destination, move.newName, replaced: existing)
            if let existing { caller.mountNamespace.detachMounts(on: existing) }
        }
        if move.flags.contains(.whiteout) {
            let credentials = caller.credentials
            let request = NodeRequest(
                kind: .device(.characterDevice, DeviceNumber(encoded: 0)), permissions: 0, uid: credentials.fileSystemUID,
                gid: credentials.fileSystemGID)
            // Told to no watcher: the file system makes it, not a user.
            move.source.didCreateSilently(move.oldName, try move.source.node.create(move.oldName, request, caller: caller))
        }
    }
}
