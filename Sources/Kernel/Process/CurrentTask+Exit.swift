import LinuxABI
import Memory
import VirtualFileSystem

extension CurrentTask {
    /// exit(2): ends this thread. The caller returns to the run loop, which leaves.
    public func exitThread(_ code: Int32) {
        callState = .running
        ending = .exited(UInt8(truncatingIfNeeded: code))
    }

    /// exit_group(2).
    public func exitGroup(_ code: Int32) {
        callState = .running
        endGroup(.exited(UInt8(truncatingIfNeeded: code)))
    }

    /// exit_group(2) and everything else that ends all threads of the process.
    public func endGroup(_ status: ExitStatus) {
        ending = threadGroup.signals.withLock { g in
            if let already = g.exit { return already }
            if g.execTask != nil && g.execTask !== task { return .exited(0) }
            g.end(status)
            return status
        }
    }

    /// Linux's do_exit, on the task thread after its run loop. Nothing of the task runs afterwards.
    func finish() {
        let status = ending ?? .exited(0)
        stopBeforeExit(status)
        let (isLast, completesStop) = threadGroup.signals.withLock { g in
            let (blocked, wasStopping) = task.signals.withLock { t in
                t.isExiting = true
                let wasStopping = t.mustStop
                t.mustStop = false
                return (t.blocked, wasStopping)
            }
            g.retarget(SignalSet(rawValue: ~blocked.rawValue), from: task)
            let isLast = !g.tasks.contains { !$0.isExiting }
            if isLast && g.exit == nil && g.execTask == nil {
                // The group is dead: signals that come now are dropped. Without exit_group the last thread's status is the group's
                // (Linux's synchronize_group_exit).
                g.exit = status
            }
            return (isLast, wasStopping && g.completeStop())
        }
        if completesStop { threadGroup.tellParentOfJobControl(.stopped) }
        leaveTracees()
        leaveSeccomp()
        if isLast && threadGroup.isInit { kernel.endAllButInit(self) }
        if isLast && threadGroup.isInnerInit { endPIDNamespace() }

        if isLast { account(status) }
        releaseMemory(isExec: false)
        context.release()
        task.host.withLock { $0.interrupter = nil }
        dropMemory(memory)
        let (lastFiles, _) = task.state.withLock { s in
            defer {
                s.files = nil
                s.fileSystem = nil
                s.namespaces = nil
            }
            return (s.files, 0)
        }
        if let lastFiles { closeFiles(lastFiles) }
        if isLast {
            threadGroup.endTimers()
            namespaces.ipc.processEnded(threadGroup)
            threadGroup.leaveTerminal()
            threadGroup.attributes.withLock { $0.image.executable = nil }
        }
        // Whoever waits for this process may unmount what it used.
        namespaces = kernel.emptyNamespaces
        fileSystem = kernel.emptyFileSystem
        notifyExit(status, isLast: isLast)
    }

    /// What must happen in the address space while it is still there: robust futexes, CLONE_CHILD_CLEARTID, the vfork parent.
    func releaseMemory(isExec: Bool) {
        exitRobustList(self)
        task.robustList = .null
        if !clearChildTID.isNull {
            // As mm_release: without another user of the memory nobody can look.
            if kernel.uses.count(memory) > 1 {
                try? memory.store(Int32(0), at: clearChildTID)
                if let key = try? memory.futexKey(clearChildTID, shared: true) { _ = kernel.futexes.wake(key, count: 1, bitset: .max) }
                if let key = try? memory.futexKey(clearChildTID, shared: false) { _ = kernel.futexes.wake(key, count: 1, bitset: .max) }
            }
            clearChildTID = .null
        }
        vforkCompletion?.complete()
        vforkCompletion = nil
    }

    /// Gives up one use of an address space.
    func dropMemory(_ old: AddressSpace) {
        task.state.withLock { if $0.memory === old { $0.memory = nil } }
        if kernel.uses.release(old) {
            threadGroup.noteResident(old.residentBytes)
            kernel.aio.memoryEnded(old)
            old.tearDown()
        }
    }

    /// Gives up one use of a descriptor table; the last one closes all.
    func closeFiles(_ table: DescriptorTable) {
        if kernel.uses.release(table) { _ = table.removeAll() }
    }

