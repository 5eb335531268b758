import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// /proc/PID/status (proc_pid_status(5)).
struct StatusText: Sendable {
    var name: [UInt8] = []
    /// Nil once the process has ended.
    var umask: UInt16?
    var state: Character = "R"
    var groupID: Int32 = 0
    var id: Int32 = 0
    var parent: Int32 = 0
    var tracer: Int32 = 0
    /// PR_GET_SECCOMP, and how many filters.
    var seccompMode = 0
    var seccompFilters = 0
    var credentials = Credentials(uid: 0, gid: 0, groups: [], capabilities: [])
    var descriptorSlots = 0
    /// In the pid namespaces from that of the file system inwards.
    var groupNumbers: [Int32] = [0]
    var numbers: [Int32] = [0]
    var processGroupNumbers: [Int32] = [0]
    var sessionNumbers: [Int32] = [0]
    /// Whose view of user IDs it is.
    var reader = UserNamespace.initial
    /// Nil without an address space.
    var memory: MemoryStatistics?
    var peakResident: UInt64 = 0
    var threads = 1
    var queuedSignals = 0
    var queuedSignalLimit: UInt64 = 0
    var pending = SignalSet()
    var sharedPending = SignalSet()
    var blocked = SignalSet()
    var ignored = SignalSet()
    var caught = SignalSet()
    var processors = ProcessorMask(first: 1)
    var voluntarySwitches: UInt64 = 0
    var involuntarySwitches: UInt64 = 0

    private var stateName: String {
        switch state {
        case "R": "R (running)"
        case "S": "S (sleeping)"
        case "D": "D (disk sleep)"
        case "T": "T (stopped)"
        case "t": "t (tracing stop)"
        case "Z": "Z (zombie)"
        default: "X (dead)"
        }
    }

    var text: [UInt8] {
        var text = TextBuilder(reserving: 1536)
        text.text("Name:\t")
        // Newline and backslash as C escapes (proc_task_name).
        for byte in name {
            switch byte {
            case 0x0a: text.text("\\n")
            case 0x5c: text.text("\\\\")
            default: text.byte(byte)
            }
        }
        text.newline()
        if let umask {
            text.text("Umask:\t")
            text.octal(UInt64(umask), width: 4)
            text.newline()
        }
        text.text("State:\t\(stateName)\nTgid:\t\(groupID)\nNgid:\t0\nPid:\t\(id)\nPPid:\t\(parent)\nTracerPid:\t\(tracer)\n")
        let c = credentials
        func row(_ values: [some CustomStringConvertible]) -> String { values.map { "\t\($0)" }.joined() }
        text.text("Uid:" + row([c.realUID, c.effectiveUID, c.savedUID, c.fileSystemUID].map { reader.shownUser($0) }) + "\n")
        text.text("Gid:" + row([c.realGID, c.effectiveGID, c.savedGID, c.fileSystemGID].map { reader.shownGroup($0) }) + "\n")
        text.text("FDSize:\t\(descriptorSlots)\nGroups:\t")
        for (index, group) in c.groups.enumerated() {
            if index > 0 { text.space() }
            text.decimal(reader.shownGroup(group))
        }
        text.text(" \nNStgid:\(row(groupNumbers))\nNSpid:\(row(numbers))\nNSpgid:\(row(processGroupNumbers))\nNSsid:\(row(sessionNumbers))\n")
        text.text("Kthread:\t0\n")
        if let memory { appendMemory(memory, &text) }
        text.text("Threads:\t\(threads)\nSigQ:\t\(queuedSignals)/\(queuedSignalLimit)\n")
        for (label, set) in [
            ("SigPnd", pending), ("ShdPnd", sharedPending), ("SigBlk", blocked), ("SigIgn", ignored), ("SigCgt", caught),
        ] { word(label, set.rawValue, &text) }
        for (label, set) in [
            ("CapInh", c.inheritable), ("CapPrm", c.permitted), ("CapEff", c.effective), ("CapBnd", c.bounding),
            ("CapAmb", c.ambient),
        ] { word(label, set.rawValue, &text) }
        text.text("NoNewPrivs:\t\(c.noNewPrivileges ? 1 : 0)\nSeccomp:\t\(seccompMode)\nSeccomp_filters:\t\(seccompFilters)\n")
        text.text("Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n")
        text.text("Cpus_allowed:\t\(processors.hex)\nCpus_allowed_list:\t\(processors.list)\n")
        text.text("Mems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n")
        text.text("voluntary_ctxt_switches:\t\(voluntarySwitches)\nnonvoluntary_ctxt_switches:\t\(involuntarySwitches)\n")
        return text.bytes
    }

