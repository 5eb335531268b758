import Synchronization

/// What the dentries of one file system share: the cache policy, the rename lock, and the bound on cached names.
///
/// Directories that have cached names stand in a ring, which a clock hand goes round when there are too many names. A directory in the
/// ring is referenced by it and so stays until its own names have gone: eviction works from the leaves up.
final class DentryTree: Sendable {
    let policy: CachePolicy
    /// Held during every rename: Linux's s_vfs_rename_mutex. While it is held no dentry changes its parent.
    let renameLock = Mutex<Void>(())

    private let entries = Atomic<Int>(0)
    private let capacity: Int
    private let budget: HandleBudget?
    private struct Ring: Sendable {
        var directories: [Dentry] = []
        var hand = 0
    }
    private let ring = Mutex(Ring())

    static let defaultCapacity = 131_072

    init(policy: CachePolicy, capacity: Int = defaultCapacity, budget: HandleBudget? = nil) {
        self.policy = policy
        self.budget = budget
        self.capacity = capacity
    }

    /// Cached names, negative ones included.
    var cachedNames: Int { entries.load(ordering: .relaxed) }

    func entryAdded() { entries.wrappingAdd(1, ordering: .relaxed) }
    func entriesRemoved(_ count: Int) { entries.wrappingSubtract(count, ordering: .relaxed) }

    /// `directory` got its first cached name.
    func enrol(_ directory: Dentry) {
        ring.withLock { ring in
            guard directory.ringIndex.load(ordering: .relaxed) < 0 else { return }
            directory.ringIndex.store(ring.directories.count, ordering: .relaxed)
            ring.directories.append(directory)
        }
    }

    /// `directory` was removed from the tree: drops its cached names.
    func withdraw(_ directory: Dentry) {
        let old = ring.withLock { ring in
            let old = directory.children.withLock { table in
                let old = table
                table = ChildTable()
                return old
            }
            Self.remove(directory, from: &ring)
            return old
        }
        entriesRemoved(old.count)
    }

    private static func remove(_ directory: Dentry, from ring: inout Ring) {
        let index = directory.ringIndex.load(ordering: .relaxed)
        guard index >= 0 else { return }
        directory.ringIndex.store(-1, ordering: .relaxed)
        let last = ring.directories.removeLast()
        if last !== directory {
            ring.directories[index] = last
            last.ringIndex.store(index, ordering: .relaxed)
        }
    }

    /// Evicts names until a sixteenth of the capacity is free, or everything left is in use; half of them when handles get short. Call without
    /// directory locks.
    func trimIfNeeded() {
        if let budget, budget.isShort {
            trim(to: cachedNames / 2)
            budget.cleared()
        }
        if cachedNames > capacity { trim(to: capacity - capacity / 16) }
    }

    /// Drops every name that nobody uses: drop_caches(5).
    func dropUnused() {
        while true {
            let before = cachedNames
            trim(to: 0)
            // A directory that lost its last name can go in the next round.
            if cachedNames >= before { return }
        }
    }

    private func trim(to target: Int) {
        // Dentries that fall out of the ring die after the lock is released.
        var dropped: [Dentry] = []
        ring.withLock { ring in
            // Two rounds: the first takes the marks away.
            var steps = ring.directories.count * 2
            while cachedNames > target && steps > 0 && !ring.directories.isEmpty {
                steps -= 1
                if ring.hand >= ring.directories.count { ring.hand = 0 }
                let directory = ring.directories[ring.hand]
                let (removed, isEmpty) = directory.children.withLock { table in (table.evict(), table.isEmpty) }
                entriesRemoved(removed)
                if isEmpty {
                    Self.remove(directory, from: &ring)
                    dropped.append(directory)
                } else {
                    ring.hand += 1
                }
            }
        }
        dropped.removeAll()
    }

    /// Drops all cached names: the file system was unmounted.
    func dropAll() {
        let directories = ring.withLock { ring in
            let all = ring.directories
            for directory in all { directory.ringIndex.store(-1, ordering: .relaxed) }
            ring = Ring()
            return all
        }
        for directory in directories {
            let old = directory.children.withLock { table in
                let old = table
                table = ChildTable()
                return old
            }
            entriesRemoved(old.count)
        }
    }
}
