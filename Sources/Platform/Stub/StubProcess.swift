import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// One stub process: an address space with a manager thread that changes it on order.
///
/// Everything that comes back from it but the completion byte is untrusted: guest threads share its memory. The byte is trusted, because
/// only the manager can write to the pipe (README, "What is trusted").
final class StubProcess: Sendable {
    let processID: Int32
    let zygote: StubZygote
    private let slot: UInt32

    // SAFETY: the pointer inside `chost_stub` is this object's own slot, used under the lock only.
    @safe private struct State {
        var stub: chost_stub
        var isGone = false
        /// Guest threads that run guest code for somebody.
        var threads: Set<Int32> = []
        /// Guest threads that wait for their next use (seccomp platform).
        var idle: [StubThread] = []
        /// Signal stacks that are or were mapped here, so they are nobody else's while the process lives; those without a thread.
        var areas: [UInt32] = []
        var freeAreas: [StubArea] = []
    }
    /// Operations that fit the order pages.
    static let operationLimit = Int(CSTUB_ORDER_SIZE - 64 - CSTUB_BIRTH_SIZE) / 64
    private static let idleLimit = 32
    private let state: Mutex<State>

    init(zygote: StubZygote) throws(Errno) {
        let slot = try zygote.takeSlot()
        var orders: (Int32, Int32) = (-1, -1)
        var completion: (Int32, Int32) = (-1, -1)
        var files: (Int32, Int32) = (-1, -1)
        var succeeded = false
        defer {
            if !succeeded {
                zygote.returnSlot(slot)
                StubProcess.close([orders.1, completion.0, files.0])
            }
            StubProcess.close([orders.0, completion.1, files.1])
        }
        // SAFETY: each call stores two descriptors into live locals.
        try hostCall(unsafe chost_make_pipe(&orders.0, &orders.1))
        try hostCall(unsafe chost_make_pipe(&completion.0, &completion.1))
        try hostCall(unsafe chost_stub_files_pair(&files.0, &files.1))
        let pid = try zygote.fork(slot: slot, orders: orders.0, completion: completion.1, files: files.1)
        succeeded = true
        self.zygote = zygote
        self.slot = slot
        processID = pid
        let memory = unsafe zygote.memory(ofSlot: slot)
        unsafe state = Mutex(
            State(
                stub: chost_stub(
                    pid: pid, orders: orders.1, completion: completion.0, files: files.0, slot: memory, cpu: -1)))
    }

    // MARK: blocks of patched sites

    /// In the slots file.
    var sitesOffset: UInt64 { StubZygote.slotOffset(slot) + UInt64(CSTUB_SLOT_SITES) }
    /// The Sentry's view: CSTUB_SITES_SIZE bytes, valid while this object lives.
    // SAFETY: inside this process's own slot, which guests cannot write to here.
    var siteMemory: UnsafeMutableRawPointer { unsafe zygote.memory(ofSlot: slot) + Int(CSTUB_SLOT_SITES) }

    private static func close(_ descriptors: [Int32]) {
        for number in descriptors where number >= 0 { _ = HostDescriptor(owning: number) }
    }

    deinit {
        kill()
        // SAFETY: nobody else refers to the object any more.
        let (stub, areas) = unsafe state.withLock { unsafe ($0.stub, $0.areas) }
        unsafe StubProcess.close([stub.orders, stub.completion, stub.files])
        StubReaper.shared.reap(StubReaper.Dying(process: processID, slot: slot, areas: areas, zygote: zygote))
    }

    /// Performs `operations` in order, in batches that fit the order pages. `descriptors` are passed ahead of the batch that receives them.
    /// - Throws: the errno of the failing operation (bounded, otherwise as untrusted as the guest), ESRCH when the stub is gone.
    @discardableResult
    func perform(_ operations: [cstub_operation], descriptors: [Int32] = []) throws(Errno) -> Int64 {
        try state.withLock { s throws(Errno) in try StubProcess.perform(operations, descriptors, &s) }
    }

    private static func perform(_ operations: [cstub_operation], _ descriptors: [Int32], _ s: inout State) throws(Errno) -> Int64 {
        guard !s.isGone else { throw .ESRCH }
        var result: Int64 = 0
        // SAFETY: buffers are live for the call; `count` entries are read. The slot pointer is valid while the object lives.
        let outcome = unsafe operations.withUnsafeBufferPointer { operations in
            unsafe descriptors.withUnsafeBufferPointer { descriptors in
                unsafe chost_stub_perform(
                    &s.stub, operations.baseAddress!, UInt32(operations.count), descriptors.baseAddress, UInt32(descriptors.count), &result)
            }
        }
        switch outcome {
        case 0: return result
        case 1:
            let errno = result < 0 && result > -4096 ? Errno(rawValue: Int32(-result)) : Errno.EIO
            if !descriptors.isEmpty { drainFiles(&s) }
            throw errno
        default:
            s.isGone = true
            throw .ESRCH
        }
    }

