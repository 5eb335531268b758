import HostOS
import Kernel
import LinuxABI
import Memory

/// ptrace(2).
extension SystemCallFamilies {
    public static let tracing: [SystemCallEntry] = [.init(101, "ptrace", sysPtrace)]

    /// PTRACE_* (linux/ptrace.h, asm/ptrace-abi.h).
    enum TraceRequestNumber {
        static let traceMe: Int64 = 0
        static let peekText: Int64 = 1
        static let peekData: Int64 = 2
        static let peekUser: Int64 = 3
        static let pokeText: Int64 = 4
        static let pokeData: Int64 = 5
        static let pokeUser: Int64 = 6
        static let `continue`: Int64 = 7
        static let kill: Int64 = 8
        static let singleStep: Int64 = 9
        static let getRegisters: Int64 = 12
        static let setRegisters: Int64 = 13
        static let getFloatingPoint: Int64 = 14
        static let setFloatingPoint: Int64 = 15
        static let attach: Int64 = 16
        static let detach: Int64 = 17
        static let oldSetOptions: Int64 = 21
        static let systemCall: Int64 = 24
        static let archPrctl: Int64 = 30
        static let emulate: Int64 = 31
        static let emulateSingleStep: Int64 = 32
        static let setOptions: Int64 = 0x4200
        static let getMessage: Int64 = 0x4201
        static let getSignalInfo: Int64 = 0x4202
        static let setSignalInfo: Int64 = 0x4203
        static let getRegisterSet: Int64 = 0x4204
        static let setRegisterSet: Int64 = 0x4205
        static let seize: Int64 = 0x4206
        static let interrupt: Int64 = 0x4207
        static let listen: Int64 = 0x4208
        static let peekSignals: Int64 = 0x4209
        static let getSignalMask: Int64 = 0x420a
        static let setSignalMask: Int64 = 0x420b
        static let getFilter: Int64 = 0x420c
        static let getFilterMetadata: Int64 = 0x420d
        static let getSystemCallInfo: Int64 = 0x420e
        static let getRestartableSequence: Int64 = 0x420f
        static let setSystemCallInfo: Int64 = 0x4212
    }

    @Sendable static func sysPtrace(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        typealias R = TraceRequestNumber
        let request = a.long(0)
        if request == R.traceMe {
            try current.traceMe()
            return 0
        }
        let id = a.int(1)
        if request == R.attach || request == R.seize {
            guard let target = current.findTask(id) else { throw .ESRCH }
            if request == R.seize, a[2] != 0 || !TraceOptions(rawValue: a[3]).isSubset(of: .known) { throw .EIO }
            try current.attach(target, seizing: request == R.seize, options: request == R.seize ? TraceOptions(rawValue: a[3]) : [])
            return 0
        }
        let tracee = try current.tracee(id, running: request == R.interrupt || request == R.kill)
        let (address, data) = (a[2], a[3])
        switch request {
        case R.peekText, R.peekData: try current.memory.store(try peek(tracee, address), at: GuestAddress(data))
        case R.pokeText, R.pokeData: try poke(tracee, address, data)
        case R.peekUser: try current.memory.store(try peekUser(current, tracee, address), at: GuestAddress(data))
        case R.pokeUser: try pokeUser(current, tracee, address, data)
        case R.continue, R.systemCall, R.singleStep, R.emulate, R.emulateSingleStep, R.detach:
            try goOn(current, tracee, request, data)
        case R.kill: tracee.send(SignalInfo(.SIGKILL, code: SignalInfo.SI_USER))
        case R.interrupt: try current.interrupt(tracee)
        case R.listen: try current.listen(tracee)
        case R.setOptions, R.oldSetOptions: try current.setTraceOptions(tracee, TraceOptions(rawValue: data))
        case R.getMessage: try current.memory.store(try current.traceMessage(of: tracee), at: GuestAddress(data))
        case R.getSignalInfo: try current.memory.store(try current.signalInfo(of: tracee), at: GuestAddress(data))
        case R.setSignalInfo:
            try current.setSignalInfo(of: tracee, try current.memory.load(SignalInfo.self, at: GuestAddress(data)))
        case R.peekSignals: return try peekSignals(current, tracee, GuestAddress(address), GuestAddress(data))
        case R.getSignalMask:
            guard address == 8 else { throw .EINVAL }
            try current.memory.store(try current.signalMask(of: tracee).rawValue, at: GuestAddress(data))
        case R.setSignalMask:
            guard address == 8 else { throw .EINVAL }
            let mask = try current.memory.load(UInt64.self, at: GuestAddress(data))
            try current.setSignalMask(of: tracee, SignalSet(rawValue: mask))
        case R.getRegisters, R.setRegisters, R.getFloatingPoint, R.setFloatingPoint, R.getRegisterSet, R.setRegisterSet, R.archPrctl:
            try transferRegisters(current, tracee, request, address, GuestAddress(data))
        case R.getSystemCallInfo: return try systemCallInfo(current, tracee, size: address, GuestAddress(data))
        case R.setSystemCallInfo: try setSystemCallInfo(current, tracee, size: address, GuestAddress(data))
        case R.getRestartableSequence:
            // struct ptrace_rseq_configuration. No task has registered one: rseq(2) is refused.
            guard address == 24 else { throw .EINVAL }
            try current.memory.storeArray([UInt64](repeating: 0, count: 3), at: GuestAddress(data))
            return 24
        case R.getFilter:
            let program = try current.filter(of: tracee, address).program
            if data != 0 { try current.memory.storeArray(program.instructions, at: GuestAddress(data)) }
            return program.instructions.count
        case R.getFilterMetadata: return try filterMetadata(current, tracee, size: address, GuestAddress(data))
        default: throw .EIO
        }
        return 0
    }

