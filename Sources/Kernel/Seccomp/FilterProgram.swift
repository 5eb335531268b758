import LinuxABI

/// A classic BPF program of seccomp(2), verified: it cannot fail, leave its bounds, or run for ever, for jumps go forward only.
public struct FilterProgram: Sendable {
    /// As the guest gave it: PTRACE_SECCOMP_GET_FILTER.
    public let instructions: [FilterInstruction]
    private let operations: [Operation]
    /// Whether it looks at the instruction pointer, which costs a look at the registers.
    public let usesInstructionPointer: Bool

    /// How many instructions Linux has after its translation (bpf_convert_filter): what its limit for all filters of a task counts.
    public let weight: Int

    /// BPF_MAXINSNS.
    public static let maximumLength = 4096

    private enum Operand: Sendable {
        case constant(UInt32)
        case x
    }
    private enum Arithmetic: Sendable { case add, subtract, multiply, divide, and, or, xor, shiftLeft, shiftRight }
    private enum Comparison: Sendable { case equal, greater, greaterOrEqual, anyBit }
    private enum Operation: Sendable {
        case loadData(UInt32)
        case loadConstant(UInt32)
        case loadConstantX(UInt32)
        case loadScratch(Int)
        case loadScratchX(Int)
        case storeScratch(Int)
        case storeScratchX(Int)
        case arithmetic(Arithmetic, Operand)
        case negate
        case aToX
        case xToA
        case jump(Int)
        case branch(Comparison, Operand, Int, Int)
        case returnConstant(UInt32)
        case returnA
    }

    /// Linux's bpf_check_classic and seccomp_check_filter. - Throws: EINVAL.
    public init(_ instructions: [FilterInstruction]) throws(Errno) {
        let count = instructions.count
        guard count > 0, count <= Self.maximumLength else { throw .EINVAL }
        var operations: [Operation] = []
        operations.reserveCapacity(count)
        var usesPointer = false
        for (index, instruction) in instructions.enumerated() {
            let operation = try Self.decode(instruction, left: count - index - 1)
            if case .loadData(let offset) = operation, offset == 8 || offset == 12 { usesPointer = true }
            operations.append(operation)
        }
        switch operations[count - 1] {
        case .returnConstant, .returnA: break
        default: throw .EINVAL
        }
        try Self.checkScratch(operations)
        self.instructions = instructions
        self.operations = operations
        usesInstructionPointer = usesPointer
        weight = operations.reduce(3) { $0 + Self.weight($1) }
    }

    /// - Parameter left: how many instructions follow.
    private static func decode(_ i: FilterInstruction, left: Int) throws(Errno) -> Operation {
        // Classes, sizes, modes and operations of linux/bpf_common.h.
        let operand: Operand = i.code & 0x08 != 0 ? .x : .constant(i.k)
        switch i.code {
        case 0x20:  // LD | W | ABS
            guard i.k < SeccompData.size, i.k & 3 == 0 else { throw .EINVAL }
            return .loadData(i.k)
        case 0x80: return .loadConstant(SeccompData.size)  // LD | W | LEN
        case 0x81: return .loadConstantX(SeccompData.size)  // LDX | W | LEN
        case 0x00: return .loadConstant(i.k)  // LD | IMM
        case 0x01: return .loadConstantX(i.k)  // LDX | IMM
        case 0x60: return .loadScratch(try cell(i.k))
        case 0x61: return .loadScratchX(try cell(i.k))
        case 0x02: return .storeScratch(try cell(i.k))
        case 0x03: return .storeScratchX(try cell(i.k))
        case 0x07: return .aToX
        case 0x87: return .xToA
        case 0x84: return .negate
        case 0x04, 0x0c: return .arithmetic(.add, operand)
        case 0x14, 0x1c: return .arithmetic(.subtract, operand)
        case 0x24, 0x2c: return .arithmetic(.multiply, operand)
        case 0x34, 0x3c:
            if i.code == 0x34 && i.k == 0 { throw .EINVAL }
            return .arithmetic(.divide, operand)
        case 0x44, 0x4c: return .arithmetic(.or, operand)
        case 0x54, 0x5c: return .arithmetic(.and, operand)
        case 0xa4, 0xac: return .arithmetic(.xor, operand)
        case 0x64, 0x6c, 0x74, 0x7c:
            if i.code & 0x08 == 0 && i.k >= 32 { throw .EINVAL }
            return .arithmetic(i.code & 0x10 == 0 ? .shiftLeft : .shiftRight, operand)
        case 0x05:  // JMP | JA
            guard i.k < UInt32(left) else { throw .EINVAL }
            return .jump(Int(i.k))
        case 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d:
            let (yes, no) = (Int(i.ifTrue), Int(i.ifFalse))
            guard yes < left, no < left else { throw .EINVAL }
            let comparison: Comparison =
                switch i.code & 0xf0 {
                case 0x10: .equal
                case 0x20: .greater
                case 0x30: .greaterOrEqual
                default: .anyBit
                }
            return .branch(comparison, operand, yes, no)
        case 0x06: return .returnConstant(i.k)
        case 0x16: return .returnA
        default: throw .EINVAL
        }
    }

