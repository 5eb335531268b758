import LinuxABI

extension ProcessTable.Tree {
    /// Takes `group` out of its process group and forgets groups and sessions that are empty.
    mutating func leaveProcessGroup(_ group: ThreadGroup) {
        let old = group.processGroup
        let isEmpty = old.members.withLock { members in
            members.removeAll { $0 === group }
            return members.isEmpty
        }
        guard isEmpty else { return }
        if processGroups[old.id] === old {
            processGroups[old.id] = nil
            release(old.numbers)
        }
        if !processGroups.values.contains(where: { $0.session === old.session }), sessions[old.session.id] === old.session {
            sessions[old.session.id] = nil
            release(old.session.numbers)
        }
    }

    /// Moves `group` to `target`, which may be new.
    mutating func move(_ group: ThreadGroup, to target: ProcessGroup) {
        if group.processGroup === target { return }
        processGroups[target.id] = target
        sessions[target.session.id] = target.session
        leaveProcessGroup(group)
        // Leaving may have dropped the session when the old group was its last.
        sessions[target.session.id] = target.session
        group.links.withLock { $0.processGroup = target }
        target.members.withLock { $0.append(group) }
    }

    /// Linux's release_task for a whole group: nothing finds it any more. Its zombie leader goes with it.
    mutating func reap(_ group: ThreadGroup) {
        let leader = tasks.removeValue(forKey: group.id)
        if let leader {
            unlink(leader)
            group.kernel.taskCounts.remove(leader.credentials.realUID)
            leader.setRunState(.dead)
        }
        let parent = group.links.withLock { links in
            defer { links.isReaped = true }
            return links.parent
        }
        parent?.links.withLock { $0.children.removeAll { $0 === group } }
        leaveProcessGroup(group)
        release(group.numbers)
        group.signals.withLock { g in
            group.kernel.uncharge(g.pending.removeAll())
            g.tasks.removeAll()
        }
        group.exitEvents.notify(.everything)
    }
}
