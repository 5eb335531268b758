import LinuxABI
import Memory
import Platform
import VirtualFileSystem

/// A program ready to run: what the loader made.
public struct LoadedProgram: Sendable {
    public var memory: AddressSpace
    public var entry: GuestAddress
    public var stackPointer: GuestAddress
    public var image: ProcessImage
    /// comm.
    public var name: [UInt8]
    public var credentials: Credentials
    /// AT_SECURE: privileges were gained.
    public var isSecure: Bool
    public init(
        memory: AddressSpace, entry: GuestAddress, stackPointer: GuestAddress, image: ProcessImage, name: [UInt8],
        credentials: Credentials, isSecure: Bool
    ) {
        self.memory = memory
        self.entry = entry
        self.stackPointer = stackPointer
        self.image = image
        self.name = name
        self.credentials = credentials
        self.isSecure = isSecure
    }

    /// General registers at the first instruction (System V ABI, 3.4.1).
    var registers: RegisterFile {
        var r = RegisterFile()
        r.rip = entry.rawValue
        r.rsp = stackPointer.rawValue
        r.originalRAX = .max
        return r
    }
}

extension CurrentTask {
    /// Replaces this process's program: the second half of execve(2). On a throw the old program goes on and `program.memory` was
    /// torn down.
    /// - Throws: EAGAIN when the process ends meanwhile or the host gives no thread, ENOMEM.
    public func execute(_ program: LoadedProgram) throws(Errno) {
        let former = task.numbers
        let fresh: any PlatformContext
        do throws(Errno) {
            fresh = try program.memory.platformSpace.makeContext()
        } catch {
            program.memory.tearDown()
            throw kernel.refuse(StartFailure(step: .guestThread, error: error))
        }
        do throws(Errno) {
            try endOtherThreads()
        } catch {
            fresh.release()
            program.memory.tearDown()
            throw error
        }

        // From here on nothing fails.
        releaseMemory(isExec: true)
        threadGroup.endPOSIXTimers()
        let old = memory
        context.release()
        var registers = program.registers
        registers.originalRAX = systemCallNumber
        fresh.registers = registers
        context = fresh
        task.host.withLock { $0.interrupter = fresh.interrupter }
        kernel.uses.retain(program.memory)
        memory = program.memory
        dropMemory(old)
        task.state.withLock { $0.memory = program.memory }

        let sharedActions = threadGroup.signals.withLock { g in
            g.actions = g.actions.copy()
            return g.actions
        }
        sharedActions.resetForExec()
        alternateStack.base = .null
        alternateStack.size = 0
        restartBlock = nil
        unshareFiles()
        _ = files.removeCloseOnExec()

        let before = task.credentials
        setCredentials(program.credentials)
        task.state.withLock { s in
            s.name = Array(program.name.prefix(15))
            s.keys = s.keys.inherited
            s.personality &= program.isSecure ? ~Personality.clearedOnPrivilege : ~0
            if program.isSecure || before.effectiveUID != program.credentials.effectiveUID
                || before.effectiveGID != program.credentials.effectiveGID
            {
                s.parentDeathSignal = nil
            }
        }
        threadGroup.attributes.withLock { a in
            a.image = program.image
            a.processKeyring = nil
            let c = program.credentials
            a.dumpable = c.effectiveUID == c.realUID && c.effectiveGID == c.realGID ? 1 : 0
        }
        threadGroup.links.withLock { links in
            links.hasExecuted = true
            if links.parent != nil { links.exitSignal = .SIGCHLD }
        }
        replacedRegisters = true
        debugRegisters = DebugRegisters()
        traceWork.remove(.watch)
        tellTracerOfExec(former)
    }

