import HostOS
import Kernel
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open file of the slave side: the terminal as programs have it.
final class PseudoTerminalSlave: FileOperations {
    private let terminal: PseudoTerminal
    private let generation: Int
    private let isNonBlocking: Atomic<Bool>
    private let timeout = Mutex(ReadTimeout())

    init(_ terminal: PseudoTerminal, generation: Int, flags: OpenFlags) {
        self.terminal = terminal
        self.generation = generation
        isNonBlocking = Atomic(flags.contains(.nonBlocking))
    }

    private enum Found {
        case bytes([UInt8])
        case endOfFile
        case nothing
        /// VTIME runs.
        case waitsTenths(UInt8, available: Int)
    }

    var splicing: Splicing { [.source, .target] }
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        // A terminal that was hung up reads as at its end.
        if isHungUp { return 0 }
        try terminal.jobs.checkForeground(.SIGTTIN, terminal, caller)
        let limit = buffer.remaining
        if limit == 0 { return 0 }
        switch find(limit) {
        case .bytes(let bytes):
            timeout.withLock { $0.clear() }
            terminal.takeBacklog()
            return try buffer.put(bytes)
        case .endOfFile:
            terminal.takeBacklog()
            return 0
        case .nothing: throw .EAGAIN
        case .waitsTenths(let tenths, let available):
            let queue = terminal.slaveQueue
            guard timeout.withLock({ $0.isOver(tenths: tenths, caller) { queue.notify(.allReadable) } }) else { throw .EAGAIN }
            if available == 0 { return 0 }
            let bytes = terminal.state.withLock { $0.discipline.readRaw(limit: limit) }
            terminal.takeBacklog()
            return try buffer.put(bytes)
        }
    }

    /// What a read of `limit` bytes gets: termios(3), canonical mode, and MIN and TIME without it.
    private func find(_ limit: Int) -> Found {
        let isPatient = !isNonBlocking.load(ordering: .relaxed)
        return terminal.state.withLock { s in
            if s.discipline.isCanonical {
                guard s.discipline.hasLine else { return .nothing }
                let line = s.discipline.readLine(limit: limit)
                return line.isEmpty ? .endOfFile : .bytes(line)
            }
            let minimum = Int(s.discipline.settings[.minimum])
            let tenths = s.discipline.settings[.time]
            let available = s.discipline.cells.count
            if available > 0, !isPatient || available >= min(minimum, limit) { return .bytes(s.discipline.readRaw(limit: limit)) }
            if minimum == 0 { return tenths == 0 ? .endOfFile : .waitsTenths(tenths, available: 0) }
            // The time runs between bytes only.
            return available > 0 && tenths > 0 ? .waitsTenths(tenths, available: available) : .nothing
        }
    }

    private var isHungUp: Bool { terminal.state.withLock { $0.generation != generation || !$0.isMasterOpen } }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        if terminal.state.withLock({ $0.discipline.settings.local.contains(.stopOutput) }) {
            try terminal.jobs.checkForeground(.SIGTTOU, terminal, caller)
        }
        var count = 0
        while buffer.remaining > 0 {
            if isHungUp {
                if count > 0 { break }
                throw .EIO
            }
            let room = terminal.state.withLock { s in s.discipline.isFlowing ? s.discipline.outputRoom / s.discipline.outputExpansion : 0 }
            if room == 0 { break }
            let bytes = try buffer.take(min(buffer.remaining, room, 4096))
            if bytes.isEmpty { break }
            terminal.state.withLock { $0.discipline.write(bytes) }
            count += bytes.count
            terminal.masterQueue.notify(.allReadable)
        }
        if count == 0, buffer.remaining > 0 { throw .EAGAIN }
        return (count, 0)
    }

    func readiness() -> PollEvents {
        terminal.state.withLock { s in
            if s.generation != generation || !s.isMasterOpen { return [.allReadable, .allWritable, .error, .hangUp] }
            var events: PollEvents = []
            let d = s.discipline
            let enough = max(1, d.settings[.time] == 0 ? Int(d.settings[.minimum]) : 1)
            if d.isCanonical ? d.hasLine : d.cells.count >= enough { events.formUnion(.allReadable) }
            if d.isFlowing, d.outputRoom > 256 { events.formUnion(.allWritable) }
            return events
        }
    }
    func addWaiter(_ entry: WaitEntry) { terminal.slaveQueue.add(entry) }
    func removeWaiter(_ entry: WaitEntry) { terminal.slaveQueue.remove(entry) }
    var isPollable: Bool { true }

    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        if isHungUp { throw request == TerminalRequest.TIOCSPGRP ? .ENOTTY : .EIO }
        switch request {
        case TerminalRequest.FIONREAD:
            let count = terminal.state.withLock { Int32(truncatingIfNeeded: $0.discipline.availableCount) }
            try caller.memory.store(count, at: GuestAddress(argument))
            return 0
        case TerminalRequest.TCFLSH:
            try terminal.jobs.checkForeground(.SIGTTOU, terminal, caller)
            try terminal.flush(selector: argument, fromMaster: false)
            return 0
        default: return try terminal.ioctl(request, argument: argument, isMaster: false, caller: caller)
        }
    }

    func statusFlagsChanged(_ flags: OpenFlags) throws(Errno) { isNonBlocking.store(flags.contains(.nonBlocking), ordering: .relaxed) }
    func released() { terminal.slaveClosed(generation: generation) }
}
