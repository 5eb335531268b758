import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// A guest thread that its task thread traces. The state machine is in README.md.
final class PtraceContext: PlatformContext {
    private let platform: PtracePlatform
    private let process: StubProcess
    private let thread: Int32
    private let pair: CPUBalancer.Pair
    private let kick: Interrupter
    private var values: RegisterFile
    /// `values` are the thread's: after a system call they are read only when somebody asks.
    private var isLoaded = true
    /// `values` differ from what the thread has.
    private var isDirty = true
    /// RAX alone differs from what the thread has: the result of a system call.
    private var result: UInt64?
    private var isGone = false
    private var isReleased = false

    init(platform: PtracePlatform, process: StubProcess) throws(Errno) {
        let thread = try process.makeThread()
        guard chost_trace_start(thread) == 0 else {
            process.threadEnded(thread)
            process.kill()
            throw .ESRCH
        }
        self.platform = platform
        self.process = process
        self.thread = thread
        kick = Interrupter(process: process.processID, thread: thread)
        values = RegisterFile()
        pair = CPUBalancer.Pair(taskThread: HostThread.currentID, guestThread: thread)
        platform.balancer.start(pair)
    }

    deinit { release() }

    var registers: RegisterFile {
        get {
            load()
            return values
        }
        set {
            values = newValue
            isLoaded = true
            isDirty = true
            result = nil
        }
    }

    var interrupter: any PlatformInterrupter { kick }

    func willBlock() { platform.balancer.stop(pair) }
    func didWake() { platform.balancer.start(pair) }

    func resume(returning value: UInt64?) -> PlatformEvent {
        if let value {
            values.rax = value
            result = value
        }
        while !isGone {
            if isDirty { sanitize() }
            var signal: Int32 = 0
            var call = chost_trace_call()
            let outcome = run(&signal, &call)
            switch Int(outcome) {
            case Int(CHOST_TRACE_SYSCALL):
                isDirty = false
                isLoaded = false
                return Self.event(call)
            case Int(CHOST_TRACE_SIGNAL):
                isDirty = false
                isLoaded = true
                if let event = signalStop(signal) { return event }
            case Int(CHOST_TRACE_STOP):
                // A group stop or the stop that follows PTRACE_INTERRUPT: nothing of the guest's.
                isDirty = false
                isLoaded = true
            case Int(CHOST_TRACE_GONE): isGone = true
            default:
                // The host refuses the registers (an address outside user space): what the guest would have got on its way back.
                isDirty = false
                return .exception(SignalInfo(.SIGSEGV, code: SignalInfo.SI_KERNEL))
            }
        }
        return .exited
    }

    /// One run of the guest thread; `values` are its registers afterwards.
    private func run(_ signal: inout Int32, _ call: inout chost_trace_call) -> Int32 {
        let change = isDirty ? CHOST_SET_ALL : result != nil ? CHOST_SET_RAX : CHOST_SET_NONE
        result = nil
        // SAFETY: RegisterFile has the layout of user_regs_struct, 27 words, and is not otherwise accessed during the call.
        return unsafe withUnsafeMutableBytes(of: &values) { bytes in
            let words = unsafe bytes.baseAddress!.assumingMemoryBound(to: UInt64.self)
            return unsafe chost_trace_run(thread, Int32(change), words, &signal, &call)
        }
    }

    private static func event(_ call: chost_trace_call) -> PlatformEvent {
        if call.is_foreign != 0 { return .foreignSystemCall(number: call.number) }
        let a = call.arguments
        return .systemCall(number: call.number, SystemCallArguments(a.0, a.1, a.2, a.3, a.4, a.5))
    }

    /// Reads the registers of the stopped thread, unless `values` have them.
    private func load() {
        guard !isLoaded else { return }
        isLoaded = true
        // SAFETY: RegisterFile has the layout of user_regs_struct, 27 words. A thread that is gone leaves the values as they are; the next
        // resume reports it.
        unsafe withUnsafeMutableBytes(of: &values) { bytes in
            _ = unsafe chost_trace_get_registers(thread, bytes.baseAddress!.assumingMemoryBound(to: UInt64.self))
        }
        if let result { values.rax = result }
    }

