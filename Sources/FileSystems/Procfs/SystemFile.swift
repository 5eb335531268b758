import HostOS
import Kernel
import LinuxABI
import VirtualFileSystem

/// Files at the root of procfs whose content changes.
enum SystemFile: String, Sendable {
    case cpuinfo, filesystems, interrupts, loadavg, meminfo, stat, uptime, version, vmstat
}

struct SystemFileContent: SyntheticContent {
    let file: SystemFile
    let kernel: SandboxKernel
    let machine: MachineFacts

    func bytes(caller: any Caller) throws(Errno) -> [UInt8] {
        switch file {
        case .cpuinfo: return machine.processorInformation
        case .filesystems: return fileSystems(caller.mountNamespace)
        case .interrupts: return interrupts()
        case .loadavg: return loadAverage(caller)
        case .meminfo: return SystemMemory(kernel: kernel).text
        case .stat: return statistics()
        case .uptime: return uptime()
        case .version:
            return Array(
                "\(LinuxVersion.system) version \(LinuxVersion.release) (stockade@stockade) (swift) \(LinuxVersion.build)\n".utf8)
        case .vmstat: return SystemMemory(kernel: kernel).pageCounters
        }
    }

    /// All are without a device.
    private func fileSystems(_ namespace: MountNamespace) -> [UInt8] {
        var text = TextBuilder()
        for name in namespace.listedFileSystemTypes { text.line("nodev\t\(name)") }
        return text.bytes
    }

    private func interrupts() -> [UInt8] {
        var text = TextBuilder()
        text.text("           ")
        for index in 0..<machine.processorCount {
            let start = text.bytes.count
            text.text("CPU\(index)")
            text.pad(to: 11, from: start)
        }
        text.newline()
        return text.bytes
    }

    /// The load is the host's: the sandbox's tasks are among its threads.
    private func lastID(_ caller: any Caller) -> Int32 {
        guard let space = (caller as? CurrentTask)?.pidNamespace, space.level > 0 else { return kernel.processes.lastID }
        return space.lastID
    }

    private func loadAverage(_ caller: any Caller) -> [UInt8] {
        let (one, five, fifteen) = HostMachine.loadAverages
        var text = TextBuilder()
        for value in [one, five, fifteen] {
            text.hundredths(UInt64(max(0, value * 100)))
            text.space()
        }
        text.line("\(max(1, runningTasks))/\(max(1, kernel.processes.taskCount)) \(lastID(caller))")
        return text.bytes
    }

    private var runningTasks: Int {
        var count = 0
        for group in kernel.processes.threadGroups {
            for task in group.tasks { if case .running = task.runState { count += 1 } }
        }
        return count
    }

    private func uptime() -> [UInt8] {
        let up = max(0, BootClock.uptime)
        let idle = max(0, up &* Int64(machine.processorCount) &- busyTime().total)
        var text = TextBuilder()
        text.hundredths(UInt64(up / 10_000_000))
        text.space()
        text.hundredths(UInt64(idle / 10_000_000))
        text.newline()
        return text.bytes
    }

    /// CPU time of all processes that are left, and of the children they have waited for.
    private func busyTime() -> (user: Int64, system: Int64, total: Int64) {
        var user: Int64 = 0
        var system: Int64 = 0
        for group in kernel.processes.threadGroups {
            let own = group.usage
            let children = group.childrenUsage
            user &+= own.user &+ children.user
            system &+= own.system &+ children.system
        }
        return (user, system, user &+ system)
    }

    private func statistics() -> [UInt8] {
        let processors = max(1, machine.processorCount)
        let busy = busyTime()
        let up = max(0, BootClock.uptime)
        var text = TextBuilder(reserving: 512)
        // user nice system idle iowait irq softirq steal guest guest_nice
        func row(_ name: String, _ share: Int64, _ width: Int64) {
            let idle = max(0, up &* width &- busy.total / share)
            let (user, system) = (StatLine.ticks(busy.user / share), StatLine.ticks(busy.system / share))
            text.line("\(name) \(user) 0 \(system) \(StatLine.ticks(idle)) 0 0 0 0 0 0")
        }
        row("cpu ", 1, Int64(processors))
        for index in 0..<processors { row("cpu\(index)", Int64(processors), 1) }
        text.text("intr 0\nctxt 0\nbtime \(BootClock.bootSecond)\nprocesses \(kernel.processes.lastID)\n")
        text.text("procs_running \(max(1, runningTasks))\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n")
        return text.bytes
    }
}

extension TextBuilder {
    /// `12.05` from 1205.
    mutating func hundredths(_ value: UInt64) {
        decimal(value / 100)
        text(".")
        decimal(value % 100, width: 2, pad: 0x30)
    }
}