    /// Linux's exit_notify and release_task.
    private func notifyExit(_ status: ExitStatus, isLast: Bool) {
        task.processorTime.finish()
        let usage = task.usage
        kernel.processes.withTree { tree in
            forgetChildren(&tree)
            if isLast { tree.hangUpOrphans(of: threadGroup, leaving: true, formerParent: threadGroup.parent) }
            task.setRunState(.zombie(status))
            threadGroup.accounting.withLock {
                $0.ended = $0.ended + usage
                $0.endedTransfers = $0.endedTransfers + task.transfers.totals
            }
            threadGroup.signals.withLock { g in
                kernel.uncharge(task.signals.withLock { $0.pending.removeAll() })
                g.execTask?.parker.wake()
            }
            let isTraced = task.isTraced
            if task.isLeader {
                threadGroup.links.withLock { $0.leaderStatus = status }
                let isAlone = threadGroup.signals.withLock { $0.tasks.count <= 1 }
                if isTraced && !isAlone { tree.tellTracerOfExit(task, status) }
            } else if isTraced {
                // Its tracer waits for it.
                tree.tellTracerOfExit(task, status)
            } else {
                tree.release(task)
            }
            threadGroup.exitEvents.notify(.everything)
            tree.endIfLast(threadGroup)
        }
    }

    /// Linux's forget_original_parent: this thread's children get another parent.
    private func forgetChildren(_ tree: inout ProcessTable.Tree) {
        let children = threadGroup.links.withLock { $0.children }
        if children.isEmpty { return }
        let id = task.id
        let sibling = threadGroup.signals.withLock { g in g.tasks.first { $0 !== task && !$0.isExiting } }
        var reaper: ThreadGroup?
        for child in children where child.links.withLock({ $0.parentTask }) == id {
            if let sibling {
                child.links.withLock { $0.parentTask = sibling.id }
            } else {
                if reaper == nil { reaper = tree.reaper(for: threadGroup) }
                guard let reaper, reaper !== threadGroup else { continue }
                let adopter = reaper.adopter
                child.links.withLock { links in
                    links.parent = reaper
                    links.parentTask = adopter
                    if !links.isReaped { links.exitSignal = .SIGCHLD }
                }
                threadGroup.links.withLock { $0.children.removeAll { $0 === child } }
                reaper.links.withLock { $0.children.append(child) }
            }
            for thread in child.tasks {
                if let signal = thread.parentDeathSignal {
                    var info = SignalInfo(signal, code: SignalInfo.SI_USER)
                    info.pid = threadGroup.numbers.number(in: child.pidNamespace)
                    info.uid = thread.credentials.shownUser(task.credentials.realUID)
                    child.send(info)
                }
            }
            guard sibling == nil else { continue }
            if let status = child.exitStatus {
                if child.tellParentOfExit(status) { tree.reap(child) }
            }
            tree.hangUpOrphans(of: child, leaving: false, formerParent: threadGroup)
        }
    }
}

extension ThreadGroup {
    /// Linux's find_alive_thread: the thread that takes children over. The leader may have ended before the others, and a thread
    /// gives away only what is its own, when it ends. Tree lock held.
    fileprivate var adopter: Int32 { (tasks.first { !$0.hasEnded })?.id ?? id }
}

extension ProcessTable.Tree {
    /// The nearest living ancestor that is a child subreaper, else init: prctl(2) PR_SET_CHILD_SUBREAPER.
    func reaper(for group: ThreadGroup) -> ThreadGroup? {
        let namespace = group.pidNamespace
        let initGroup = self.initGroup(of: namespace) ?? tasks[1]?.threadGroup
        if group.attributes.withLock({ $0.hasChildSubreaper }) {
            var ancestor = group.parent
            while let candidate = ancestor, candidate !== initGroup, candidate.pidNamespace === namespace {
                let (subreaper, below) = candidate.attributes.withLock { ($0.isChildSubreaper, $0.hasChildSubreaper) }
                if subreaper && candidate.signals.withLock({ g in g.tasks.contains { !$0.isExiting } }) { return candidate }
                if !below && !subreaper { break }
                ancestor = candidate.parent
            }
        }
        return initGroup
    }

    /// Linux's kill_orphaned_pgrp: when the exit of a parent or member orphans a process group with stopped members, they get SIGHUP
    /// and SIGCONT.
    func hangUpOrphans(of group: ThreadGroup, leaving: Bool, formerParent: ThreadGroup?) {
        guard let parent = formerParent else { return }
        let processGroup = group.processGroup
        let parentGroup = parent.processGroup
        if parentGroup === processGroup || parentGroup.session !== processGroup.session { return }
        guard processGroup.isOrphanedLocked(ignoring: leaving ? group : nil), processGroup.hasStoppedMember else { return }
        processGroup.sendLocked(SignalInfo(.SIGHUP, code: SignalInfo.SI_KERNEL))
        processGroup.sendLocked(SignalInfo(.SIGCONT, code: SignalInfo.SI_KERNEL))
    }
}