    private func signalStop(_ signal: Int32) -> PlatformEvent? {
        var info = SignalInfo()
        // SAFETY: siginfo_t has 128 bytes, as SignalInfo.
        let status = unsafe withUnsafeMutableBytes(of: &info) { unsafe chost_trace_signal_info(thread, $0.baseAddress!) }
        guard status == 0, let number = Signal(rawValue: signal) else { return nil }
        if info.code <= 0 {
            // Sent by somebody: our own kick, or a stranger's signal, which the guest never sees.
            return info.code == SignalInfo.SI_TKILL && info.pid == HostProcess.id ? .interrupted : nil
        }
        switch number {
        case .SIGSEGV where info.code != SignalInfo.SI_KERNEL, .SIGBUS where info.code != SignalInfo.SI_KERNEL:
            return .fault(
                Fault(address: info.address, access: info.address.rawValue == values.rip ? .execute : .unknown, info: info))
        case .SIGSEGV, .SIGBUS, .SIGILL, .SIGFPE, .SIGTRAP: return .exception(info)
        default: return nil
        }
    }

    /// Makes the registers loadable: selectors of user mode, harmless flags, no restart by the host.
    private func sanitize() {
        values.cs = 0x33
        values.ss = 0x2b
        values.ds = 0
        values.es = 0
        values.fs = 0
        values.gs = 0
        // Carry, parity, adjust, zero, sign, trap, direction, overflow, alignment check, identification; interrupts on.
        values.flags = values.flags & 0x24_0dd5 | 0x202
        values.originalRAX = .max
    }

    // MARK: vector state

    /// Room for every component that a processor has today (AMX included).
    private static let areaCapacity = 16384

    func extendedState() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Self.areaCapacity) { buffer, count in
            // SAFETY: the host stores at most the capacity and says how much.
            count = max(0, unsafe chost_trace_get_xstate(thread, buffer.baseAddress!, UInt(Self.areaCapacity)))
            // Bytes 464...511 are software-reserved: the host puts its feature mask there.
            for index in 464..<512 where index < count { unsafe buffer[index] = 0 }
        }
    }

    func setExtendedState(_ image: [UInt8]) throws(Errno) {
        // Legacy area and header at least. The host validates features, header and MXCSR.
        guard image.count >= 576, image.count <= Self.areaCapacity else { throw .EINVAL }
        let status = unsafe image.withUnsafeBytes { unsafe chost_trace_set_xstate(thread, $0.baseAddress!, UInt($0.count)) }
        if status != 0 { throw .EINVAL }
    }

    func resetExtendedState() {
        // An empty feature set is the initial state, but the x87 and SSE control words come from the legacy area.
        var image = [UInt8](repeating: 0, count: extendedState().count)
        guard image.count >= 576 else { return }
        image[0] = 0x7f
        image[1] = 0x03
        image[24] = 0x80
        image[25] = 0x1f
        image[512] = 3
        try? setExtendedState(image)
    }

    func release() {
        guard !isReleased else { return }
        isReleased = true
        platform.balancer.stop(pair)
        if isGone {
            chost_trace_reap(thread)
        } else {
            chost_trace_exit(thread, Self.exitSite)
        }
        kick.retire()
        process.threadEnded(thread)
    }

    /// Where the stub has its system-call instruction.
    private static let exitSite = cstub_manager_site_address()

    private final class Interrupter: PlatformInterrupter {
        private let process: Int32
        /// 0 once the thread is gone: its number may be another's.
        private let thread: Mutex<Int32>

        init(process: Int32, thread: Int32) {
            self.process = process
            self.thread = Mutex(thread)
        }
        func interrupt() { thread.withLock { if $0 != 0 { _ = chost_stub_kick(process, $0) } } }
        func retire() { thread.withLock { $0 = 0 } }
    }
}
