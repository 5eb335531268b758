import LinuxABI
import Synchronization

/// A name in a directory tree and the inode behind it: Linux's dentry. A dentry is always positive; that a name does not exist is
/// an entry without a dentry in its directory's `ChildTable`.
///
/// A dentry keeps its inode for life. Unlinking and replacing a name take the dentry out of its directory and mark it deleted, which
/// leaves open files and working directories with the inode and the name they had.
public final class Dentry: Sendable {
    /// The inode; it does not change.
    public let node: any Inode
    public let type: FileType
    let tree: DentryTree

    struct Link: Sendable {
        /// Nil for the root of a tree.
        var parent: Dentry?
        var name: FileName
        /// The name was removed; `parent` and `name` say where it was.
        var isDeleted = false
    }
    let link: Mutex<Link>

    let children = Mutex(ChildTable())
    /// Held while this directory is changed and while a name that is not cached is looked up in it: Linux's i_rwsem.
    let directoryLock = Mutex<Void>(())
    /// How many mounts, in any namespace, sit on this dentry. Lets the walk skip the mount table.
    let mountCount = Atomic<Int>(0)
    /// Second chance of the clock.
    let recentlyUsed = Atomic<Bool>(false)
    /// Place in the tree's ring of directories with cached names, -1 when not in it. Guarded by the ring's lock.
    let ringIndex = Atomic<Int>(-1)

    /// The root of a file system.
    public convenience init(root inode: any Inode) { self.init(root: inode, capacity: DentryTree.defaultCapacity) }

    /// `capacity`: cached names that the tree keeps.
    init(root inode: any Inode, capacity: Int) {
        node = inode
        type = inode.type
        let fileSystem = inode.fileSystem
        tree = DentryTree(policy: fileSystem.cachePolicy, capacity: capacity, budget: fileSystem.handleBudget)
        link = Mutex(Link(parent: nil, name: FileName([])))
    }

    init(_ inode: any Inode, parent: Dentry, name: FileName) {
        node = inode
        type = inode.type
        tree = parent.tree
        link = Mutex(Link(parent: parent, name: name))
    }

    /// A dentry outside every tree, for files without a place: pipes, sockets, O_TMPFILE files.
    init(detached inode: any Inode, name: FileName) {
        node = inode
        type = inode.type
        tree = DentryTree(policy: .none)
        link = Mutex(Link(parent: nil, name: name, isDeleted: false))
    }

    /// Releases a chain of parents one by one: nested deinitialisation of a deep chain would overflow the stack.
    deinit {
        if FileNotice.isOn, isDeleted { FileNotice.lastUseEnded(of: node) }
        var next = link.withLock { $0.parent.take() }
        while next != nil, isKnownUniquelyReferenced(&next) {
            let parent = next?.link.withLock { $0.parent.take() }
            next = parent
        }
    }

    /// As `node`; optional for symmetry with `Path.inode`.
    public var inode: (any Inode)? { node }
    public var isDirectory: Bool { type == .directory }
    public var parent: Dentry? { link.withLock { $0.parent } }
    public var name: FileName { link.withLock { $0.name } }
    /// The name was unlinked, replaced or its directory removed.
    public var isDeleted: Bool { link.withLock { $0.isDeleted } }
    public var isMountPoint: Bool { mountCount.load(ordering: .relaxed) != 0 }

    /// Whether `self` is `other` or lies above it. Stable only under the tree's rename lock.
    func isAncestorOrSelf(of other: Dentry) -> Bool {
        var current: Dentry? = other
        while let dentry = current {
            if dentry === self { return true }
            current = dentry.parent
        }
        return false
    }
}

// MARK: lookup

extension Dentry {
    func markUsed() {
        if !recentlyUsed.load(ordering: .relaxed) { recentlyUsed.store(true, ordering: .relaxed) }
    }

    /// What the cache says of the component `path[start..<end]`. Correct by itself only under the exclusive policy.
    @inline(__always)
    func cachedChild(_ hash: UInt64, _ path: [UInt8], _ start: Int, _ end: Int) -> CachedName {
        let found = children.withLock { $0.find(hash, path, start, end) }
        if case .child(let child) = found { child.markUsed() }
        return found
    }

    /// The child called `name`, asking the file system where the cache does not know. Nil: no such name.
    func lookup(_ name: FileName, _ hash: UInt64, caller: any Caller) throws(Errno) -> Dentry? {
        if tree.policy == .none { return try lookupLocked(name, hash, caller: caller) }
        let child = try directoryLock.withLock { _ throws(Errno) in try lookupLocked(name, hash, caller: caller) }
        tree.trimIfNeeded()
        return child
    }

