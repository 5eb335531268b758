import Kernel
import LinuxABI
import VirtualFileSystem

/// The regular files of a process's directory.
enum ProcessFile: String, CaseIterable, Sendable {
    case auxv, cgroup, children, cmdline, comm
    case coredumpFilter = "coredump_filter"
    case cpuset
    case environ
    case gidMap = "gid_map"
    case io
    case mergingPages = "ksm_merging_pages"
    case mergingStatistics = "ksm_stat"
    case limits, loginuid, maps, mem, mountinfo, mounts, mountstats
    case numaMaps = "numa_maps"
    case oldOOMAdjustment = "oom_adj"
    case oomScore = "oom_score"
    case oomScoreAdjustment = "oom_score_adj"
    case pagemap, personality
    case projectIDMap = "projid_map"
    case sched, schedstat, sessionid, setgroups, smaps
    case smapsRollup = "smaps_rollup"
    case stat, statm, status, syscall, timers
    case timerSlack = "timerslack_ns"
    case uidMap = "uid_map"
    case wchan

    var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// Some files belong to a process as a whole, one to threads alone.
    func exists(inThread: Bool) -> Bool {
        switch self {
        case .mountstats, .timerSlack, .timers, .coredumpFilter: !inThread
        case .children: inThread
        default: true
        }
    }

    var permissions: UInt16 {
        switch self {
        case .auxv, .environ, .io, .mergingPages, .mergingStatistics, .mountstats, .pagemap, .personality, .syscall: 0o400
        case .mem: 0o600
        case .comm, .coredumpFilter, .gidMap, .loginuid, .oldOOMAdjustment, .oomScoreAdjustment, .projectIDMap, .sched, .setgroups, .uidMap: 0o644
        case .timerSlack: 0o666
        default: 0o444
        }
    }

    /// What a caller without inspection rights gets at open(2); nil where everybody may open.
    var openFailure: Errno? {
        switch self {
        case .auxv, .environ, .maps, .numaMaps, .smaps, .smapsRollup: .EACCES
        default: nil
        }
    }
    /// What open(2) gives on a process that has ended and is not waited for yet; nil where the file can still be read.
    var endedFailure: Errno? {
        switch self {
        case .auxv, .environ, .smapsRollup: .ESRCH
        case .mountinfo, .mounts, .mountstats: .EINVAL
        default: nil
        }
    }
    /// The same at read(2).
    var readFailure: Errno? {
        switch self {
        case .io: .EACCES
        case .personality, .syscall: .EPERM
        default: nil
        }
    }
}

final class ProcessFileInode: SyntheticFile {
    private let reference: ProcessReference
    private let file: ProcessFile
    let shared = InodeState()
    init(_ reference: ProcessReference, _ file: ProcessFile) {
        self.reference = reference
        self.file = file
    }

    var fileSystem: any FileSystem { reference.fileSystem }
    var number: UInt64 { reference.number(.files, file.index) }
    var mode: FileMode { FileMode(.regular, file.permissions) }
    var owner: SyntheticOwner { reference.owner() }
    var time: Timespec { reference.startTime }

    func willOpen(_ flags: OpenFlags, caller: any Caller) throws(Errno) {
        guard reference.isPresent else { throw .ESRCH }
        if let failure = file.openFailure { try reference.requireInspection(caller, else: failure) }
        if file == .setgroups && flags.isWritable {
            let space = try reference.task().credentials.userNamespace
            guard caller.credentials.has(.sysAdmin, in: space) else { throw .EACCES }
        }
        if let failure = file.endedFailure, reference.memory == nil { throw failure }
    }
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        try willOpen(flags, caller: caller)
        switch file {
        case .mounts, .mountinfo, .mountstats:
            guard let namespace = try reference.task().namespaces?.mounts else { throw .EINVAL }
            return MountListOperations(self, namespace)
        default: return SyntheticFileOperations(self)
        }
    }
    func content(caller: any Caller) throws(Errno) -> [UInt8] {
        if let failure = file.readFailure { try reference.requireInspection(caller, else: failure) }
        return try ProcessText(reference, caller).content(of: file)
    }
    func store(_ bytes: [UInt8], caller: any Caller) throws(Errno) {
        try ProcessSetting(reference, caller).store(bytes, in: file)
    }
}
