import LinuxABI
import Testing
import VirtualFileSystem

@testable import Kernel

/// The rules of signal queues, on a process that does not run.
@Suite struct SignalQueueTests {
    private let group: ThreadGroup
    private let task: Task

    init() throws {
        let kernel = try Sandbox([]).kernel
        let space = kernel.pidNamespace
        let own = ProcessNumbers(global: 2, namespace: space, inner: [])
        let first = ProcessNumbers(global: 1, namespace: space, inner: [])
        let session = Session(first)
        group = ThreadGroup(
            own, kernel: kernel, parent: nil, parentTask: 0, processGroup: ProcessGroup(first, session: session), exitSignal: .SIGCHLD,
            actions: SignalActions(), attributes: ThreadGroup.Attributes())
        task = Task(
            own, threadGroup: group, kernel: kernel,
            state: Task.State(credentials: Credentials(uid: 1000, gid: 1000, groups: [], capabilities: [])),
            blocked: SignalSet(rawValue: ~SignalSet.unblockable.rawValue))
        let (group, task) = (group, task)
        group.signals.withLock { $0.tasks = [task] }
    }

    private func queued(_ number: Int32, value: UInt64) -> SignalInfo {
        var info = SignalInfo()
        info.signo = number
        info.code = SignalInfo.SI_QUEUE
        info.value = value
        return info
    }
    private func takeAll() -> [(Int32, UInt64)] {
        group.signals.withLock { g in
            var result: [(Int32, UInt64)] = []
            while let next = g.pending.take(blocked: []) { result.append((next.signal.rawValue, next.entry.info.value)) }
            return result
        }
    }

    @Test func standardSignalsAreNotQueuedTwice() throws {
        try group.send(queued(10, value: 1), to: nil, options: [])
        try group.send(queued(10, value: 2), to: nil, options: [])
        let taken = takeAll()
        #expect(taken.count == 1)
        #expect(taken.first?.1 == 1)
    }

    @Test func realTimeSignalsKeepTheirOrder() throws {
        for value in 1...3 { try group.send(queued(40, value: UInt64(value)), to: nil, options: []) }
        try group.send(queued(35, value: 9), to: nil, options: [])
        #expect(takeAll().map(\.1) == [9, 1, 2, 3])
    }

    @Test func fullQueueRefusesQueuedSignals() throws {
        group.setLimit(.pendingSignals, ResourceLimit(soft: 2, hard: 2))
        try group.send(queued(40, value: 1), to: nil, options: [])
        try group.send(queued(40, value: 2), to: nil, options: [])
        #expect(throws: Errno.EAGAIN) { try group.send(queued(40, value: 3), to: nil, options: []) }
        // kill(2) still marks the signal.
        try group.send(SignalInfo(.SIGUSR2, code: SignalInfo.SI_USER), to: nil, options: [])
        #expect(group.pendingSignals.has(.SIGUSR2))
    }

    @Test func continueDiscardsStopsAndStopDiscardsContinue() throws {
        group.send(SignalInfo(.SIGTSTP, code: SignalInfo.SI_USER))
        group.send(SignalInfo(.SIGCONT, code: SignalInfo.SI_USER))
        #expect(group.pendingSignals == SignalSet(.SIGCONT))
        group.send(SignalInfo(.SIGTTIN, code: SignalInfo.SI_USER))
        #expect(group.pendingSignals == SignalSet(.SIGTTIN))
    }

    @Test func blockedSignalIsQueuedThoughIgnored() throws {
        group.send(SignalInfo(.SIGCHLD, code: SignalInfo.SI_USER))
        #expect(group.pendingSignals.has(.SIGCHLD))
        task.signals.withLock { $0.blocked = [] }
        group.send(SignalInfo(.SIGWINCH, code: SignalInfo.SI_USER))
        #expect(!group.pendingSignals.has(.SIGWINCH))
    }

    @Test func fatalSignalEndsTheGroupAtOnce() throws {
        task.signals.withLock { $0.blocked = [] }
        group.send(SignalInfo(.SIGTERM, code: SignalInfo.SI_USER))
        #expect(group.signals.withLock { $0.exit } == .killed(.SIGTERM))
        #expect(task.pendingSignals.has(.SIGKILL))
    }
}