    /// Preconditions: `directoryLock` is held, unless the policy is `.none`.
    func lookupLocked(_ name: FileName, _ hash: UInt64, caller: any Caller) throws(Errno) -> Dentry? {
        if tree.policy == .shared { node.synchronizeNames() }
        let cached = cachedChild(hash, name.bytes, 0, name.bytes.count)
        switch (tree.policy, cached) {
        case (.exclusive, .child(let child)): return child
        case (.exclusive, .negative): return nil
        case (.none, .child(let child)) where child.isMountPoint: return child
        case (.shared, .child(let child)):
            if child.isMountPoint || node.isCertain(hash, child: child.node) || node.revalidate(name, child: child.node) { return child }
            forget(name, hash, child)
        case (.shared, .negative):
            if node.isCertain(hash, child: nil) || node.revalidate(name, child: nil) { return nil }
        default: break
        }
        guard !isDeleted else { return nil }
        guard let inode = try node.lookup(name, caller: caller) else {
            if tree.policy != .none { cache(name, hash, nil) }
            return nil
        }
        let child = Dentry(inode, parent: self, name: name)
        if tree.policy != .none { cache(name, hash, child) }
        return child
    }

    func cache(_ name: FileName, _ hash: UInt64, _ child: Dentry?) {
        let (isNew, isFirst) = children.withLock { table in
            let wasEmpty = table.isEmpty
            return (table.set(name.bytes, hash, child), wasEmpty)
        }
        if isNew { tree.entryAdded() }
        if isFirst { tree.enrol(self) }
    }

    /// The file system says that `child` no longer is what `name` means.
    private func forget(_ name: FileName, _ hash: UInt64, _ child: Dentry) {
        if children.withLock({ $0.remove(name.bytes, hash) }) { tree.entriesRemoved(1) }
        child.link.withLock { $0.isDeleted = true }
    }

    /// Keeps this dentry in its parent's table although the policy would not: something is mounted on it.
    func pin() {
        guard tree.policy == .none else { return }
        let (parent, name) = link.withLock { ($0.parent, $0.name) }
        parent?.cache(name, NameHash.of(name.bytes), self)
    }
}

// MARK: changes of the name space
//
// Every change of a name passes through these three functions, after the file system has made it and with the directory locks still
// held. Watchers of the name space (inotify) are told here, but for IN_DELETE: on Linux it follows IN_DELETE_SELF, which comes when
// the last use of the name ends.

extension Dentry {
    /// `name` was made in this directory.
    func didCreate(_ name: FileName, _ inode: any Inode) -> Dentry {
        let child = didCreateSilently(name, inode)
        FileNotice.post(.create, in: self, name, isDirectory: child.isDirectory)
        return child
    }

    @discardableResult
    func didCreateSilently(_ name: FileName, _ inode: any Inode) -> Dentry {
        let child = Dentry(inode, parent: self, name: name)
        if tree.policy != .none { cache(name, NameHash.of(name.bytes), child) }
        return child
    }

    /// `child` was unlinked or removed from this directory.
    func didRemove(_ child: Dentry) {
        let name = child.name
        child.link.withLock { $0.isDeleted = true }
        let hash = NameHash.of(name.bytes)
        if tree.policy == .none {
            if children.withLock({ $0.remove(name.bytes, hash) }) { tree.entriesRemoved(1) }
        } else {
            cache(name, hash, nil)
        }
        if child.isDirectory { tree.withdraw(child) } else { FileNotice.postToSelf(.attributes, child.node) }
        FileNotice.nameRemoved(child)
    }

    /// `child` moved from this directory to `newParent`, over `replaced`.
    func didRename(_ child: Dentry, to newParent: Dentry, _ newName: FileName, replaced: Dentry?) {
        let oldName = child.name
        if let replaced {
            replaced.link.withLock { $0.isDeleted = true }
            if replaced.isDirectory { tree.withdraw(replaced) }
        }
        if tree.policy != .none {
            cache(oldName, NameHash.of(oldName.bytes), nil)
            newParent.cache(newName, NameHash.of(newName.bytes), child)
        }
        child.link.withLock {
            $0.parent = newParent
            $0.name = newName
        }
        FileNotice.postMove(child, from: self, oldName, to: newParent, newName, replaced: replaced)
    }

    /// `child` of this directory and `other` of `otherParent` swapped places.
    func didExchange(_ child: Dentry, with other: Dentry, in otherParent: Dentry) {
        let (name, otherName) = (child.name, other.name)
        if tree.policy != .none {
            cache(name, NameHash.of(name.bytes), other)
            otherParent.cache(otherName, NameHash.of(otherName.bytes), child)
        }
        child.link.withLock {
            $0.parent = otherParent
            $0.name = otherName
        }
        other.link.withLock {
            $0.parent = self
            $0.name = name
        }
        FileNotice.postMove(child, from: self, name, to: otherParent, otherName)
        FileNotice.postMove(other, from: otherParent, otherName, to: self, name)
    }
}