    /// Linux's de_thread: all other threads end, and this one becomes the leader.
    private func endOtherThreads() throws(Errno) {
        let isAlone = try threadGroup.signals.withLock { g throws(Errno) in
            if g.exit != nil || (g.execTask != nil && g.execTask !== task) { throw .EAGAIN }
            if g.tasks.count == 1 { return true }
            g.execTask = task
            g.stop = .none
            for other in g.tasks where other !== task {
                let isLive = other.signals.withLock { t in
                    t.mustStop = false
                    t.isStopped = false
                    t.pending.mark(.SIGKILL)
                    return !t.isExiting
                }
                if isLive { other.wakeForWork() }
            }
            return false
        }
        if isAlone { return }

        // A dead leader stays in the list until this thread takes its place.
        while true {
            enum Progress { case waiting, alone, dying }
            let progress = threadGroup.signals.withLock { g -> Progress in
                if g.exit != nil { return .dying }
                let others = g.tasks.filter { $0 !== task }
                if others.isEmpty { return .alone }
                let leaderIsDone = threadGroup.links.withLock { $0.leaderStatus != nil }
                return others.count == 1 && others[0].isLeader && leaderIsDone ? .alone : .waiting
            }
            if progress == .alone { break }
            if progress == .dying {
                threadGroup.signals.withLock { $0.execTask = nil }
                throw .EAGAIN
            }
            sleep()
        }
        kernel.processes.withTree { tree in
            if !task.isLeader {
                let own = task.id
                let ownNumbers = task.numbers
                let leader = tree.tasks[threadGroup.id]
                tree.tasks[own] = nil
                task.take(threadGroup.numbers)
                tree.tasks[threadGroup.id] = task
                // Children that this thread made, and those of the old leader, look for the thread by its number.
                for child in threadGroup.links.withLock({ $0.children }) {
                    child.links.withLock { if $0.parentTask == own { $0.parentTask = threadGroup.id } }
                }
                if let leader, leader !== task {
                    // Its tracer is not told: the thread that takes its number has a tracer of its own.
                    let tracer = leader.tracer
                    tree.unlink(leader)
                    tracer?.threadGroup.childEvents.notify(.everything)
                    leader.take(ownNumbers)
                    leader.setRunState(.dead)
                    kernel.taskCounts.remove(leader.credentials.realUID)
                }
                tree.release(ownNumbers)
            }
            threadGroup.links.withLock { $0.leaderStatus = nil }
            threadGroup.signals.withLock { g in
                g.tasks = [task]
                g.execTask = nil
                g.recalculate(task)
            }
        }
    }

    /// Gives this task a descriptor table of its own: execve(2), unshare(CLONE_FILES), close_range(CLOSE_RANGE_UNSHARE).
    public func unshareFiles() {
        guard kernel.uses.count(files) > 1 else { return }
        let old = files
        files = old.copy()
        kernel.uses.retain(files)
        task.state.withLock { $0.files = files }
        closeFiles(old)
    }
    /// unshare(CLONE_FS).
    public func unshareFileSystem() {
        fileSystem = fileSystem.copy()
        task.state.withLock { $0.fileSystem = fileSystem }
    }

    /// Installs new credentials (Linux's commit_creds): moves the task count when the real user changes, and where identity or
    /// capabilities changed the process is no longer dumpable and forgets its parent-death signal.
    public func setCredentials(_ new: Credentials) {
        innerUserNamespace = new.innerUserNamespace
        let old = task.state.withLock { s in
            let old = s.credentials
            s.credentials = new
            if Self.isPrivilegeChange(old, new) { s.parentDeathSignal = nil }
            return old
        }
        if Self.isPrivilegeChange(old, new) { threadGroup.dumpable = 0 }
        if old.realUID != new.realUID {
            kernel.taskCounts.remove(old.realUID)
            kernel.taskCounts.add(new.realUID)
        }
    }
}

extension CurrentTask {
    /// Whether other identities or more capabilities came. Capabilities in a namespace that the old user made are no more than it had
    /// (cred_cap_issubset).
    private static func isPrivilegeChange(_ old: Credentials, _ new: Credentials) -> Bool {
        if old.effectiveUID != new.effectiveUID || old.effectiveGID != new.effectiveGID || old.fileSystemUID != new.fileSystemUID
            || old.fileSystemGID != new.fileSystemGID
        {
            return true
        }
        if old.innerUserNamespace == new.innerUserNamespace { return !old.permitted.isSuperset(of: new.permitted) }
        var current = new.userNamespace
        while let parent = current.parent {
            if parent === old.userNamespace { return current.ownerUID != old.effectiveUID }
            current = parent
        }
        return true
    }
}

/// personality(2) flags.
public enum Personality {
    public static let noRandomization: UInt32 = 0x004_0000
    public static let readImpliesExecute: UInt32 = 0x040_0000
    /// PER_CLEAR_ON_SETID: READ_IMPLIES_EXEC, ADDR_NO_RANDOMIZE, ADDR_COMPAT_LAYOUT, MMAP_PAGE_ZERO.
    static let clearedOnPrivilege: UInt32 = 0x040_0000 | 0x004_0000 | 0x020_0000 | 0x010_0000
}