    private static func cell(_ k: UInt32) throws(Errno) -> Int {
        guard k < 16 else { throw .EINVAL }
        return Int(k)
    }

    private static func weight(_ operation: Operation) -> Int {
        switch operation {
        case .returnConstant: return 2
        case .arithmetic(.divide, .x): return 5
        case .branch(let comparison, let operand, let yes, let no):
            // A constant with the sign bit set needs a register; two ways that both jump need two instructions.
            var isNegative = false
            if case .constant(let k) = operand { isNegative = Int32(bitPattern: k) < 0 }
            let isSingle = no == 0 || (yes == 0 && comparison != .anyBit)
            return (isSingle ? 1 : 2) + (isNegative ? 1 : 0)
        default: return 1
        }
    }

    /// Linux's check_load_and_stores: no scratch cell is read on a way on which it was not written.
    private static func checkScratch(_ operations: [Operation]) throws(Errno) {
        var masks = [UInt16](repeating: .max, count: operations.count)
        var valid: UInt16 = 0
        for (index, operation) in operations.enumerated() {
            valid &= masks[index]
            switch operation {
            case .storeScratch(let cell), .storeScratchX(let cell): valid |= 1 << UInt16(cell)
            case .loadScratch(let cell), .loadScratchX(let cell): if valid & 1 << UInt16(cell) == 0 { throw .EINVAL }
            case .jump(let distance):
                masks[index + 1 + distance] &= valid
                valid = .max
            case .branch(_, _, let yes, let no):
                masks[index + 1 + yes] &= valid
                masks[index + 1 + no] &= valid
                valid = .max
            default: break
            }
        }
    }

    /// What the program returns for a system call: a SECCOMP_RET_* value with its data.
    public func run(_ data: SeccompData) -> UInt32 {
        var (a, x): (UInt32, UInt32) = (0, 0)
        var scratch = SIMD16<UInt32>()
        var index = 0
        while index < operations.count {
            let operation = operations[index]
            index += 1
            switch operation {
            case .loadData(let offset): a = data.word(offset)
            case .loadConstant(let value): a = value
            case .loadConstantX(let value): x = value
            case .loadScratch(let cell): a = scratch[cell]
            case .loadScratchX(let cell): x = scratch[cell]
            case .storeScratch(let cell): scratch[cell] = a
            case .storeScratchX(let cell): scratch[cell] = x
            case .arithmetic(let kind, let operand):
                guard let value = Self.compute(kind, a, Self.value(operand, x)) else { return SeccompAction.killThread }
                a = value
            case .negate: a = 0 &- a
            case .aToX: x = a
            case .xToA: a = x
            case .jump(let distance): index += distance
            case .branch(let comparison, let operand, let yes, let no):
                index += Self.holds(comparison, a, Self.value(operand, x)) ? yes : no
            case .returnConstant(let value): return value
            case .returnA: return a
            }
        }
        return SeccompAction.killThread
    }

    private static func value(_ operand: Operand, _ x: UInt32) -> UInt32 {
        if case .constant(let value) = operand { value } else { x }
    }
    private static func holds(_ comparison: Comparison, _ a: UInt32, _ b: UInt32) -> Bool {
        switch comparison {
        case .equal: a == b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        case .anyBit: a & b != 0
        }
    }
    /// Nil for a division by zero, which ends a classic program with 0.
    private static func compute(_ kind: Arithmetic, _ a: UInt32, _ b: UInt32) -> UInt32? {
        switch kind {
        case .add: a &+ b
        case .subtract: a &- b
        case .multiply: a &* b
        case .divide: b == 0 ? nil : a / b
        case .and: a & b
        case .or: a | b
        case .xor: a ^ b
        case .shiftLeft: a &<< b
        case .shiftRight: a &>> b
        }
    }
}
