import HostOS
import Kernel
import LinuxABI
import Memory

/// getrusage(2), times(2), sysinfo(2), getcpu(2).
extension SystemCallFamilies {
    public static let usage: [SystemCallEntry] = [
        .init(98, "getrusage", sysGetrusage),
        .init(99, "sysinfo", sysSysinfo),
        .init(100, "times", sysTimes),
        .init(309, "getcpu", sysGetcpu),
    ]

    @Sendable static func sysGetrusage(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let group = current.threadGroup
        var usage: ResourceUsage
        switch a.int(0) {
        case Rusage.ofSelf: usage = group.usage
        case Rusage.ofChildren: usage = group.childrenUsage
        case Rusage.ofThread: usage = current.task.usage
        case Rusage.ofBoth: usage = group.usage + group.childrenUsage
        default: throw .EINVAL
        }
        if a.int(0) != Rusage.ofChildren { usage.maximumResident = max(usage.maximumResident, current.memory.residentBytes) }
        try current.memory.store(Rusage(usage), at: a.address(1))
        return 0
    }

    // Block and message counts stay zero, as do most on Linux.

    @Sendable static func sysTimes(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        if !a.address(0).isNull {
            let own = current.threadGroup.usage
            let children = current.threadGroup.childrenUsage
            var times = ProcessTimes()
            times.user = own.user / ProcessTimes.nanosecondsPerTick
            times.system = own.system / ProcessTimes.nanosecondsPerTick
            times.childUser = children.user / ProcessTimes.nanosecondsPerTick
            times.childSystem = children.system / ProcessTimes.nanosecondsPerTick
            try current.memory.store(times, at: a.address(0))
        }
        return Int(HostClock.monotonic.nanoseconds / ProcessTimes.nanosecondsPerTick)
    }

    @Sendable static func sysSysinfo(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var info = Sysinfo()
        info.uptime = HostClock.boottime.timespec.seconds
        let (one, five, fifteen) = HostMachine.loadAverages
        func fixed(_ load: Double) -> UInt64 { UInt64(max(0, min(load, 1e6)) * 65536) }
        info.loads = (fixed(one), fixed(five), fixed(fifteen))
        // As /proc/meminfo: the memory file holds what the sandbox uses.
        info.totalMemory = HostMachine.memoryBytes
        info.freeMemory = info.totalMemory - min(current.kernel.memoryFile.committedBytes, info.totalMemory)
        info.processes = UInt16(clamping: current.kernel.processes.taskCount)
        try current.memory.store(info, at: a.address(0))
        return 0
    }

    /// The CPU of the task thread, which the guest thread follows.
    @Sendable static func sysGetcpu(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let place = HostSystem.currentProcessor
        if !a.address(0).isNull { try current.memory.store(place.cpu, at: a.address(0)) }
        if !a.address(1).isNull { try current.memory.store(place.node, at: a.address(1)) }
        return 0
    }
}

extension Rusage {
    init(_ usage: ResourceUsage) {
        self.init()
        user = Timeval(nanoseconds: usage.user)
        system = Timeval(nanoseconds: usage.system)
        maximumResident = Int64(clamping: usage.maximumResident / 1024)
        minorFaults = Int64(clamping: usage.minorFaults)
        majorFaults = Int64(clamping: usage.majorFaults)
        voluntarySwitches = Int64(clamping: usage.voluntarySwitches)
        involuntarySwitches = Int64(clamping: usage.involuntarySwitches)
    }
}