    private static func goOn(_ current: CurrentTask, _ tracee: Task, _ request: Int64, _ data: UInt64) throws(Errno) {
        typealias R = TraceRequestNumber
        guard let signal = Int32(exactly: data) else { throw .EIO }
        switch request {
        case R.continue: try current.resume(tracee, .continue, signal: signal)
        case R.systemCall: try current.resume(tracee, .systemCall, signal: signal)
        case R.singleStep: try current.resume(tracee, .singleStep, signal: signal)
        case R.emulate: try current.resume(tracee, .emulate, signal: signal)
        case R.emulateSingleStep: try current.resume(tracee, .emulateSingleStep, signal: signal)
        default: try current.detach(tracee, signal: signal)
        }
    }

    // MARK: memory

    private static func peek(_ tracee: Task, _ address: UInt64) throws(Errno) -> UInt64 {
        guard let bytes = tracee.memory?.inspect(GuestAddress(address), count: 8), bytes.count == 8 else { throw .EIO }
        return (0..<8).reduce(0) { $0 | UInt64(bytes[$1]) << UInt64($1 * 8) }
    }
    private static func poke(_ tracee: Task, _ address: UInt64, _ data: UInt64) throws(Errno) {
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: data >> UInt64($0 * 8)) }
        guard tracee.memory?.patch(bytes, at: GuestAddress(address)) == 8 else { throw .EIO }
    }

    // MARK: signals

    /// `struct ptrace_peeksiginfo_args`: offset, flags, count.
    private static func peekSignals(_ current: CurrentTask, _ tracee: Task, _ arguments: GuestAddress, _ target: GuestAddress)
        throws(Errno) -> Int
    {
        let words = try current.memory.loadArray(UInt64.self, at: arguments, count: 2)
        let flags = UInt32(truncatingIfNeeded: words[1])
        let count = Int32(truncatingIfNeeded: words[1] >> 32)
        guard flags & ~1 == 0, count >= 0 else { throw .EINVAL }
        let list = current.pendingSignals(of: tracee, shared: flags & 1 != 0, offset: words[0], limit: Int(count))
        for (index, info) in list.enumerated() {
            do throws(Errno) { try current.memory.store(info, at: target + UInt64(index * 128)) } catch {
                if index > 0 { return index }
                throw error
            }
        }
        return list.count
    }

    // MARK: seccomp

    /// `struct seccomp_metadata`: filter_off, flags.
    private static func filterMetadata(_ current: CurrentTask, _ tracee: Task, size: UInt64, _ address: GuestAddress) throws(Errno) -> Int {
        guard size >= 8 else { throw .EINVAL }
        let offset = try current.memory.load(UInt64.self, at: address)
        let filter = try current.filter(of: tracee, offset)
        let count = min(size, 16)
        try current.memory.store(offset, at: address)
        if count == 16 { try current.memory.store(filter.logs ? SeccompFlags.log.rawValue : 0, at: address + UInt64(8)) }
        return Int(count)
    }
}
