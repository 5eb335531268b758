import Kernel
import LinuxABI
import Synchronization
import VirtualFileSystem

/// Session and foreground group of one terminal, and the rules of job control that follow from them (credentials(7), ioctl_tty(2)).
///
/// Lock: `state` is a leaf; signals are sent without it.
final class JobControl: Sendable {
    private struct State {
        var session: Session?
        var foreground: ProcessGroup?
        /// Where to find the session's leader.
        var kernel: SandboxKernel?
    }
    private let state = Mutex(State())

    var session: Session? { state.withLock { $0.session } }
    var foreground: ProcessGroup? { state.withLock { $0.foreground } }

    /// Takes `terminal` as the controlling terminal of `session`.
    func attach(_ terminal: any ControllingTerminal, to session: Session, foreground: ProcessGroup?) {
        session.terminal.withLock { $0 = terminal }
        let kernel = foreground?.threadGroups.first?.kernel
        state.withLock { $0 = State(session: session, foreground: foreground, kernel: kernel ?? $0.kernel) }
    }

    /// The session is gone; its own reference was dropped by whoever ended it.
    func detach() {
        state.withLock {
            $0.session = nil
            $0.foreground = nil
        }
    }

    /// The terminal is gone: its session loses it, and the session's leader is told.
    func hangUp(_ terminal: any ControllingTerminal) {
        let (session, kernel) = state.withLock { s in
            defer { s = State() }
            return (s.session, s.kernel)
        }
        guard let session else { return }
        session.terminal.withLock { if $0 === terminal { $0 = nil } }
        guard let leader = kernel?.processes.threadGroup(session.id) else { return }
        leader.send(SignalInfo(.SIGHUP, code: SignalInfo.SI_KERNEL))
        leader.send(SignalInfo(.SIGCONT, code: SignalInfo.SI_KERNEL))
    }

    /// A signal that the terminal raises, to the foreground group.
    func signal(_ signal: Signal) { foreground?.send(SignalInfo(signal, code: SignalInfo.SI_KERNEL)) }

    /// Whether `caller`'s controlling terminal is `terminal`.
    func controls(_ terminal: any ControllingTerminal, _ caller: any Caller) -> Bool {
        guard let group = (caller as? CurrentTask)?.threadGroup.processGroup else { return false }
        return group.session.terminal.withLock { $0 === terminal }
    }

    /// What a process in the background gets for using its controlling terminal (tty_check_change): `signal` is SIGTTIN for reads,
    /// SIGTTOU for changes and, with TOSTOP, writes.
    /// - Throws: ERESTARTSYS after the signal was sent, EIO where it would have no effect.
    func checkForeground(_ signal: Signal, _ terminal: any ControllingTerminal, _ caller: any Caller) throws(Errno) {
        guard let current = caller as? CurrentTask, controls(terminal, caller) else { return }
        let group = current.threadGroup.processGroup
        guard let foreground, foreground !== group else { return }
        if current.task.blockedSignals.has(signal) || current.threadGroup.actions.ignored.has(signal) {
            if signal == .SIGTTIN { throw .EIO }
            return
        }
        if group.isOrphaned { throw .EIO }
        group.send(SignalInfo(signal, code: SignalInfo.SI_KERNEL))
        throw .ERESTARTSYS
    }

    /// Opening a terminal makes it the controlling one of a session leader without any, unless O_NOCTTY says otherwise (open(2)).
    func opened(_ terminal: any ControllingTerminal, _ flags: OpenFlags, _ caller: any Caller) {
        guard !flags.contains(.noControllingTerminal), flags.isReadable, let current = caller as? CurrentTask else { return }
        let group = current.threadGroup
        guard group.isSessionLeader, session == nil else { return }
        let session = group.session
        guard session.terminal.withLock({ $0 == nil }) else { return }
        attach(terminal, to: session, foreground: group.processGroup)
    }

    /// The requests of job control. Nil for any other request.
    func ioctl(_ request: UInt32, argument: UInt64, _ terminal: any ControllingTerminal, isMaster: Bool, caller: any Caller) throws(Errno) -> Int? {
        let address = GuestAddress(argument)
        switch request {
        case TerminalRequest.TIOCGPGRP:
            guard isMaster || controls(terminal, caller) else { throw .ENOTTY }
            let current = caller as? CurrentTask
            try caller.memory.store(foreground.map { current?.number(of: $0) ?? $0.id } ?? 0, at: address)
        case TerminalRequest.TIOCSPGRP: try setForeground(address, terminal, caller)
        case TerminalRequest.TIOCGSID:
            guard isMaster || controls(terminal, caller), let session else { throw .ENOTTY }
            try caller.memory.store((caller as? CurrentTask)?.number(of: session) ?? session.id, at: address)
        case TerminalRequest.TIOCSCTTY: try acquire(terminal, mayTake: argument == 1, caller)
        case TerminalRequest.TIOCNOTTY: try giveUp(terminal, caller)
        default: return nil
        }
        return 0
    }

    private func setForeground(_ address: GuestAddress, _ terminal: any ControllingTerminal, _ caller: any Caller) throws(Errno) {
        do throws(Errno) {
            try checkForeground(.SIGTTOU, terminal, caller)
        } catch {
            throw error == .EIO ? .ENOTTY : error
        }
        guard let current = caller as? CurrentTask, controls(terminal, caller), session === current.threadGroup.session else { throw .ENOTTY }
        let id = try caller.memory.load(Int32.self, at: address)
        guard id >= 0 else { throw .EINVAL }
        guard let group = current.findProcessGroup(id) else { throw .ESRCH }
        guard group.session === current.threadGroup.session else { throw .EPERM }
        state.withLock { $0.foreground = group }
    }

    private func acquire(_ terminal: any ControllingTerminal, mayTake: Bool, _ caller: any Caller) throws(Errno) {
        guard let current = caller as? CurrentTask else { throw .EPERM }
        let group = current.threadGroup
        let own = group.session
        if group.isSessionLeader, session === own { return }
        guard group.isSessionLeader, own.terminal.withLock({ $0 == nil }) else { throw .EPERM }
        if let other = session {
            guard mayTake, caller.credentials.has(.sysAdmin) else { throw .EPERM }
            other.terminal.withLock { if $0 === terminal { $0 = nil } }
        }
        attach(terminal, to: own, foreground: group.processGroup)
    }

    private func giveUp(_ terminal: any ControllingTerminal, _ caller: any Caller) throws(Errno) {
        // Linux lets a process that is no leader leave alone; here the terminal belongs to the whole session.
        guard let current = caller as? CurrentTask, controls(terminal, caller), current.threadGroup.isSessionLeader else { throw .ENOTTY }
        let group = foreground
        current.threadGroup.session.terminal.withLock { $0 = nil }
        detach()
        group?.send(SignalInfo(.SIGHUP, code: SignalInfo.SI_KERNEL))
        group?.send(SignalInfo(.SIGCONT, code: SignalInfo.SI_KERNEL))
    }
}
