import HostOS
import Kernel
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// An open file of the user's terminal.
final class HostTerminalFile: FileOperations {
    private let terminal: HostTerminal
    private let inode: HostInode
    private let descriptor: SharedHostDescriptor
    private let ready: HostReadiness
    private let waiting = Mutex(ReadTimeout())
    private let doesNotBlock: Bool

    init(_ terminal: HostTerminal, _ inode: HostInode, own: SharedHostDescriptor) {
        self.terminal = terminal
        self.inode = inode
        descriptor = terminal.descriptor
        doesNotBlock = terminal.isNonBlocking
        ready = HostReadiness(terminal.descriptor.number)
    }

    private var number: Int32 { descriptor.number }

    var splicing: Splicing { [.source, .target] }
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        try terminal.jobs.checkForeground(.SIGTTIN, terminal, caller)
        let wanted: PollEvents = [.allReadable, .hangUp, .error]
        if try HostFileCalls.poll(number, wanted, milliseconds: 0).isDisjoint(with: wanted) {
            ready.wanted()
            return try emptyRead(caller)
        }
        waiting.withLock { $0.clear() }
        do throws(Errno) {
            return try buffer.fill(fromHost: number, offset: -1)
        } catch {
            guard error == .EINTR || error == .EAGAIN else { throw error }
            ready.wanted()
            throw .EAGAIN
        }
    }

    /// Nothing to read: with VMIN 0 that is an answer, at once or after VTIME tenths of a second (termios(3)).
    private func emptyRead(_ caller: any Caller) throws(Errno) -> Int {
        let settings = try currentSettings()
        guard !settings.local.contains(.canonical), settings[.minimum] == 0 else { throw .EAGAIN }
        if settings[.time] == 0 { return 0 }
        let isOver = waiting.withLock { $0.isOver(tenths: settings[.time], caller) { [ready] in ready.expired() } }
        if isOver { return 0 }
        throw .EAGAIN
    }

    private func currentSettings() throws(Errno) -> Termios {
        var bytes = [UInt8](repeating: 0, count: Termios.size)
        _ = try HostFileCalls.control(number, TerminalRequest.TCGETS, &bytes)
        guard let settings = Termios(bytes: bytes) else { throw .EIO }
        return settings
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        if try currentSettings().local.contains(.stopOutput) { try terminal.jobs.checkForeground(.SIGTTOU, terminal, caller) }
        var count = 0
        while buffer.remaining > 0 {
            do throws(Errno) {
                count += try writeSome(&buffer)
            } catch {
                if count > 0 { break }
                throw error
            }
        }
        return (count, 0)
    }

    private func writeSome(_ buffer: inout IOBuffer) throws(Errno) -> Int {
        do throws(Errno) {
            if doesNotBlock { return try buffer.drain(toHost: number, offset: -1) }
            let wanted: PollEvents = [.allWritable, .error, .hangUp]
            if try HostFileCalls.poll(number, wanted, milliseconds: 0).isDisjoint(with: wanted) { throw Errno.EAGAIN }
            // What a terminal that polls writable takes without waiting for long.
            var part = IOBuffer(kernelBytes: try buffer.take(min(buffer.remaining, 512)))
            return try part.drain(toHost: number, offset: -1)
        } catch {
            guard error == .EINTR || error == .EAGAIN else { throw error }
            ready.wanted()
            throw .EAGAIN
        }
    }

    func readiness() -> PollEvents { ready.current() }
    func addWaiter(_ entry: WaitEntry) { ready.add(entry) }
    func removeWaiter(_ entry: WaitEntry) { ready.remove(entry) }
    var isPollable: Bool { true }

    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        if let result = try terminal.jobs.ioctl(request, argument: argument, terminal, isMaster: false, caller: caller) { return result }
        let address = GuestAddress(argument)
        switch request {
        case TerminalRequest.TCGETS: try fetch(request, Termios.size, address, caller)
        case TerminalRequest.TCGETS2: try fetch(request, Termios.size2, address, caller)
        case TerminalRequest.TCGETA: try fetch(request, 18, address, caller)
        case TerminalRequest.TIOCGWINSZ: try fetch(request, 8, address, caller)
        case TerminalRequest.TIOCOUTQ, TerminalRequest.FIONREAD, TerminalRequest.TIOCGETD: try fetch(request, 4, address, caller)
        case TerminalRequest.TCSETS, TerminalRequest.TCSETSW, TerminalRequest.TCSETSF:
            try change(request, Termios.size, address, caller)
        case TerminalRequest.TCSETS2, TerminalRequest.TCSETSW2, TerminalRequest.TCSETSF2:
            try change(request, Termios.size2, address, caller)
        case TerminalRequest.TCSETA, TerminalRequest.TCSETAW, TerminalRequest.TCSETAF: try change(request, 18, address, caller)
        case TerminalRequest.TIOCSWINSZ:
            var bytes = try caller.memory.copyIn(address, count: 8)
            _ = try HostFileCalls.control(number, request, &bytes)
        case TerminalRequest.TCSBRK, TerminalRequest.TCSBRKP, TerminalRequest.TCXONC, TerminalRequest.TCFLSH:
            try terminal.jobs.checkForeground(.SIGTTOU, terminal, caller)
            return try HostFileCalls.control(number, request, value: Int(truncatingIfNeeded: argument))
        // Typing for the user would let a guest command whatever reads the terminal after it.
        case TerminalRequest.TIOCSTI: throw .EIO
        default: throw .ENOTTY
        }
        return 0
    }

    private func fetch(_ request: UInt32, _ size: Int, _ address: GuestAddress, _ caller: any Caller) throws(Errno) {
        var bytes = [UInt8](repeating: 0, count: size)
        _ = try HostFileCalls.control(number, request, &bytes)
        try caller.memory.copyOut(bytes, to: address)
    }

    private func change(_ request: UInt32, _ size: Int, _ address: GuestAddress, _ caller: any Caller) throws(Errno) {
        try terminal.jobs.checkForeground(.SIGTTOU, terminal, caller)
        var bytes = try caller.memory.copyIn(address, count: size)
        _ = try HostFileCalls.control(number, request, &bytes)
    }

    func synchronize(dataOnly: Bool) throws(Errno) { throw .EINVAL }
}
