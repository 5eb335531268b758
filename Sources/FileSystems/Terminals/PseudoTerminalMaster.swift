import HostOS
import Kernel
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// The master side, from opening /dev/ptmx.
final class PseudoTerminalMaster: FileOperations {
    let terminal: PseudoTerminal
    init(_ terminal: PseudoTerminal) { self.terminal = terminal }

    /// - Throws: EIO once every slave is closed and everything was read.
    var splicing: Splicing { [.source, .target] }
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        let wanted = buffer.remaining
        if wanted == 0 { return 0 }
        let bytes = try terminal.state.withLock { s throws(Errno) in
            if s.discipline.isPacketMode, !s.discipline.packetStatus.isEmpty {
                defer { s.discipline.packetStatus = [] }
                return [s.discipline.packetStatus.rawValue]
            }
            if s.discipline.output.isEmpty { throw s.isSlaveGone ? .EIO : .EAGAIN }
            guard s.discipline.isPacketMode else { return s.discipline.output.removeFirst(wanted) }
            return [0] + s.discipline.output.removeFirst(wanted - 1)
        }
        terminal.slaveQueue.notify(.allWritable)
        return try buffer.put(bytes)
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        var count = 0
        while buffer.remaining > 0 {
            let room = terminal.state.withLock { PseudoTerminal.backlogCapacity - $0.backlog.count }
            if room <= 0 { break }
            let bytes = try buffer.take(min(buffer.remaining, room, 4096))
            if bytes.isEmpty { break }
            count += terminal.type(bytes)
        }
        if count == 0, buffer.remaining > 0 { throw .EAGAIN }
        return (count, 0)
    }

    func readiness() -> PollEvents {
        terminal.state.withLock { s in
            var events: PollEvents = []
            if !s.discipline.output.isEmpty { events.formUnion(.allReadable) }
            if s.discipline.isPacketMode, !s.discipline.packetStatus.isEmpty { events.formUnion([.allReadable, .priority]) }
            if s.backlog.count < PseudoTerminal.backlogCapacity { events.formUnion(.allWritable) }
            if s.isSlaveGone { events.insert(.hangUp) }
            return events
        }
    }
    func addWaiter(_ entry: WaitEntry) { terminal.masterQueue.add(entry) }
    func removeWaiter(_ entry: WaitEntry) { terminal.masterQueue.remove(entry) }
    var isPollable: Bool { true }

    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        let address = GuestAddress(argument)
        switch request {
        case TerminalRequest.TIOCGPTN: try caller.memory.store(UInt32(truncatingIfNeeded: terminal.index), at: address)
        case TerminalRequest.TIOCSPTLCK:
            let locks = try caller.memory.load(Int32.self, at: address) != 0
            terminal.state.withLock { $0.isLocked = locks }
        case TerminalRequest.TIOCGPTLCK:
            try caller.memory.store(terminal.state.withLock { $0.isLocked ? Int32(1) : 0 }, at: address)
        case TerminalRequest.TIOCGPTPEER: return try openPeer(OpenFlags(rawValue: UInt32(truncatingIfNeeded: argument)), caller)
        case TerminalRequest.TIOCSIG:
            guard let signal = Signal(rawValue: Int32(truncatingIfNeeded: argument)) else { throw .EINVAL }
            terminal.jobs.signal(signal)
        case TerminalRequest.TIOCPKT:
            let isOn = try caller.memory.load(Int32.self, at: address) != 0
            terminal.state.withLock { $0.discipline.setPacketMode(isOn) }
        case TerminalRequest.TIOCGPKT:
            try caller.memory.store(terminal.state.withLock { $0.discipline.isPacketMode ? Int32(1) : 0 }, at: address)
        case TerminalRequest.FIONREAD:
            try caller.memory.store(terminal.state.withLock { Int32(truncatingIfNeeded: $0.discipline.output.count) }, at: address)
        case TerminalRequest.TCFLSH: try terminal.flush(selector: argument, fromMaster: true)
        default: return try terminal.ioctl(request, argument: argument, isMaster: true, caller: caller)
        }
        return 0
    }

    /// A slave descriptor without a path: works whatever is mounted where.
    private func openPeer(_ flags: OpenFlags, _ caller: any Caller) throws(Errno) -> Int {
        guard let current = caller as? CurrentTask else { throw .EINVAL }
        let operations = try terminal.open(flags, caller: caller)
        let inode = terminal.fileSystem.inode(of: terminal)
        let description = FileDescription(
            operations: operations, inode: inode, anonymousName: "/dev/pts/\(terminal.index)",
            flags: flags.intersection([.writeOnly, .readWrite, .nonBlocking]))
        return try current.install(description, closeOnExec: flags.contains(.closeOnExec))
    }

    func released() { terminal.masterClosed() }
}
