import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// A guest thread that waits in a notification (a plain call), at its doorbell with all registers in its signal frame, or in the stub for the
/// result of a call that it handed over. The state machine is in README.md.
final class SeccompContext: PlatformContext {
    private enum State {
        /// At the doorbell: `StubThread.doorbell` is unanswered.
        case atDoorbell
        /// In a plain call that is unanswered.
        case inCall
        /// In a call that was taken from the area and is unanswered.
        case inFastCall
        case gone
    }

    private let platform: SeccompPlatform
    private let process: StubProcess
    private let thread: StubThread
    private let kick: KickWatch.Interrupter
    private let pair: CPUBalancer.Pair?
    /// Nil where no sites are patched.
    private let sites: SiteTable?
    private var state = State.atDoorbell
    private var call = chost_notification()
    private var values = RegisterFile()
    /// `values` are the thread's.
    private var isLoaded = true
    /// `values` differ from what the frame has.
    private var isDirty = true
    /// FS or GS base differ from what the thread has.
    private var hasNewBases = true
    private var isReleased = false

    // The fast path.
    private var policy: SpinPolicy
    private var calls: CallCounter
    /// The call that was taken last.
    private var taken = chost_fast_call()
    /// Its result, once it has one.
    private var answeredWith: UInt64 = 0
    /// The guest thread waits for the last result in the host.
    private var isAwaited = false
    /// The area says that calls are watched for.
    private var isServed = false
    /// Behind a call that was made for a guest thread which steps.
    private var steppedTo: UInt64?
    /// Where a single step ended, when that was not where the processor says.
    private var trappedAt: UInt64?

    init(platform: SeccompPlatform, process: StubProcess, sites: SiteTable?, thread: StubThread) {
        self.platform = platform
        self.process = process
        self.thread = thread
        self.sites = sites
        let isEager = platform.fastPath?.isEager ?? false
        policy = SpinPolicy(isEager: isEager)
        calls = CallCounter(isEager: isEager)
        kick = platform.watch.interrupter(process: process, thread: thread.id)
        pair = platform.balancer == nil ? nil : CPUBalancer.Pair(taskThread: HostThread.currentID, guestThread: thread.id)
        thread.repair()
        thread.resetFastPath()
        thread.resetExtendedState()
        didWake()
    }

    deinit { release() }

    var interrupter: any PlatformInterrupter { kick }
    func willBlock() {
        if let pair { platform.balancer?.stop(pair) }
        if sites != nil { stopSpinning() }
    }
    func didWake() { if let pair { platform.balancer?.start(pair) } }

    // MARK: running

