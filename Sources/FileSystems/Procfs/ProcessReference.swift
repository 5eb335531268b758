import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// The process or thread that a directory of /proc stands for.
struct ProcessReference: Sendable {
    let fileSystem: ProcFileSystem
    let group: ThreadGroup
    /// The thread, for /proc/PID/task/TID; nil for the process as a whole.
    let thread: Task?

    init(_ fileSystem: ProcFileSystem, _ group: ThreadGroup, _ thread: Task?) {
        self.fileSystem = fileSystem
        self.group = group
        self.thread = thread
    }

    var kernel: SandboxKernel { group.kernel }
    var pidNamespace: PIDNamespace { fileSystem.pidNamespace }
    var id: Int32 { thread?.id ?? group.id }

    /// The thread, or the leader of the process. - Throws: ESRCH when it has gone.
    func task() throws(Errno) -> Task {
        if let thread {
            guard kernel.processes.task(thread.id) === thread else { throw .ESRCH }
            return thread
        }
        guard let leader = group.leader, leader.threadGroup === group else { throw .ESRCH }
        return leader
    }
    /// Whether the directory still stands for something, be it a zombie.
    var isPresent: Bool { (try? task()) != nil }

    /// The address space; nil for a zombie. A leader that ended before its threads has none of its own.
    var memory: AddressSpace? {
        if let thread { return thread.memory }
        return group.isZombie ? nil : group.memory
    }

    // MARK: inode numbers

    /// The directory's number; files below it have numbers above. All are below 2^53, which JavaScript holds exactly.
    static func number(_ id: Int32, isThread: Bool) -> UInt64 {
        (isThread ? 1 << 52 : 0) | (UInt64(UInt32(bitPattern: id)) << 32 & (1 << 52 - 1))
    }
    var number: UInt64 { Self.number((thread?.numbers ?? group.numbers).number(in: pidNamespace), isThread: thread != nil) }
    func number(_ area: Area, _ index: Int) -> UInt64 {
        number | area.rawValue | UInt64(UInt32(truncatingIfNeeded: index) & 0x0fff_ffff)
    }
    enum Area: UInt64 {
        case files = 0x1000_0000
        case links = 0x2000_0000
        case directories = 0x3000_0000
        case descriptors = 0x4000_0000
        case descriptorInformation = 0x5000_0000
        case namespaces = 0x6000_0000
    }

    // MARK: owner and access

    /// Linux's task_dump_owner: the effective ids, root for what must not be looked into. Directories with mode 0555 always have
    /// the effective ids.
    func owner(publicDirectory: Bool = false) -> SyntheticOwner {
        guard let credentials = (try? task())?.credentials else { return SyntheticOwner() }
        if !publicDirectory && (memory == nil || group.dumpable != 1) { return SyntheticOwner() }
        return SyntheticOwner(uid: credentials.effectiveUID, gid: credentials.effectiveGID)
    }

    var startTime: Timespec {
        let started = (thread?.startTime ?? group.startTime).nanoseconds
        let age = max(0, MonotonicInstant.now.nanoseconds &- started)
        return Timespec(nanoseconds: max(0, HostClock.realtime.nanoseconds &- age))
    }

    /// ptrace(2), "Ptrace access mode checking" with PTRACE_MODE_READ_FSCREDS.
    func mayInspect(_ caller: any Caller) -> Bool {
        if caller.globalProcessID == group.id { return true }
        let mine = caller.credentials
        guard let theirs = (try? task())?.credentials else { return false }
        if mine.has(.sysPtrace, in: theirs.userNamespace) { return true }
        let sameUser =
            mine.fileSystemUID == theirs.effectiveUID && mine.fileSystemUID == theirs.savedUID
            && mine.fileSystemUID == theirs.realUID
        let sameGroup =
            mine.fileSystemGID == theirs.effectiveGID && mine.fileSystemGID == theirs.savedGID
            && mine.fileSystemGID == theirs.realGID
        guard sameUser && sameGroup else { return false }
        if memory != nil && group.dumpable != 1 { return false }
        return mine.innerUserNamespace == theirs.innerUserNamespace && mine.effective.isSuperset(of: theirs.permitted)
    }
    func requireInspection(_ caller: any Caller, else failure: Errno = .EACCES) throws(Errno) {
        if !mayInspect(caller) { throw failure }
    }
}
