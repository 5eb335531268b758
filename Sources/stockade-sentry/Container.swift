import FileSystems
import HostOS
import Kernel
import LinuxABI
import Loader
import Memory
import SandboxControl
import Synchronization
import VirtualFileSystem

/// An OCI container: a booted sandbox whose program waits for its start, and to which processes are added.
///
/// Lock: `state` is held while the program is started, so that of two starts one fails; nothing else is waited for under it.
final class Container: Sendable {
    private let kernel: SandboxKernel
    private let configuration: ContainerConfiguration
    private let streams: StandardStreams
    /// Where execve(2) finds the program.
    private let path: [UInt8]
    /// Never touched: what a caller outside all tasks has to have.
    private let memory: AddressSpace
    private var caller: BootCaller { BootCaller(kernel: kernel, memory: memory) }

    private let filter: SeccompFilter?

    private struct State {
        var phase = ContainerReply.Phase.created
        /// The exit status of a container that was killed before its start.
        var earlyEnd: Int32?
        /// The program is loaded, and hooks run ahead of it.
        var isHeld = false
    }
    private let state = Mutex(State())
    /// Processes that somebody waits for: the sandbox ends after their ends were told.
    private let watchers = Atomic<Int>(0)
    /// Woken when the program was started or the container ended without.
    private let begun = HostParker()

    struct Failure: Error {
        var errno: Errno
        var message: String
    }

    init(
        kernel: SandboxKernel, configuration: ContainerConfiguration, streams: StandardStreams, memory: AddressSpace
    ) throws(BootFailure) {
        self.kernel = kernel
        self.configuration = configuration
        self.streams = streams
        self.memory = memory
        filter = try Self.filter(configuration.filter)
        do throws(ContainerProgram.Failure) {
            let caller = BootCaller(kernel: kernel, memory: memory)
            path = try ContainerProgram(kernel: kernel, process: configuration.process, caller: caller, filter: filter).find()
        } catch { throw .program(status: error.status, error.message) }
        kernel.limitTasks(to: configuration.taskLimit.map { Int($0) })
        if let limit = configuration.memoryLimit { try MemoryGuard(kernel: kernel, limit: limit).start() }
    }

    /// The program is checked here as one of a guest's is.
    private static func filter(_ words: [UInt64]) throws(BootFailure) -> SeccompFilter? {
        guard !words.isEmpty else { return nil }
        let instructions = words.map {
            FilterInstruction(
                UInt16(truncatingIfNeeded: $0), UInt32(truncatingIfNeeded: $0 >> 32), ifTrue: UInt8(truncatingIfNeeded: $0 >> 16),
                ifFalse: UInt8(truncatingIfNeeded: $0 >> 24))
        }
        return try Boot.step("use the filter of linux.seccomp") { () throws(Errno) in
            SeccompFilter(try FilterProgram(instructions), logs: false, listener: nil)
        }
    }

    // MARK: lifecycle

    var phase: ContainerReply.Phase {
        let phase = state.withLock { $0.phase }
        return phase == .running && kernel.freezer.isFrozen ? .paused : phase
    }

    /// `isHeld`: the program runs only after `release`.
    func start(isHeld: Bool) throws(Failure) {
        try state.withLock { s throws(Failure) in
            guard !s.isHeld else { throw Failure(errno: .EBUSY, message: "cannot start a container that another command is starting") }
            switch s.phase {
            case .created: break
            case .running, .paused: throw Failure(errno: .EBUSY, message: "cannot start an already running container")
            case .stopped: throw Failure(errno: .ESRCH, message: "cannot start a container that has stopped")
            }
            if isHeld { kernel.holdInit() }
            do throws(ContainerProgram.Failure) {
                try ContainerProgram(kernel: kernel, process: configuration.process, caller: caller, filter: filter)
                    .startInit(path, streams.descriptors)
            } catch {
                s.phase = .stopped
                s.earlyEnd = error.status
                begun.wake()
                throw Failure(errno: .ENOEXEC, message: error.message)
            }
            if configuration.process.isTerminal, let terminal = streams.terminal, let group = kernel.processes.processGroup(1) {
                terminal.becomeControllingTerminal(of: group)
            }
            s.isHeld = isHeld
            guard !isHeld else { return }
            s.phase = .running
            begun.wake()
        }
    }

