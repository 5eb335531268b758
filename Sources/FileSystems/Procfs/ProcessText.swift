import HostOS
import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// Makes the text of a process's files: gathers from the kernel's objects, and leaves the form to the types that print.
struct ProcessText {
    let reference: ProcessReference
    let caller: any Caller
    init(_ reference: ProcessReference, _ caller: any Caller) {
        self.reference = reference
        self.caller = caller
    }
    var group: ThreadGroup { reference.group }

    func content(of file: ProcessFile) throws(Errno) -> [UInt8] {
        let task = try reference.task()
        switch file {
        case .auxv: return reference.memory == nil ? [] : group.image.auxiliaryVector
        case .cgroup: return Array("0::/\n".utf8)
        case .children: return children(of: task)
        case .cmdline: return commandLine()
        case .comm: return task.name + [0x0a]
        case .coredumpFilter: return Array("00000033\n".utf8)
        case .environ: return environment()
        // They have operations of their own.
        case .gidMap, .uidMap, .projectIDMap: throw .EINVAL
        case .cpuset: return Array("/\n".utf8)
        case .io: return transfers(reference.thread.map(\.transfers.totals) ?? group.transfers)
        case .mergingPages: return Array("0\n".utf8)
        case .mergingStatistics:
            let zeroes = ["ksm_rmap_items", "ksm_zero_pages", "ksm_merging_pages", "ksm_process_profit"].map { "\($0) 0\n" }
            return Array((zeroes.joined() + "ksm_merge_any: no\nksm_mergeable: no\n").utf8)
        case .limits: return LimitsText.text { group.limit($0) }
        case .loginuid, .sessionid: return Array("4294967295".utf8)
        case .maps: return maps()
        // It has operations of its own.
        case .mem, .pagemap: throw .EINVAL
        case .mountinfo: return try mountText(task).mountInformation()
        case .mounts: return try mountText(task).mounts()
        case .mountstats: return try mountText(task).statistics()
        case .numaMaps: return reference.memory.map { NumaText.text($0.regions(), root: caller.root) } ?? []
        case .oldOOMAdjustment:
            // As proc_oom_score_adj scales it back: the largest is its own case.
            let adjustment = group.oomScoreAdjustment
            return Array("\(adjustment == 1000 ? 15 : adjustment * 17 / 1000)\n".utf8)
        case .oomScore: return oomScore()
        case .oomScoreAdjustment: return Array("\(group.oomScoreAdjustment)\n".utf8)
        case .personality: return hexadecimal(UInt64(task.personality), width: 8)
        case .sched: return sched(task)
        case .schedstat: return schedstat(task)
        case .setgroups: return Array((task.credentials.userNamespace.allowsSetgroups ? "allow\n" : "deny\n").utf8)
        case .smaps: return reference.memory.map { SmapsText.text($0.regions(), root: caller.root) } ?? []
        case .smapsRollup: return reference.memory.map { SmapsText.rollup($0.regions()) } ?? []
        case .stat: return stat(task).line
        case .statm: return memoryStatistics().pagesLine
        case .status: return status(task).text
        case .timers: return Array(group.timers.descriptions(of: group).utf8)
        case .syscall: return systemCall(task)
        case .timerSlack:
            guard caller.globalProcessID == group.id || caller.credentials.has(.sysNice, in: task.credentials.userNamespace) else { throw .EPERM }
            return Array("\(task.timerSlack)\n".utf8)
        case .wchan: return [0x30]
        }
    }

    /// Files live in memory: nothing is read from storage or written to it.
    private func transfers(_ t: Transfers) -> [UInt8] {
        let counted = "rchar: \(t.readBytes)\nwchar: \(t.writtenBytes)\nsyscr: \(t.reads)\nsyscw: \(t.writes)\n"
        return Array((counted + "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n").utf8)
    }

    private func hexadecimal(_ value: UInt64, width: Int) -> [UInt8] {
        var text = TextBuilder()
        text.hex(value, width: width)
        text.newline()
        return text.bytes
    }

    private func mountText(_ task: Task) throws(Errno) -> MountText {
        guard let root = task.fileSystem?.root, let namespace = task.namespaces?.mounts else { throw .EINVAL }
        return MountText(namespace: namespace, root: root)
    }

    /// The call that a task stopped for its tracer is in, with arguments, stack pointer and program counter; of others nothing is known.
    private func systemCall(_ task: Task) -> [UInt8] {
        guard let r = task.stoppedRegisters else { return Array("running\n".utf8) }
        let number = Int32(truncatingIfNeeded: r.originalRAX)
        let values = number == -1 ? [] : [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9]
        var text = TextBuilder()
        text.decimal(number)
        for value in values + [r.rsp, r.rip] {
            text.text(" 0x")
            text.hex(value)
        }
        text.newline()
        return text.bytes
    }
    /// In the pid namespace of this instance.
    private func number(_ numbers: ProcessNumbers) -> Int32 { numbers.number(in: reference.pidNamespace) }