    func resume(returning value: UInt64?) -> PlatformEvent {
        kick.enterGuest()
        defer { kick.leaveGuest() }
        switch state {
        case .gone: return .exited
        case .atDoorbell:
            if let value {
                values.rax = value
                if !isDirty { thread.setResult(value) }
            }
            if let steppedTo {
                self.steppedTo = nil
                if values.rip == steppedTo { return .exception(Self.step(to: steppedTo)) }
            }
            if isDirty { storeRegisters() }
            let answer: Int64 = hasNewBases ? 1 : 0
            hasNewBases = false
            isLoaded = false
            if policy.isPaired { serve() }
            guard ring(answer) else { return exited() }
        case .inCall:
            // Without a result the call's own number would be one: whoever wants the registers as they are has loaded them.
            if policy.isPaired { serve() }
            if let event = answerCall(value ?? UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue))) { return event }
        case .inFastCall:
            if policy.isPaired { serve() }
            answeredWith = value ?? UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue))
            if thread.finishFastCall(answeredWith) { isAwaited = true }
        }
        if sites != nil, let event = takeFastCall() { return event }
        return receive()
    }

    /// Answers the doorbell.
    private func ring(_ answer: Int64) -> Bool {
        while true {
            switch chost_notify_answer(thread.listener, thread.doorbell, answer) {
            case Int32(CHOST_NOTIFY_OK): return true
            case Int32(CHOST_NOTIFY_MISSED):
                // The host stopped and continued the thread, which rings again.
                guard next(), isOwnDoorbell else { return false }
                thread.doorbell = call.id
            default: return false
            }
        }
    }

    /// Answers the plain call. Nil when the thread goes on with the answer; an event when a kick had taken it out of the call.
    private func answerCall(_ value: UInt64) -> PlatformEvent? {
        let asked = call
        while true {
            switch chost_notify_answer(thread.listener, call.id, Int64(bitPattern: value)) {
            case Int32(CHOST_NOTIFY_OK): return nil
            case Int32(CHOST_NOTIFY_MISSED):
                guard next() else { return exited() }
                if isOwnDoorbell {
                    arriveAtDoorbell()
                    finish(asked, value)
                    return normalise() ? .interrupted : exited()
                }
                // The host stopped and continued the thread, which makes its call again.
                guard call.number == asked.number, call.instruction_pointer == asked.instruction_pointer else { return exited() }
            default: return exited()
            }
        }
    }

    /// At the doorbell of a kick that interrupted the call `asked`, which the kernel would start again: gives it its result instead.
    private func finish(_ asked: chost_notification, _ value: UInt64) {
        thread.finishCall(length: Self.instructionLength(asked), value)
    }

    /// What the kernel steps back to start a call again: the `syscall` instruction. The vsyscall page has none.
    private static func instructionLength(_ call: chost_notification) -> UInt64 { call.instruction_pointer >= 1 << 63 ? 0 : 2 }

    private func next() -> Bool {
        unsafe chost_notify_receive(thread.listener, thread.polls ? 1 : 0, &call) == Int32(CHOST_NOTIFY_OK)
    }

    private func exited() -> PlatformEvent {
        // A thread that does what it cannot do is not ours any more.
        process.kill()
        state = .gone
        return .exited
    }

    private func receive() -> PlatformEvent {
        repeat { guard next() else { return exited() } } while isWait && answerWait()
        guard StubThread.isDoorbell(call) else {
            state = .inCall
            isLoaded = false
            if sites != nil { countCall() }
            guard chost_notify_is_native(call.architecture) != 0 else {
                return .foreignSystemCall(number: UInt64(UInt32(truncatingIfNeeded: call.number)))
            }
            let a = call.arguments
            return .systemCall(number: UInt64(bitPattern: call.number), SystemCallArguments(a.0, a.1, a.2, a.3, a.4, a.5))
        }
        guard isOwnDoorbell else { return exited() }
        arriveAtDoorbell()
        return event(Int32(truncatingIfNeeded: call.arguments.0))
    }

    /// Whether the present notification is the doorbell with the frame where it must be. A guest that jumps into the handler, or moves its
    /// signal stack, rings with another.
    private var isOwnDoorbell: Bool { StubThread.isDoorbell(call) && call.arguments.1 == thread.frameAddress }

    private func arriveAtDoorbell() {
        state = .atDoorbell
        if sites != nil {
            thread.rang()
            policy.sawAnother()
            isAwaited = false
        }
        thread.doorbell = call.id
        isLoaded = false
        isDirty = false
        values.fsBase = call.arguments.2
        values.gsBase = call.arguments.3
        // The area, as storeRegisters put it there, is the guest's 0.
        if sites != nil && values.gsBase == thread.area.address { values.gsBase = 0 }
    }

    private func event(_ signal: Int32) -> PlatformEvent {
        if sites != nil, let event = fastEvent(signal) { return event }
        switch signal {
        case CSTUB_KICK: return .interrupted
        case Signal.SIGSYS.rawValue:
            load()
            return .systemCall(number: UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: values.rax))), SystemCallArguments(values))
        default: break
        }
        var info = thread.signalInfo
        guard let number = Signal(rawValue: signal) else { return exited() }
        // The guest can write to its frame: what it forges there hits itself, but the number is what the handler got.
        info.signo = signal
        if let trappedAt { info.address = GuestAddress(trappedAt) }
        switch number {
        case .SIGSEGV, .SIGBUS:
            guard info.code > 0, info.code != SignalInfo.SI_KERNEL else {
                info.code = SignalInfo.SI_KERNEL
                return .exception(info)
            }
            return .fault(Fault(address: info.address, access: access, info: info))
        case .SIGILL, .SIGFPE, .SIGTRAP: return .exception(info)
        default: return exited()
        }
    }

    private var access: Fault.Access {
        guard let error = thread.pageFaultError else { return .unknown }
        return error & 16 != 0 ? .execute : error & 2 != 0 ? .write : .read
    }

    // MARK: the fast path

    /// Spins for a call after an answer, while the two threads are paired. Nil: what comes next is a notification.
    private func takeFastCall() -> PlatformEvent? {
        policy.willAnswer(at: chost_cycles())
        guard isServed else { return nil }
        if !policy.isPaired {
            // The pair has ended while the call was served.
        } else if !isAwaited {
            switch unsafe chost_fast_wait(thread.area.memory, policy.patience, &taken) {
            case Int32(CHOST_FAST_TAKEN): return fastCall()
            // A fault or a trapped call: it comes at once, and the pair stays.
            case Int32(CHOST_FAST_RINGING): break
            case Int32(CHOST_FAST_PREEMPTED): if policy.isDear(at: chost_cycles()) { part() }
            default: part()
            }
        } else {
            // The call took long, or the host had something else to do.
            part()
        }
        isServed = false
        return unsafe chost_fast_stop(thread.area.memory, &taken) != 0 ? fastCall() : nil
    }

    private func serve() {
        guard !isServed else { return }
        isServed = true
        thread.serve()
    }

    private func fastCall() -> PlatformEvent {
        state = .inFastCall
        isLoaded = false
        policy.tookCall()
        let a = taken.arguments
        return .systemCall(number: taken.number, SystemCallArguments(a.0, a.1, a.2, a.3, a.4, a.5))
    }

    /// A plain call came by notification: patches its site when it comes often, and pairs the threads when its like follow one another.
    private func countCall() {
        let isPatched = call.instruction_pointer &- UInt64(CSTUB_SITES) < UInt64(CSTUB_SITES_SIZE)
        if !isPatched && calls.isOften(call.instruction_pointer) {
            sites?.patch(returnAddress: call.instruction_pointer, number: UInt64(bitPattern: call.number))
        }
        if policy.isPaired {
            if !isPatched { part() }
        } else if let fastPath = platform.fastPath, policy.sawCall(patched: isPatched, at: chost_cycles()), fastPath.takePair() {
            policy.paired(at: chost_cycles())
            let cpu = chost_stub_current_cpu()
            if chost_bind_to_cpu(thread.id, cpu) == 0 { _ = chost_leave_cpu(cpu) }
        }
    }

    private func part() {
        guard policy.isPaired else { return }
        chost_unbind(thread.id)
        platform.fastPath?.returnPair()
        policy.parted(at: chost_cycles())
    }

    /// The task thread sleeps: the guest thread must not spin for it.
    private func stopSpinning() {
        policy.sawAnother()
        if state == .inFastCall { thread.blockFastCall() }
        part()
    }

    /// Whether the present notification is that of a guest thread which waits for the result of a call that was taken.
    private var isWait: Bool { call.number == Int64(CSTUB_WAIT) && call.instruction_pointer == FastPath.labels.wait_site }
    /// The result is in the area.
    private func answerWait() -> Bool {
        isAwaited = false
        return chost_notify_answer(thread.listener, call.id, 0) != Int32(CHOST_NOTIFY_GONE)
    }

    /// As goToDoorbell, for a call that was taken from the area: its thread spins in the stub's code, or waits in the host.
    private func takeBackFastCall() {
        kick.send()
        repeat {
            guard unsafe chost_notify_receive_within(thread.listener, Self.kickPatience, &call) == Int32(CHOST_NOTIFY_OK),
                isWait || isOwnDoorbell
            else {
                _ = exited()
                return
            }
        } while isWait
        arriveAtDoorbell()
        if !normalise(finishing: UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue))) { _ = exited() }
    }

    /// What a doorbell means that was rung in the stub's own code, or at a patched site. Nil: what it means anywhere else.
    private func fastEvent(_ signal: Int32) -> PlatformEvent? {
        trappedAt = nil
        let rip = thread.instructionPointer
        if signal == Signal.SIGILL.rawValue, let site = sites?.site(withCallAt: rip) {
            // Somebody came to the old `syscall` instruction by another way than through the one before it.
            load()
            steppedTo = nil
            enter(site, values.flags)
            isDirty = true
            if values.flags & Self.trapFlag != 0 { steppedTo = values.rip }
            return .systemCall(number: UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: values.rax))), SystemCallArguments(values))
        }
        guard isInStub(rip) else { return nil }
        guard normalise(stepping: signal == Signal.SIGTRAP.rawValue || signal == Signal.SIGSEGV.rawValue) else { return exited() }
        guard values.rip != rip else { return nil }
        if signal == Signal.SIGTRAP.rawValue { trappedAt = values.rip }
        // The area was not where GS base says: the call goes on without it.
        return signal == Signal.SIGSEGV.rawValue ? .interrupted : nil
    }

    /// What a processor that steps raises behind an instruction.
    private static func step(to address: UInt64) -> SignalInfo {
        var info = SignalInfo(.SIGTRAP, code: 2)  // TRAP_TRACE
        info.address = GuestAddress(address)
        return info
    }
    private static let trapFlag: UInt64 = 0x100

    private func isInStub(_ address: UInt64) -> Bool {
        let labels = FastPath.labels
        return address &- UInt64(CSTUB_SITES) < UInt64(CSTUB_SITES_SIZE) || (address >= labels.entry && address < labels.end)
    }

    /// RIP, RCX and R11 as `syscall` leaves them.
    private func enter(_ site: CallSite, _ flags: UInt64) {
        values.rip = site.returnAddress
        values.rcx = site.returnAddress
        values.r11 = flags
    }

    /// Gives a thread that rang in the middle of a patched call the registers that it would have without the patch: at the site if its call has not
    /// been taken, behind it if it has its result.
    ///
    /// `value`: the result of the call that was taken and is unanswered. `stepping`: the call must not begin anew, but go on in another way.
    /// - Returns: false for what cannot be.
    private func normalise(finishing value: UInt64? = nil, stepping: Bool = false) -> Bool {
        guard let sites else { return true }
        let rip = thread.instructionPointer
        let labels = FastPath.labels
        guard isInStub(rip) else { return value == nil }
        load()
        let flags: UInt64
        var block = values.r11
        switch rip {
        case labels.entry..<labels.saved, labels.restored..<labels.end: flags = values.flags
        case labels.saved..<labels.posted, labels.slow..<labels.overflow: flags = Self.flags(values.flags, saved: values.rax)
        case labels.overflow..<labels.restored: flags = Self.flags(values.flags, saved: values.rax) & ~0x800 | values.flags & 0x800
        case labels.posted..<labels.slow:
            flags = Self.flags(values.flags, saved: UInt64(thread.fastFlags))
            block = thread.fastBlock
            if let value {
                guard let site = sites.site(ofBlockAt: taken.block) else { return false }
                return finish(site, flags, value)
            }
            let state = thread.fastState
            if state == CSTUB_FAST_DONE || rip >= labels.done {
                guard let site = sites.site(ofBlockAt: taken.block) else { return false }
                return finish(site, flags, answeredWith)
            }
            // Posted: nobody else takes it, so it is taken back. Idle: the guest thread has done so.
            guard state == CSTUB_FAST_POSTED && thread.withdrawFastCall() || state == CSTUB_FAST_IDLE else { return false }
        default:
            flags = values.flags
            block = rip
        }
        guard value == nil else { return false }
        // A guest that jumped here with registers of its own stays where it is.
        guard let site = sites.site(ofBlockAt: block) else { return true }
        if block == rip {
            switch block % UInt64(CSTUB_BLOCK_SIZE) {
            case UInt64(CSTUB_BLOCK_ENTRY)..<UInt64(CSTUB_BLOCK_SLOW_SITE): break
            case UInt64(CSTUB_BLOCK_SLOW_SITE): return finish(site, flags, values.rax)
            default: return true
            }
        }
        values.rip = stepping ? site.callAddress : site.address
        values.rax = UInt64(site.number)
        values.flags = flags
        isDirty = true
        return true
    }

    private func finish(_ site: CallSite, _ flags: UInt64, _ value: UInt64) -> Bool {
        values.flags = flags
        enter(site, flags)
        values.rax = value
        isDirty = true
        thread.setFastIdle()
        return true
    }

    /// What LAHF and SETO put into AX, in their places.
    private static func flags(_ flags: UInt64, saved ax: UInt64) -> UInt64 {
        flags & ~0x8d5 | ax >> 8 & 0xd5 | (ax & 1) << 11
    }

    // MARK: registers

    var registers: RegisterFile {
        get {
            load()
            return values
        }
        set {
            goToDoorbell()
            hasNewBases = hasNewBases || newValue.fsBase != values.fsBase || newValue.gsBase != values.gsBase
            values = newValue
            isLoaded = true
            isDirty = true
        }
    }

    private func load() {
        goToDoorbell()
        guard !isLoaded, state == .atDoorbell else { return }
        isLoaded = true
        let (fs, gs) = (values.fsBase, values.gsBase)
        thread.load(&values)
        values.fsBase = fs
        values.gsBase = gs
    }

    /// Takes a thread out of its plain call to the doorbell, where its registers are: it looks as if the call had been answered with
    /// -ENOSYS, as at the entry of a call natively.
    private func goToDoorbell() {
        if state == .inFastCall { return takeBackFastCall() }
        guard state == .inCall else { return }
        let asked = call
        kick.send()
        while true {
            guard unsafe chost_notify_receive_within(thread.listener, Self.kickPatience, &call) == Int32(CHOST_NOTIFY_OK) else {
                // The guest blocks the kick, or its process was killed.
                _ = exited()
                return
            }
            if isOwnDoorbell { break }
            guard call.number == asked.number, call.instruction_pointer == asked.instruction_pointer else {
                _ = exited()
                return
            }
        }
        arriveAtDoorbell()
        finish(asked, UInt64(bitPattern: -Int64(Errno.ENOSYS.rawValue)))
        if !normalise() { _ = exited() }
    }
    /// In milliseconds. A thread that is not held up by its own signal mask answers in microseconds.
    private static let kickPatience: Int32 = 10_000

    private func storeRegisters() {
        // Carry, parity, adjust, zero, sign, trap, direction, overflow, alignment check, identification; interrupts on.
        values.flags = values.flags & 0x24_0dd5 | 0x202
        if hasNewBases {
            // A base outside user space would fault in the handler.
            let limit = AddressLimits.end.rawValue
            if values.fsBase >= limit { values.fsBase = 0 }
            if values.gsBase >= limit { values.gsBase = 0 }
            thread.setBases(fs: values.fsBase, gs: sites != nil && values.gsBase == 0 ? thread.area.address : values.gsBase)
        }
        thread.store(values)
        isDirty = false
    }

    // MARK: vector state

    func extendedState() -> [UInt8] {
        goToDoorbell()
        return thread.extendedState()
    }

    func setExtendedState(_ image: [UInt8]) throws(Errno) {
        goToDoorbell()
        try thread.setExtendedState(image)
    }

    func resetExtendedState() {
        goToDoorbell()
        thread.resetExtendedState()
    }

    func release() {
        guard !isReleased else { return }
        isReleased = true
        willBlock()
        goToDoorbell()
        part()
        kick.retire()
        if state == .gone { process.threadEnded(thread.id) } else { process.threadIsIdle(thread) }
    }
}