    /// Lets a program go that was started held.
    func release() throws(Failure) {
        try state.withLock { s throws(Failure) in
            guard s.isHeld, s.phase == .created else { throw Failure(errno: .EINVAL, message: "the container is not being started") }
            s.isHeld = false
            s.phase = .running
            kernel.releaseInit()
            begun.wake()
        }
    }

    /// Blocks until the container has ended and returns the exit status that its host process gives.
    func waitForEnd() -> Int32 {
        while true {
            let (phase, end) = state.withLock { ($0.phase, $0.earlyEnd) }
            if let end { return end }
            if phase != .created { break }
            begun.park(until: nil)
        }
        let status = Self.exitStatus(kernel.waitForExit().waitStatus)
        state.withLock { $0.phase = .stopped }
        let deadline = MonotonicInstant.after(nanoseconds: 1_000_000_000)
        while watchers.load(ordering: .acquiring) > 0 && MonotonicInstant.now < deadline {
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: 2_000_000))
        }
        return status
    }

    /// As shells do: the exit status, or 128 + the signal's number.
    private static func exitStatus(_ waitStatus: Int32) -> Int32 {
        let signal = waitStatus & 0x7f
        return signal == 0 ? (waitStatus >> 8) & 0xff : 128 + signal
    }

    // MARK: signals

    /// Those that by default end nothing: signal(7).
    private static let harmless: Set<Signal> = [.SIGCHLD, .SIGCONT, .SIGURG, .SIGWINCH, .SIGSTOP, .SIGTSTP, .SIGTTIN, .SIGTTOU]

    func signal(_ number: Int32, to pid: Int32, all: Bool) throws(Failure) {
        guard let signal = Signal(rawValue: number) else { throw Failure(errno: .EINVAL, message: "invalid signal \(number)") }
        let isCreated = state.withLock { s in
            guard s.phase == .created else { return false }
            // The process that waits for the start has no handlers.
            if !Self.harmless.contains(signal) {
                s.phase = .stopped
                s.earlyEnd = 128 + number
                begun.wake()
            }
            return true
        }
        if isCreated { return }
        if state.withLock({ $0.phase }) == .stopped { throw Failure(errno: .ESRCH, message: "container not running") }
        if all || (pid == 1 && signal == .SIGKILL) {
            if signal == .SIGKILL { kernel.killAll() } else { kernel.signalAllFromRuntime(signal) }
            return
        }
        do throws(Errno) { try kernel.signalFromRuntime(signal, to: pid) } catch {
            throw Failure(errno: error, message: "no process \(pid) in the container")
        }
    }

    /// A key or the window of the terminal that the container was created with.
    func deliverFromTerminal(_ number: Int32) {
        guard let signal = Signal(rawValue: number) else { return }
        streams.terminal?.deliver(signal)
    }

    // MARK: pausing

    func pause() throws(Failure) {
        switch phase {
        case .running: break
        case .paused: throw Failure(errno: .EBUSY, message: "container not running: it is paused already")
        case .created, .stopped: throw Failure(errno: .EINVAL, message: "container not running or created: \(Self.name(phase))")
        }
        kernel.freeze()
        let deadline = MonotonicInstant.after(nanoseconds: 2_000_000_000)
        while !kernel.isFrozenWhole {
            guard MonotonicInstant.now < deadline else {
                kernel.thaw()
                throw Failure(errno: .ETIMEDOUT, message: "the container's processes did not come to rest")
            }
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: 1_000_000))
        }
    }

    func resume() throws(Failure) {
        guard phase == .paused else { throw Failure(errno: .EINVAL, message: "container not paused") }
        kernel.thaw()
    }

    private static func name(_ phase: ContainerReply.Phase) -> String {
        switch phase {
        case .created: "created"
        case .running: "running"
        case .paused: "paused"
        case .stopped: "stopped"
        }
    }

    // MARK: processes

    /// A process beside the container's first.
    struct Added {
        let group: ThreadGroup
        let terminal: HostTerminal?
    }

    func exec(_ process: ProcessConfiguration, _ descriptors: [SharedHostDescriptor], ignoringPause: Bool) throws(Failure) -> Added {
        switch phase {
        case .running: break
        case .created where state.withLock({ $0.isHeld }): break
        case .created: throw Failure(errno: .EINVAL, message: "cannot exec in a container that has not been started")
        case .paused where ignoringPause: break
        case .paused: throw Failure(errno: .EBUSY, message: "cannot exec in a paused container (use --ignore-paused to override)")
        case .stopped: throw Failure(errno: .ESRCH, message: "cannot exec in a stopped container")
        }
        let streams: StandardStreams
        do throws(BootFailure) { streams = try StandardStreams(descriptors.map { Optional($0) }, caller: caller) } catch {
            throw Failure(errno: .EBADF, message: "the process's standard streams cannot be used")
        }
        let program = ContainerProgram(kernel: kernel, process: process, caller: caller, filter: filter)
        do throws(ContainerProgram.Failure) {
            let group = try program.start(try program.find(), streams.descriptors)
            if process.isTerminal { streams.terminal?.becomeControllingTerminal(of: group.processGroup) }
            return Added(group: group, terminal: streams.terminal)
        } catch {
            throw Failure(errno: error.status == 127 ? .ENOENT : error.status == 126 ? .EACCES : .EAGAIN, message: error.message)
        }
    }

    func kill(_ added: Added) {
        if added.group.exitStatus == nil { added.group.send(SignalInfo(.SIGKILL, code: SignalInfo.SI_KERNEL)) }
    }

    func beginWatching() { watchers.wrappingAdd(1, ordering: .acquiringAndReleasing) }
    func endWatching() { watchers.wrappingSubtract(1, ordering: .acquiringAndReleasing) }

    /// Blocks until the process has ended; its wait status.
    func wait(for group: ThreadGroup) -> Int32 {
        let parker = HostParker()
        let entry = WaitEntry(events: .everything, parker: parker)
        group.exitEvents.add(entry)
        defer { group.exitEvents.remove(entry) }
        while true {
            if let status = group.exitStatus { return status.waitStatus }
            parker.park(until: nil)
        }
    }

    func processes() -> [ContainerReply.Process] {
        let now = MonotonicInstant.now
        return kernel.processes.threadGroups.map { group in
            let usage = group.usage
            let name = group.leader?.name ?? []
            return ContainerReply.Process(
                pid: group.id, parent: group.parentID, uid: group.credentials?.realUID ?? 0,
                processorTime: UInt64(max(0, usage.user &+ usage.system)), age: UInt64(max(0, now.nanoseconds - group.startTime.nanoseconds)),
                command: name)
        }
    }

    func statistics() -> ContainerReply.Statistics {
        var result = ContainerReply.Statistics()
        for group in kernel.processes.threadGroups {
            var usage = group.usage
            // Children that ended and were waited for, or fell to the first process.
            usage = usage + group.childrenUsage
            result.userTime += UInt64(max(0, usage.user))
            result.systemTime += UInt64(max(0, usage.system))
            result.memory += group.memory?.residentBytes ?? 0
        }
        result.tasks = UInt64(kernel.processes.taskCount)
        result.taskLimit = kernel.taskLimit.map { UInt64($0) } ?? .max
        return result
    }

    func limitTasks(to limit: UInt32?) { kernel.limitTasks(to: limit.map { Int($0) }) }
}
