import HostOS
import LinuxABI
import Memory
import Platform
import Synchronization

/// One step of a scripted guest program. A step takes two pairs of bytes of "code": the first sets up the call's registers, the second is
/// the `syscall` instruction, so that restarts (RIP less two) work as on the processor.
enum Step: Sendable {
    /// A system call; the closure gives its arguments from the registers before it.
    case call(UInt64, @Sendable (RegisterFile) -> SystemCallArguments)
    /// Notes a register in the log.
    case note(String, @Sendable (RegisterFile) -> UInt64)
    /// Changes registers.
    case set(@Sendable (inout RegisterFile) -> Void)
    /// Goes to the step with this number when the condition holds.
    case jump(Int, @Sendable (RegisterFile) -> Bool)
    /// Computes until interrupted, and goes on computing.
    case spin
    /// A fault at an address.
    case fault(UInt64)

    static func call(_ number: UInt64, _ a0: UInt64 = 0, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0) -> Step {
        .call(number) { _ in SystemCallArguments(a0, a1, a2, a3) }
    }
    static func note(_ name: String) -> Step { .note(name) { $0.rax } }
    /// Keeps RAX in RBX, which calls preserve.
    static let keep = Step.set { $0.rbx = $0.rax }
}

/// Runs scripted programs in place of guest code. Memory is real; the "processor" interprets steps.
final class ScriptedPlatform: Platform {
    static let codeBase: UInt64 = 0x40_0000
    let name = "scripted"
    let vdso: VDSOPlacement? = nil
    let steps: [Step]
    let log = Mutex<[String]>([])
    /// From this many guest threads on, making one fails with EMFILE.
    let contextLimit: Int
    private let contexts = Atomic<Int>(0)

    init(_ steps: [Step], contextLimit: Int = .max) {
        self.steps = steps
        self.contextLimit = contextLimit
    }

    fileprivate func takeContext() throws(Errno) {
        if contexts.wrappingAdd(1, ordering: .relaxed).newValue > contextLimit { throw .EMFILE }
    }

    static func address(ofStep index: Int) -> UInt64 { codeBase + UInt64(index) * 4 }
    func makeAddressSpace() throws(Errno) -> any PlatformAddressSpace { ScriptedSpace(self) }
}

final class ScriptedSpace: PlatformAddressSpace {
    private let platform: ScriptedPlatform
    let isDestroyed = Atomic<Bool>(false)
    init(_ platform: ScriptedPlatform) { self.platform = platform }
    func apply(_ changes: [MappingChange]) throws(Errno) {}
    func makeContext() throws(Errno) -> any PlatformContext {
        try platform.takeContext()
        return ScriptedContext(platform, self)
    }
    func destroy() { isDestroyed.store(true, ordering: .relaxed) }
}

final class ScriptedContext: PlatformContext {
    final class Interrupter: PlatformInterrupter {
        let isRaised = Atomic<Bool>(false)
        let parker = HostParker()
        func interrupt() {
            isRaised.store(true, ordering: .sequentiallyConsistent)
            parker.wake()
        }
    }

    private let platform: ScriptedPlatform
    private let space: ScriptedSpace
    private let ownInterrupter = Interrupter()
    private var state = [UInt8](repeating: 0, count: 832)
    var registers = RegisterFile()
    var interrupter: any PlatformInterrupter { ownInterrupter }

    init(_ platform: ScriptedPlatform, _ space: ScriptedSpace) {
        self.platform = platform
        self.space = space
    }

    func resume(returning value: UInt64?) -> PlatformEvent {
        if let value { registers.rax = value }
        while true {
            if space.isDestroyed.load(ordering: .relaxed) { return .exited }
            if ownInterrupter.isRaised.exchange(false, ordering: .sequentiallyConsistent) { return .interrupted }
            let offset = registers.rip &- ScriptedPlatform.codeBase
            let index = Int(offset / 4)
            guard index < platform.steps.count else {
                return .fault(Fault(address: GuestAddress(registers.rip), access: .execute, info: SignalInfo(.SIGSEGV, code: 1)))
            }
            let isSecondHalf = offset % 4 == 2
            switch platform.steps[index] {
            case .call(let number, let arguments):
                if !isSecondHalf {
                    let a = arguments(registers)
                    registers.rax = number
                    (registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9) = (a.a0, a.a1, a.a2, a.a3, a.a4, a.a5)
                    registers.rip &+= 2
                }
                registers.rip &+= 2
                return .systemCall(number: registers.rax, SystemCallArguments(registers))
            case .note(let name, let value):
                platform.log.withLock { $0.append("\(name)=\(Int64(bitPattern: value(registers)))") }
                registers.rip &+= 4
            case .set(let change):
                registers.rip &+= 4
                change(&registers)
            case .jump(let target, let condition):
                registers.rip = condition(registers) ? ScriptedPlatform.address(ofStep: target) : registers.rip &+ 4
            case .spin:
                ownInterrupter.parker.park(until: nil)
            case .fault(let address):
                return .fault(Fault(address: GuestAddress(address), access: .read, info: SignalInfo(.SIGSEGV, code: 1)))
            }
        }
    }

    func extendedState() -> [UInt8] { state }
    func setExtendedState(_ image: [UInt8]) throws(Errno) { state = image }
    func resetExtendedState() { state = [UInt8](repeating: 0, count: 832) }
    func release() {}
}