    private func word(_ label: String, _ value: UInt64, _ text: inout TextBuilder) {
        text.text(label)
        text.text(":\t")
        text.hex(value, width: 16)
        text.newline()
    }

    private func appendMemory(_ memory: MemoryStatistics, _ text: inout TextBuilder) {
        for (label, bytes) in [
            ("VmPeak", max(memory.peakSize, memory.size)), ("VmSize", memory.size), ("VmLck", memory.locked), ("VmPin", 0),
            ("VmHWM", max(peakResident, memory.resident)), ("VmRSS", memory.resident), ("RssAnon", memory.anonymous),
            ("RssFile", memory.file), ("RssShmem", memory.shared), ("VmData", memory.data), ("VmStk", memory.stack),
            ("VmExe", memory.code), ("VmLib", memory.libraries), ("VmPTE", memory.pageTables), ("VmSwap", 0), ("HugetlbPages", 0),
        ] {
            text.text(label)
            text.text(":\t")
            text.decimal(bytes / 1024, width: 8)
            text.text(" kB\n")
        }
        text.text("CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\n")
    }
}

extension ProcessText {
    func status(_ task: Task) -> StatusText {
        var status = StatusText()
        status.name = task.name
        status.umask = task.fileSystem?.state.withLock { $0.umask }
        status.state = task.runState.letter
        let space = reference.pidNamespace
        status.groupID = group.numbers.number(in: space)
        status.id = task.numbers.number(in: space)
        status.parent = group.parent?.numbers.number(in: space) ?? 0
        status.groupNumbers = group.numbers.numbers(from: space)
        status.numbers = task.numbers.numbers(from: space)
        // The whole chain of the task's own namespace, 0 where group or session come from outside.
        let chain = task.pidNamespace
        status.processGroupNumbers = group.processGroup.numbers.numbers(from: space, to: chain)
        status.sessionNumbers = group.session.numbers.numbers(from: space, to: chain)
        status.reader = caller.credentials.userNamespace
        status.tracer = task.tracer?.numbers.number(in: space) ?? 0
        (status.seccompMode, status.seccompFilters) = task.seccompStatus
        status.credentials = task.credentials
        status.descriptorSlots = descriptorSlots(task)
        if reference.memory != nil { status.memory = memoryStatistics() }
        let usage = task.usage
        status.peakResident = group.usage.maximumResident
        status.threads = max(group.threadCount, group.isZombie ? 1 : 0)
        status.queuedSignals = reference.kernel.queuedSignals.value(task.credentials.realUID)
        status.queuedSignalLimit = group.limit(.pendingSignals).soft
        status.pending = task.pendingSignals
        status.sharedPending = group.pendingSignals
        status.blocked = task.blockedSignals
        status.ignored = group.actions.ignored
        status.caught = group.actions.caught
        let allowed = task.scheduling.allowedProcessors
        status.processors = ProcessorMask(allowed.members, of: allowed.configured)
        status.voluntarySwitches = usage.voluntarySwitches
        status.involuntarySwitches = usage.involuntarySwitches
        return status
    }

    /// The size that Linux's table would have: a power of two, 64 at least; 0 for a zombie.
    private func descriptorSlots(_ task: Task) -> Int {
        guard let files = task.files else { return 0 }
        let highest = Int(files.snapshot().last?.number ?? 0)
        var slots = 64
        while slots <= highest { slots *= 2 }
        return slots
    }
}