    private func maps() -> [UInt8] {
        guard let memory = reference.memory else { return [] }
        var text = TextBuilder(reserving: 4096)
        for region in memory.regions(countingResident: false) { MapsLine(region, root: caller.root).append(to: &text) }
        return text.bytes
    }

    private func children(of task: Task) -> [UInt8] {
        var text = TextBuilder()
        for child in group.children where child.parentTaskID == task.id {
            text.decimal(number(child.numbers))
            text.space()
        }
        return text.bytes
    }

    // MARK: strings on the stack

    /// The argument strings; when their last NUL was overwritten (setproctitle), the one string that goes on into the
    /// environment.
    private func commandLine() -> [UInt8] {
        guard let memory = reference.memory else { return [] }
        let image = group.image
        guard !image.arguments.isEmpty else { return [] }
        let last = try? memory.load(UInt8.self, at: image.arguments.end - 1)
        guard let last, last != 0, image.environment.start == image.arguments.end else { return bytes(image.arguments, memory) }
        let all = bytes(GuestRange(start: image.arguments.start, end: image.environment.end), memory)
        let inArguments = Int(truncatingIfNeeded: image.arguments.length)
        guard let end = all.dropFirst(max(0, inArguments - 1)).firstIndex(of: 0) else { return all }
        return Array(all[..<end])
    }
    private func environment() -> [UInt8] {
        guard let memory = reference.memory else { return [] }
        return bytes(group.image.environment, memory)
    }

    /// As much of a range as can be read, within the bound of execve(2) on strings.
    private func bytes(_ range: GuestRange, _ memory: AddressSpace) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        let end = min(range.end, range.start + UInt64(6 << 20))
        var result: [UInt8] = []
        var address = range.start
        while address < end {
            let count = min(end - address, Page.size - address.pageOffset)
            guard let piece = try? memory.copyIn(address, count: Int(count)) else { break }
            result += piece
            address = address + count
        }
        return result
    }

    // MARK: memory

    func memoryStatistics() -> MemoryStatistics {
        guard let memory = reference.memory else { return MemoryStatistics() }
        var statistics = MemoryStatistics(memory.regions(), code: group.image.code)
        let totals = memory.statistics(countingResident: false)
        statistics.peakSize = totals.peakVirtualBytes
        statistics.breakStart = totals.breakStart.rawValue
        return statistics
    }

    /// Linux's oom_badness as proc_oom_score scales it: 0 to 2000, 666 for a process that uses next to nothing.
    private func oomScore() -> [UInt8] {
        guard reference.memory != nil else { return Array("0\n".utf8) }
        let total = max(1, Int64(reference.kernel.memoryFile.totalBytes / Page.size))
        let adjustment = Int64(group.oomScoreAdjustment)
        if adjustment == -1000 { return Array("0\n".utf8) }
        let pages = Int64(truncatingIfNeeded: memoryStatistics().resident / Page.size)
        let points = pages + adjustment * (total / 1000)
        return Array("\(max(0, (1000 + points * 1000 / total) * 2 / 3))\n".utf8)
    }

    // MARK: scheduling

    private func schedstat(_ task: Task) -> [UInt8] {
        let usage = task.usage
        return Array("\(usage.user &+ usage.system) 0 \(usage.voluntarySwitches &+ usage.involuntarySwitches)\n".utf8)
    }

    private func sched(_ task: Task) -> [UInt8] {
        let usage = task.usage
        var text = TextBuilder()
        text.text(task.name)
        text.line(" (\(number(task.numbers)), #threads: \(group.threadCount))")
        text.line("-------------------------------------------------------------------")
        func row(_ name: String, _ value: String) {
            text.text(name)
            for _ in 0..<max(0, 45 - name.utf8.count) { text.space() }
            text.text(":")
            for _ in 0..<max(0, 21 - value.utf8.count) { text.space() }
            text.line(value)
        }
        func milliseconds(_ nanoseconds: Int64) -> String {
            var fraction = TextBuilder()
            fraction.decimal(UInt64(max(0, nanoseconds) % 1_000_000), width: 6, pad: 0x30)
            return "\(max(0, nanoseconds) / 1_000_000)." + String(decoding: fraction.bytes, as: UTF8.self)
        }
        row("se.exec_start", milliseconds(MonotonicInstant.now.nanoseconds))
        row("se.vruntime", milliseconds(usage.user &+ usage.system))
        row("se.sum_exec_runtime", milliseconds(usage.user &+ usage.system))
        row("nr_switches", String(usage.voluntarySwitches &+ usage.involuntarySwitches))
        row("nr_voluntary_switches", String(usage.voluntarySwitches))
        row("nr_involuntary_switches", String(usage.involuntarySwitches))
        let scheduling = task.scheduling
        row("policy", String(scheduling.policy.rawValue))
        row("prio", String(scheduling.policy.isRealTime ? 99 - Int(scheduling.priority) : 120 + Int(scheduling.nice)))
        return text.bytes
    }
}
