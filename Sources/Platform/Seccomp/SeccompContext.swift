import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// A guest thread that waits in a notification (a plain call), at its doorbell with all registers in its signal frame, or in the stub for the
/// result of a call that it handed over. The state machine is in README.md.
final class SeccompContext: PlatformContext {
    enum State {
        /// At the doorbell: `StubThread.doorbell` is unanswered.
        case atDoorbell
        /// In a plain call that is unanswered.
        case inCall
        /// In a call that was taken from the area and is unanswered.
        case inFastCall
        case gone
    }

    let platform: SeccompPlatform
    private let process: StubProcess
    let thread: StubThread
    let kick: KickWatch.Interrupter
    private let pair: CPUBalancer.Pair?
    /// Nil where no sites are patched.
    let sites: SiteTable?
    var state = State.atDoorbell
    var call = chost_notification()
    var values = RegisterFile()
    /// `values` are the thread's.
    var isLoaded = true
    /// `values` differ from what the frame has.
    var isDirty = true
    /// FS or GS base differ from what the thread has.
    private var hasNewBases = true
    private var isReleased = false

    // The fast path.
    /// Counted as running.
    private var isAwake = false
    var policy: SpinPolicy
    var calls: CallCounter
    /// The call that was taken last.
    var taken = chost_fast_call()
    /// Its result, once it has one.
    var answeredWith: UInt64 = 0
    /// The guest thread waits for the last result in the host.
    var isAwaited = false
    /// The area says that calls are watched for.
    var isServed = false
    /// Behind a call that was made for a guest thread which steps.
    var steppedTo: UInt64?
    /// Where a single step ended, when that was not where the processor says.
    var trappedAt: UInt64?

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
        if isAwake { platform.fastPath?.threadSleeps() }
        isAwake = false
    }
    func didWake() {
        if let pair { platform.balancer?.start(pair) }
        if !isAwake { platform.fastPath?.threadWakes() }
        isAwake = true
    }

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

    func exited() -> PlatformEvent {
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
    var isOwnDoorbell: Bool { StubThread.isDoorbell(call) && call.arguments.1 == thread.frameAddress }

    func arriveAtDoorbell() {
        state = .atDoorbell
        if sites != nil {
            thread.rang()
            policy.sawAnother()
            if policy.sawDear() { part() }
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

    func load() {
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
    static let kickPatience: Int32 = 10_000

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
