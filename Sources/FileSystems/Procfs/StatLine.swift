import HostOS
import Kernel
import LinuxABI
import Memory

/// The one line of /proc/PID/stat (proc_pid_stat(5)).
struct StatLine: Sendable {
    var id: Int32 = 0
    var name: [UInt8] = []
    var state: Character = "R"
    var parent: Int32 = 0
    var processGroup: Int32 = 0
    var session: Int32 = 0
    var terminal: UInt64 = 0
    /// -1 without a controlling terminal.
    var foregroundGroup: Int32 = -1
    /// PF_RANDOMIZE.
    var flags: UInt32 = 0x40_0000
    var usage = ResourceUsage()
    var childrenUsage = ResourceUsage()
    var scheduling = SchedulingState()
    var threads: Int = 1
    /// Clock ticks since boot.
    var startTime: UInt64 = 0
    var size: UInt64 = 0
    var residentPages: UInt64 = 0
    var residentLimit = ResourceLimit.infinity
    var image = ProcessImage()
    /// Addresses are for those who may inspect the process.
    var showsAddresses = true
    var pending = SignalSet()
    var blocked = SignalSet()
    var ignored = SignalSet()
    var caught = SignalSet()
    var isWaiting = false
    var exitSignal: Int32 = 17
    var breakStart: UInt64 = 0
    var exitCode: Int32 = 0

    /// Nanoseconds in clock ticks of 10 ms.
    static func ticks(_ nanoseconds: Int64) -> UInt64 { UInt64(max(0, nanoseconds)) / 10_000_000 }

    /// Field 18: 20 + nice, or minus one and the real-time priority.
    private var priority: Int64 {
        scheduling.policy.isRealTime ? -1 - Int64(scheduling.priority) : 20 + Int64(scheduling.nice)
    }

    var line: [UInt8] {
        var text = TextBuilder(reserving: 384)
        text.decimal(id)
        text.text(" (")
        text.text(name)
        text.text(") \(state)")
        func signed(_ values: Int64...) {
            for value in values {
                text.space()
                text.decimal(value)
            }
        }
        func unsigned(_ values: UInt64...) {
            for value in values {
                text.space()
                text.decimal(value)
            }
        }
        signed(Int64(parent), Int64(processGroup), Int64(session), Int64(bitPattern: terminal), Int64(foregroundGroup))
        unsigned(UInt64(flags), usage.minorFaults, childrenUsage.minorFaults, usage.majorFaults, childrenUsage.majorFaults)
        unsigned(
            Self.ticks(usage.user), Self.ticks(usage.system), Self.ticks(childrenUsage.user), Self.ticks(childrenUsage.system))
        signed(priority, Int64(scheduling.nice), Int64(threads), 0)
        unsigned(startTime, size, residentPages, residentLimit)
        if showsAddresses {
            unsigned(image.code.start.rawValue, image.code.end.rawValue, image.stackStart.rawValue, 0, 0)
        } else {
            unsigned(size == 0 ? 0 : 1, size == 0 ? 0 : 1, 0, 0, 0)
        }
        // The signal words are cut to what a 32-bit set holds.
        for set in [pending, blocked, ignored, caught] { unsigned(set.rawValue & 0x7fff_ffff) }
        unsigned(isWaiting ? 1 : 0, 0, 0)
        signed(Int64(exitSignal), 0)
        unsigned(UInt64(scheduling.priority), UInt64(scheduling.policy.rawValue), 0, 0)
        signed(0)
        if showsAddresses {
            unsigned(
                image.data.start.rawValue, image.data.end.rawValue, breakStart, image.arguments.start.rawValue,
                image.arguments.end.rawValue, image.environment.start.rawValue, image.environment.end.rawValue)
            signed(Int64(exitCode))
        } else {
            unsigned(0, 0, 0, 0, 0, 0, 0, 0)
        }
        text.newline()
        return text.bytes
    }
}

extension ProcessText {
    func stat(_ task: Task) -> StatLine {
        let isThread = reference.thread != nil
        var line = StatLine()
        let space = reference.pidNamespace
        line.id = task.numbers.number(in: space)
        line.scheduling = task.scheduling
        line.name = task.name
        line.state = task.runState.letter
        line.parent = group.parent?.numbers.number(in: space) ?? 0
        line.processGroup = group.processGroup.numbers.number(in: space)
        line.session = group.session.numbers.number(in: space)
        if let terminal = group.session.terminal.withLock({ $0 }) {
            line.terminal = terminal.device.encoded
            line.foregroundGroup = terminal.foregroundGroup?.numbers.number(in: space) ?? 0
        }
        line.usage = isThread ? task.usage : group.usage
        line.childrenUsage = group.childrenUsage
        line.threads = max(group.threadCount, group.isZombie ? 1 : 0)
        line.startTime = StatLine.ticks(BootClock.since(isThread ? task.startTime : group.startTime))
        line.residentLimit = group.limit(.residentSet).soft
        line.exitSignal = isThread && !task.isLeader ? -1 : group.exitSignal?.rawValue ?? 0
        line.pending = task.pendingSignals
        line.blocked = task.blockedSignals
        line.ignored = group.actions.ignored
        line.caught = group.actions.caught
        line.showsAddresses = reference.mayInspect(caller)
        if case .running = task.runState {} else { line.isWaiting = line.showsAddresses }
        if reference.memory != nil {
            let memory = memoryStatistics()
            line.size = memory.size
            line.residentPages = memory.resident / Page.size
            line.image = group.image
            line.breakStart = memory.breakStart
        }
        if let status = group.exitStatus { line.exitCode = status.waitStatus }
        return line
    }
}

/// Times as /proc counts them: since the host's boot, so that they agree with clock_gettime(2), which guests ask through the
/// vDSO.
enum BootClock {
    static var uptime: Int64 { HostClock.boottime.nanoseconds }
    /// Boot to `instant`, which is on the monotonic clock; the two differ by the time the host was suspended.
    static func since(_ instant: MonotonicInstant) -> Int64 {
        instant.nanoseconds &+ max(0, uptime &- MonotonicInstant.now.nanoseconds)
    }
    /// Wall-clock second of boot.
    static var bootSecond: Int64 { max(0, HostClock.realtime.nanoseconds &- uptime) / 1_000_000_000 }
}
