import LinuxABI
import Memory

/// The debug registers of x86-64 as a tracer sets them (PTRACE_POKEUSER): breakpoints, and watchpoints for stores. The processor's own are the
/// host's, so a thread with any in force runs instruction by instruction, and what they would have seen is looked for after each.
public struct DebugRegisters: Sendable, Equatable {
    /// DR0 … DR3.
    private var addresses = SIMD4<UInt64>()
    /// DR6. These bits are always set.
    private var status: UInt64 = 0xffff_0ff0
    /// DR7.
    private var control: UInt64 = 0

    public init() {}

    /// What `kind` says of a slot: two bits of DR7.
    private enum Kind { case execution, store }
    private struct Slot {
        let index: Int
        let address: UInt64
        let kind: Kind
        let length: Int
    }

    /// DR4 and DR5 are none.
    public func value(_ number: Int) -> UInt64 {
        switch number {
        case 0...3: addresses[number]
        case 6: status
        case 7: control
        default: 0
        }
    }

    /// - Throws: EIO for DR4 and DR5, EINVAL for an address or length that cannot be, ENOSPC for a watchpoint on loads, which is not offered.
    public mutating func set(_ number: Int, _ value: UInt64) throws(Errno) {
        var new = self
        switch number {
        case 0...3: new.addresses[number] = value
        case 6: new.status = value
        case 7: new.control = value
        default: throw .EIO
        }
        if number != 6 { _ = try new.slots() }
        self = new
    }

    /// Any of the enable bits.
    var isArmed: Bool { control & 0xff != 0 }

    private func slots() throws(Errno) -> [Slot] {
        var slots: [Slot] = []
        for index in 0..<4 where control >> UInt64(index * 2) & 3 != 0 {
            let bits = control >> UInt64(16 + index * 4) & 15
            let length = [1, 2, 8, 4][Int(bits >> 2)]
            let address = addresses[index]
            guard address < AddressLimits.end.rawValue, address & UInt64(length - 1) == 0 else { throw .EINVAL }
            switch bits & 3 {
            case 0:
                guard length == 1 else { throw .EINVAL }
                slots.append(Slot(index: index, address: address, kind: .execution, length: 1))
            case 1: slots.append(Slot(index: index, address: address, kind: .store, length: length))
            case 3: throw .ENOSPC
            default: throw .EINVAL
            }
        }
        return slots
    }

    /// What lies at the watched places before an instruction.
    func samples(_ memory: AddressSpace) -> [[UInt8]] {
        guard let slots = try? slots() else { return [] }
        return slots.map { $0.kind == .store ? memory.inspect(GuestAddress($0.address), count: $0.length) : [] }
    }

    /// Notes in DR6 what the instruction before `rip` did, or that the one at `rip` is a breakpoint. - Returns: whether anything.
    mutating func look(_ memory: AddressSpace, before: [[UInt8]], rip: UInt64) -> Bool {
        guard let slots = try? slots(), before.count == slots.count else { return false }
        var hits: UInt64 = 0
        for (slot, old) in zip(slots, before) {
            let isHit =
                switch slot.kind {
                case .execution: slot.address == rip
                case .store: memory.inspect(GuestAddress(slot.address), count: slot.length) != old
                }
            if isHit { hits |= 1 << UInt64(slot.index) }
        }
        status |= hits
        return hits != 0
    }
}

extension CurrentTask {
    /// After a trap behind one instruction: whether the program goes on as if there had been none, for it was the debug registers' doing.
    func absorbsStep(_ info: SignalInfo) -> Bool {
        guard traceWork.contains(.watch), info.signo == Signal.SIGTRAP.rawValue, info.code == SignalInfo.TRAP_TRACE else { return false }
        guard task.isTraced else {
            debugRegisters = DebugRegisters()
            traceWork = []
            return true
        }
        guard debugRegisters.look(memory, before: watched, rip: context.registers.rip) else { return !traceWork.contains(.step) }
        guard !traceWork.contains(.step) else { return false }
        var hit = info
        hit.code = SignalInfo.TRAP_HWBKPT
        trap.number = 1
        trap.error = 0
        force(hit)
        return true
    }
}
