import HostOS
import Kernel
import LinuxABI
import Synchronization
import VirtualFileSystem

/// A pseudo-terminal pair: pty(7). The master types and reads what is written; the slave is a terminal.
///
/// Lock: `state` is a leaf; wait queues are notified and signals sent without it.
final class PseudoTerminal: TerminalDevice {
    let index: Int
    let fileSystem: DevptsFileSystem
    let jobs = JobControl()
    let masterQueue = WaitQueue()
    let slaveQueue = WaitQueue()

    struct State {
        var discipline = LineDiscipline()
        /// Typed bytes that the discipline had no room for.
        var backlog = ByteQueue()
        var window: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
        /// A new pair's slave can't be opened before unlockpt(3).
        var isLocked = true
        var isExclusive = false
        var locked = LockedSettings()
        var isMasterOpen = true
        /// Open slave files of the present generation; a hang-up ends a generation.
        var slaves = 0
        var generation = 0
        /// Whether a slave was open and all are closed: the master then reads EIO.
        var isSlaveGone = false
    }
    let state = Mutex(State())
    /// Typed bytes that wait for room in the discipline: as the kernel's flip buffers.
    static let backlogCapacity = 65536

    init(index: Int, fileSystem: DevptsFileSystem) {
        self.index = index
        self.fileSystem = fileSystem
    }

    var device: DeviceNumber { DeviceNumber(major: TerminalNumbers.ptsMajor, minor: UInt32(truncatingIfNeeded: index)) }
    var foregroundGroup: ProcessGroup? { jobs.foreground }

    /// Opens the slave. - Throws: EIO while locked or without a master, EBUSY with TIOCEXCL.
    func open(_ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        let generation = try state.withLock { s throws(Errno) in
            guard s.isMasterOpen, !s.isLocked else { throw .EIO }
            if s.isExclusive, !caller.credentials.has(.sysAdmin) { throw .EBUSY }
            s.slaves += 1
            s.isSlaveGone = false
            return s.generation
        }
        jobs.opened(self, flags, caller)
        return PseudoTerminalSlave(self, generation: generation, flags: flags)
    }

    func slaveClosed(generation: Int) {
        let last = state.withLock { s in
            guard generation == s.generation else { return false }
            s.slaves -= 1
            s.isSlaveGone = s.slaves == 0
            if s.isSlaveGone { s.isExclusive = false }
            return s.isSlaveGone
        }
        if last { masterQueue.notify([.hangUp, .allReadable]) }
    }

    /// The session leader is gone. Unlike a real line, a pseudo-terminal isn't hung up: whoever has it open keeps it
    /// (disassociate_ctty in the kernel).
    func sessionEnded() { jobs.detach() }

    private func hangUpSlaves() {
        state.withLock { s in
            s.generation += 1
            if s.slaves > 0 { s.isSlaveGone = true }
            s.slaves = 0
            s.isExclusive = false
        }
        slaveQueue.notify(.everything)
        masterQueue.notify([.hangUp, .allReadable])
    }

    func hangUp() {
        jobs.hangUp(self)
        hangUpSlaves()
    }

    /// The master was closed: the terminal is gone, its session is told.
    func masterClosed() {
        state.withLock { s in
            s.isMasterOpen = false
            s.discipline.flushInput()
            s.discipline.output.removeAll()
            s.backlog.removeAll()
        }
        fileSystem.remove(self)
        jobs.hangUp(self)
        hangUpSlaves()
    }

    // MARK: typing

    /// Bytes from the master. Returns how many were taken.
    func type(_ bytes: [UInt8]) -> Int {
        var signals: [Signal] = []
        let taken = state.withLock { s in
            let count = min(bytes.count, Self.backlogCapacity - s.backlog.count)
            if s.backlog.isEmpty {
                var index = 0
                while index < count, s.discipline.takesInput {
                    if let signal = s.discipline.receive(bytes[index]) { signals.append(signal) }
                    index += 1
                }
                if index < count { s.backlog.append(contentsOf: Array(bytes[index..<count])) }
            } else {
                s.backlog.append(contentsOf: Array(bytes[..<count]))
            }
            return count
        }
        for signal in signals { jobs.signal(signal) }
        if taken > 0 {
            slaveQueue.notify([.allReadable, .allWritable])
            masterQueue.notify(.allReadable)
        }
        return taken
    }

    /// Room was made: typed bytes that waited come in.
    func takeBacklog() {
        var signals: [Signal] = []
        let moved = state.withLock { s in
            var moved = false
            while s.discipline.takesInput, let byte = s.backlog.removeFirst() {
                if let signal = s.discipline.receive(byte) { signals.append(signal) }
                moved = true
            }
            return moved
        }
        for signal in signals { jobs.signal(signal) }
        if moved {
            slaveQueue.notify(.allReadable)
            masterQueue.notify(.allReadable)
        }
        masterQueue.notify(.allWritable)
    }
}
