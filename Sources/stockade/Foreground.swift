import HostOS
import LinuxABI
import OCIRuntime

/// A command that stays with its container: passes signals in, carries the terminal, ends with the container's exit status.
enum Foreground {
    private static let forwarded: [Signal] = [.SIGHUP, .SIGINT, .SIGQUIT, .SIGTERM, .SIGUSR1, .SIGUSR2, .SIGALRM, .SIGCONT, .SIGWINCH]

    static func signals() throws(RuntimeError) -> HostSignalQueue {
        do throws(Errno) { return try HostSignalQueue(forwarded) } catch { throw RuntimeError("signals cannot be watched: \(error)") }
    }

    /// Waits for the child `pid`. With `master`, standard input and output are its terminal's.
    static func wait(
        for pid: Int32, signals: borrowing HostSignalQueue, master: SharedHostDescriptor?, forward: (Int32) -> Void
    ) -> Int32 {
        let process = try? HostProcess.openProcess(pid)
        let relay = TerminalRelay(master)
        defer { relay.restore() }
        while true {
            var watched = [signals.number]
            if let number = process?.number { watched.append(number) }
            watched += relay.watched
            let ready = HostPoll.waitReadable(watched, until: process == nil ? .after(nanoseconds: 50_000_000) : nil)
            if ready.contains(signals.number) {
                while let signal = signals.next() {
                    if signal.number == Signal.SIGWINCH.rawValue, relay.isActive { relay.resize() } else { forward(signal.number) }
                }
            }
            relay.carry(ready)
            if let status = (try? HostProcess.waitStatus(of: pid, wait: false)) ?? nil {
                relay.drain()
                let signal = status & 0x7f
                return signal == 0 ? (status >> 8) & 0xff : 128 + signal
            }
        }
    }
}

/// Carries bytes between this process's standard streams and the master of a container's terminal.
final class TerminalRelay {
    private let master: SharedHostDescriptor?
    private var saved: [UInt8]?
    private var inputIsOpen = true

    init(_ master: SharedHostDescriptor?) {
        self.master = master
        guard self.master != nil else { return }
        resize()
        if HostTerminalCalls.isTerminal(0) { saved = try? HostTerminalCalls.makeRaw(0) }
    }

    var isActive: Bool { master != nil }
    var watched: [Int32] {
        guard let number = master?.number else { return [] }
        return inputIsOpen ? [0, number] : [number]
    }

    func resize() {
        guard let number = master?.number, let size = try? HostTerminalCalls.size(0) else { return }
        try? HostTerminalCalls.setSize(number, size)
    }

    func carry(_ ready: [Int32]) {
        guard let number = master?.number else { return }
        if inputIsOpen && ready.contains(0) {
            let bytes = (try? HostIO.readSome(0, capacity: 4096)) ?? []
            if bytes.isEmpty { inputIsOpen = false } else { try? HostIO.writeAll(number, bytes) }
        }
        if ready.contains(number) { _ = carryOutput(number) }
    }

    /// Whether there was any. EIO: nobody has the slave open now.
    private func carryOutput(_ number: Int32) -> Bool {
        guard let bytes = try? HostIO.readSome(number, capacity: 65536), !bytes.isEmpty else {
            _ = HostPoll.waitReadable([], until: .after(nanoseconds: 5_000_000))
            return false
        }
        try? HostIO.writeAll(1, bytes)
        return true
    }

    /// What was written before the end.
    func drain() {
        guard let number = master?.number else { return }
        while HostPoll.waitReadable([number], until: .after(nanoseconds: 1_000_000)).contains(number), carryOutput(number) {}
    }

    func restore() { if let saved { HostTerminalCalls.restore(0, saved) } }
}