    /// After a failed batch that received files: closes what was received and takes what still waits, so that the next file again lands
    /// on CSTUB_FD_RECEIVED.
    private static func drainFiles(_ s: inout State) {
        let close = StubOperation.close(CSTUB_FD_RECEIVED)
        _ = try? perform([close], [], &s)
        while (try? perform([StubOperation.receiveFile(wait: false), close], [], &s)) != nil {}
    }

    /// A new guest thread, waiting in the stub. - Throws: EAGAIN, ESRCH.
    func makeThread() throws(Errno) -> Int32 {
        try state.withLock { s throws(Errno) in
            let thread = Int32(truncatingIfNeeded: try StubProcess.perform([StubOperation.cloneThread], [], &s))
            // The number came through memory that guests can write: take it only for a thread of this process that is not known yet.
            guard thread > 0, thread != processID, !s.threads.contains(thread), chost_stub_thread_is_alive(processID, thread) != 0
            else {
                s.isGone = true
                kill()
                throw .ESRCH
            }
            s.threads.insert(thread)
            return thread
        }
    }

    // MARK: threads of the seccomp platform

    /// A guest thread that waits at its doorbell: one that is idle, or a new one. - Throws: EAGAIN, ESRCH.
    func takeThread(polls: Bool) throws(Errno) -> StubThread {
        try state.withLock { s throws(Errno) in
            guard !s.isGone else { throw .ESRCH }
            let thread: StubThread
            if let idle = s.idle.popLast() { thread = idle } else { thread = try makeNotifyingThread(polls: polls, &s) }
            s.threads.insert(thread.id)
            return thread
        }
    }

    private func makeNotifyingThread(polls: Bool, _ s: inout State) throws(Errno) -> StubThread {
        let area: StubArea
        if let free = s.freeAreas.popLast() {
            area = free
        } else {
            area = StubArea(zygote: zygote, number: try zygote.takeArea())
            s.areas.append(area.number)
        }
        unsafe chost_stub_prepare_birth(s.stub.slot, area.address)
        do throws(Errno) {
            _ = try StubProcess.perform(StubOperation.makeNotifyingThread(area: area), [], &s)
            let listener = unsafe chost_stub_receive_listener(s.stub.files)
            try hostCall(listener)
            return try StubThread(process: processID, area: area, listener: HostDescriptor(owning: listener), polls: polls)
        } catch {
            // A half-made thread may be left, or its listener in the stub's table: this process cannot go on.
            s.isGone = true
            kill()
            throw error == .ESRCH ? .ESRCH : .EAGAIN
        }
    }

    /// Takes back a thread that waits at its doorbell.
    func threadIsIdle(_ thread: StubThread) {
        state.withLock { s in
            s.threads.remove(thread.id)
            if s.isGone { return }
            if s.idle.count < Self.idleLimit {
                s.idle.append(thread)
            } else {
                thread.end()
                s.freeAreas.append(thread.area)
            }
        }
    }

    func threadEnded(_ thread: Int32) { state.withLock { s in _ = s.threads.remove(thread) } }

    /// Whether the process can serve another address space: it runs, and has no guest thread.
    var isReusable: Bool { state.withLock { s in !s.isGone && s.threads.isEmpty } }

    /// SIGKILL; reaped later.
    func kill() { try? HostProcess.send(Signal.SIGKILL.rawValue, to: processID) }
}

/// Reaps stub processes that were killed, whenever another one comes or goes: nobody waits for a death.
final class StubReaper: Sendable {
    static let shared = StubReaper()
    /// What a killed process holds until it is reaped, so that nothing has two users.
    struct Dying {
        let process: Int32
        let slot: UInt32
        let areas: [UInt32]
        let zygote: StubZygote
    }
    private let dying = Mutex<[Dying]>([])

    func reap(_ process: Dying) {
        dying.withLock { $0.append(process) }
        collect()
    }

    func collect() {
        dying.withLock { list in
            list.removeAll { entry in
                guard chost_stub_try_reap(entry.process) != 0 else { return false }
                entry.zygote.returnSlot(entry.slot)
                for area in entry.areas { entry.zygote.returnArea(area) }
                return true
            }
        }
    }
}
