import Kernel
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// ioctl_tty(2) on a pseudo-terminal. Settings and size belong to the pair, from whichever side they are asked.
extension PseudoTerminal {
    func ioctl(_ request: UInt32, argument: UInt64, isMaster: Bool, caller: any Caller) throws(Errno) -> Int {
        if let result = try jobs.ioctl(request, argument: argument, self, isMaster: isMaster, caller: caller) { return result }
        let address = GuestAddress(argument)
        switch request {
        case TerminalRequest.TCGETS: try caller.memory.copyOut(settings.bytes(extended: false), to: address)
        case TerminalRequest.TCGETS2: try caller.memory.copyOut(settings.bytes(extended: true), to: address)
        case TerminalRequest.TCGETA: try caller.memory.copyOut(Self.oldBytes(settings), to: address)
        case TerminalRequest.TCSETS, TerminalRequest.TCSETSW, TerminalRequest.TCSETSF:
            try change(request == TerminalRequest.TCSETSF, address, Termios.size, caller)
        case TerminalRequest.TCSETS2, TerminalRequest.TCSETSW2, TerminalRequest.TCSETSF2:
            try change(request == TerminalRequest.TCSETSF2, address, Termios.size2, caller)
        case TerminalRequest.TCSETA, TerminalRequest.TCSETAW, TerminalRequest.TCSETAF:
            try change(request == TerminalRequest.TCSETAF, address, 18, caller)
        case TerminalRequest.TIOCGWINSZ: try caller.memory.copyOut(state.withLock { $0.window }, to: address)
        case TerminalRequest.TIOCSWINSZ: try setWindow(try caller.memory.copyIn(address, count: 8))
        // Written bytes are with the master at once: nothing is ever in between.
        case TerminalRequest.TIOCOUTQ: try caller.memory.store(Int32(0), at: address)
        case TerminalRequest.TCSBRK, TerminalRequest.TCSBRKP: try jobs.checkForeground(.SIGTTOU, self, caller)
        case TerminalRequest.TCXONC:
            try jobs.checkForeground(.SIGTTOU, self, caller)
            try control(selector: argument)
        case TerminalRequest.TIOCEXCL: state.withLock { $0.isExclusive = true }
        case TerminalRequest.TIOCNXCL: state.withLock { $0.isExclusive = false }
        case TerminalRequest.TIOCGEXCL: try caller.memory.store(state.withLock { $0.isExclusive ? Int32(1) : 0 }, at: address)
        case TerminalRequest.TIOCGETD: try caller.memory.store(Int32(0), at: address)
        case TerminalRequest.TIOCSETD: if try caller.memory.load(Int32.self, at: address) != 0 { throw .EINVAL }
        case TerminalRequest.TIOCGDEV:
            let number = isMaster ? TerminalNumbers.ptmx : device
            try caller.memory.store(UInt32(truncatingIfNeeded: number.encoded), at: address)
        case TerminalRequest.TIOCGLCKTRMIOS: try caller.memory.copyOut(state.withLock { $0.locked.bytes }, to: address)
        case TerminalRequest.TIOCSLCKTRMIOS:
            guard caller.credentials.has(.sysAdmin) else { throw .EPERM }
            let bytes = try caller.memory.copyIn(address, count: Termios.size)
            state.withLock { $0.locked.bytes = bytes }
        // dev.tty.legacy_tiocsti is 0.
        case TerminalRequest.TIOCSTI: throw .EIO
        default: throw .ENOTTY
        }
        return 0
    }

    private var settings: Termios { state.withLock { $0.discipline.settings } }

    private func change(_ flushes: Bool, _ address: GuestAddress, _ size: Int, _ caller: any Caller) throws(Errno) {
        try jobs.checkForeground(.SIGTTOU, self, caller)
        let bytes = try caller.memory.copyIn(address, count: size)
        state.withLock { s in
            if flushes {
                s.discipline.flushInput()
                s.backlog.removeAll()
            }
            let old = s.discipline.settings
            if size == 18 {
                s.discipline.apply(s.locked.apply(to: Self.merged(old, oldBytes: bytes), from: old))
            } else if var new = Termios(bytes: bytes) {
                if size == Termios.size {
                    new.inputSpeed = s.discipline.settings.inputSpeed
                    new.outputSpeed = s.discipline.settings.outputSpeed
                }
                s.discipline.apply(s.locked.apply(to: new, from: old))
            }
        }
        takeBacklog()
        slaveQueue.notify([.allReadable, .allWritable])
        notifyPackets()
    }

    private func setWindow(_ window: [UInt8]) throws(Errno) {
        let isNew = state.withLock { s in
            defer { s.window = window }
            return s.window != window
        }
        if isNew { jobs.signal(.SIGWINCH) }
    }

    /// TCFLSH: 0 what was received and not read, 1 what was written and not sent, 2 both.
    func flush(selector: UInt64, fromMaster: Bool) throws(Errno) {
        guard selector <= 2 else { throw .EINVAL }
        let received = selector != 1, written = selector != 0
        state.withLock { s in
            if fromMaster ? written : received {
                s.discipline.flushInput()
                s.backlog.removeAll()
            }
            if fromMaster ? received : written { s.discipline.output.removeAll() }
            if written && !fromMaster { s.discipline.tell(.flushedWrites) }
        }
        masterQueue.notify(.allWritable)
        notifyPackets()
        slaveQueue.notify(.allWritable)
    }

    /// TCXONC: 0 suspends output, 1 resumes it, 2 and 3 send the STOP and START characters.
    private func control(selector: UInt64) throws(Errno) {
        switch selector {
        case 0: state.withLock { $0.discipline.isStoppedByRequest = true }
        case 1: state.withLock { $0.discipline.isStoppedByRequest = false }
        case 2, 3:
            state.withLock { s in
                let c = s.discipline.settings[selector == 2 ? .stop : .start]
                if c != 0 { s.discipline.putRaw(c) }
            }
            masterQueue.notify(.allReadable)
        default: throw .EINVAL
        }
        slaveQueue.notify(.allWritable)
        notifyPackets()
    }

    /// A master in packet mode has something to read.
    private func notifyPackets() {
        if state.withLock({ !$0.discipline.packetStatus.isEmpty }) { masterQueue.notify([.allReadable, .priority]) }
    }

    // MARK: struct termio, the System V form

    private static func oldBytes(_ t: Termios) -> [UInt8] {
        var result: [UInt8] = []
        for word in [t.input.rawValue, t.output.rawValue, t.control, t.local.rawValue] {
            result.append(UInt8(truncatingIfNeeded: word))
            result.append(UInt8(truncatingIfNeeded: word >> 8))
        }
        result.append(t.line)
        for index in 0..<8 { result.append(index < t.characters.count ? t.characters[index] : 0) }
        result.append(0)
        return result
    }

    private static func merged(_ t: Termios, oldBytes bytes: [UInt8]) -> Termios {
        guard bytes.count >= 17 else { return t }
        var result = t
        func low(_ word: UInt32, _ index: Int) -> UInt32 { word & 0xffff_0000 | UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 }
        result.input = Termios.Input(rawValue: low(t.input.rawValue, 0))
        result.output = Termios.Output(rawValue: low(t.output.rawValue, 2))
        result.control = low(t.control, 4)
        result.local = Termios.Local(rawValue: low(t.local.rawValue, 6))
        for index in 0..<8 where index < result.characters.count { result.characters[index] = bytes[9 + index] }
        return result
    }
}
