import LinuxABI

/// Makes a filter program of `linux.seccomp`: classic BPF, which the sandbox's kernel runs as Linux would. System calls are found by bisection.
struct SeccompCompiler {
    /// One instruction of struct sock_filter.
    private typealias Code = [FilterInstruction]

    /// AUDIT_ARCH_X86_64.
    private static let architecture: UInt32 = 0xc000_003e
    private static let returns: UInt16 = 0x06
    private static let loads: UInt16 = 0x20

    /// SECCOMP_RET_* for an action; nil for one that is not supported.
    static func action(_ name: String, errno: UInt32?) -> UInt32? {
        switch name {
        case "SCMP_ACT_ALLOW": 0x7fff_0000
        case "SCMP_ACT_LOG": 0x7ffc_0000
        case "SCMP_ACT_TRACE": 0x7ff0_0000 | (errno ?? 1) & 0xffff
        case "SCMP_ACT_ERRNO": 0x0005_0000 | (errno ?? 1) & 0xffff
        case "SCMP_ACT_TRAP": 0x0003_0000
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": 0
        case "SCMP_ACT_KILL_PROCESS": 0x8000_0000
        default: nil
        }
    }

    /// Those that `action` knows.
    static let actions = [
        "SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE",
        "SCMP_ACT_TRAP",
    ]
    static let operators: Set<String> = [
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
    ]

    private static let numbers: [String: UInt32] = {
        var result: [String: UInt32] = [:]
        for number in 0..<SystemCallName.limit { if let name = SystemCallName.of(number) { result[name] = UInt32(number) } }
        return result
    }()

    /// What happens to one system call: rules in order, then the default.
    private struct Rule {
        var arguments: [RuntimeSpec.SeccompArgument]
        var action: UInt32
    }

    /// `SpecValidation` has found nothing wrong.
    static func compile(_ seccomp: RuntimeSpec.Seccomp) -> [FilterInstruction] {
        let byDefault = action(seccomp.defaultAction ?? "", errno: seccomp.defaultErrnoRet) ?? 0
        var rules: [UInt32: [Rule]] = [:]
        for entry in seccomp.syscalls ?? [] {
            guard let action = action(entry.action ?? "", errno: entry.errnoRet), action != byDefault else { continue }
            for name in entry.names ?? [] {
                // Names of other kernels and processors mean nothing here.
                guard let number = numbers[name] else { continue }
                let arguments = entry.args ?? []
                if Set(arguments.map { $0.index ?? 0 }).count == arguments.count {
                    rules[number, default: []].append(Rule(arguments: arguments, action: action))
                } else {
                    // As runc: several conditions on one argument are alternatives.
                    for argument in arguments { rules[number, default: []].append(Rule(arguments: [argument], action: action)) }
                }
            }
        }
        var code: Code = [
            FilterInstruction(loads, 4), FilterInstruction(0x15, architecture, ifTrue: 1, ifFalse: 0), FilterInstruction(returns, 0x8000_0000),
            FilterInstruction(loads, 0),
        ]
        code += bisect(intervals(rules, byDefault)[...])
        return code
    }

    /// Runs of numbers that are treated alike, from 0 up.
    private struct Interval {
        var start: UInt32
        var code: Code
    }

    private static func intervals(_ rules: [UInt32: [Rule]], _ byDefault: UInt32) -> [Interval] {
        let plain: Code = [FilterInstruction(returns, byDefault)]
        var result = [Interval(start: 0, code: plain)]
        func begin(_ start: UInt32, _ code: Code) {
            if result[result.count - 1].start == start { result.removeLast() }
            if result.last?.code != code { result.append(Interval(start: start, code: code)) }
        }
        for number in rules.keys.sorted() {
            begin(number, block(rules[number] ?? [], byDefault))
            begin(number + 1, plain)
        }
        return result
    }

    private static func bisect(_ intervals: ArraySlice<Interval>) -> Code {
        guard intervals.count > 1 else { return intervals.first?.code ?? [] }
        let middle = intervals.startIndex + intervals.count / 2
        let left = bisect(intervals[..<middle]), right = bisect(intervals[middle...])
        // The distance of a branch has 8 bits, that of a plain jump 32.
        return [
            FilterInstruction(0x35, intervals[middle].start, ifTrue: 0, ifFalse: 1), FilterInstruction(0x05, UInt32(left.count)),
        ] + left + right
    }

    private static func block(_ rules: [Rule], _ byDefault: UInt32) -> Code {
        var code: Code = []
        for rule in rules {
            var body: Code = []
            // From the last condition to the first, so that the distance to the end is known.
            let end: Code = [FilterInstruction(returns, rule.action)]
            body = end
            for argument in rule.arguments.reversed() { body = condition(argument, skipping: body.count) + body }
            code += body
            if rule.arguments.isEmpty { return code }
        }
        return code + [FilterInstruction(returns, byDefault)]
    }

    /// Goes on where the condition holds, else over the `rest` instructions that follow.
    private static func condition(_ argument: RuntimeSpec.SeccompArgument, skipping rest: Int) -> Code {
        let offset = 16 + 8 * (argument.index ?? 0)
        let value = argument.value ?? 0
        let fail = UInt8(truncatingIfNeeded: rest)
        func high(_ v: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: v >> 32) }
        func low(_ v: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: v) }
        let loadHigh = FilterInstruction(loads, offset + 4), loadLow = FilterInstruction(loads, offset)
        let equal: UInt16 = 0x15, greater: UInt16 = 0x25, atLeast: UInt16 = 0x35
        switch argument.op ?? "" {
        case "SCMP_CMP_NE":
            return [
                loadHigh, FilterInstruction(equal, high(value), ifTrue: 0, ifFalse: 2), loadLow,
                FilterInstruction(equal, low(value), ifTrue: fail, ifFalse: 0),
            ]
        case "SCMP_CMP_GT", "SCMP_CMP_GE":
            let last = argument.op == "SCMP_CMP_GT" ? greater : atLeast
            return [
                loadHigh, FilterInstruction(greater, high(value), ifTrue: 3, ifFalse: 0),
                FilterInstruction(equal, high(value), ifTrue: 0, ifFalse: fail + 2), loadLow,
                FilterInstruction(last, low(value), ifTrue: 0, ifFalse: fail),
            ]
        case "SCMP_CMP_LE", "SCMP_CMP_LT":
            let last = argument.op == "SCMP_CMP_LE" ? greater : atLeast
            return [
                loadHigh, FilterInstruction(greater, high(value), ifTrue: fail + 3, ifFalse: 0),
                FilterInstruction(equal, high(value), ifTrue: 0, ifFalse: 2), loadLow,
                FilterInstruction(last, low(value), ifTrue: fail, ifFalse: 0),
            ]
        case "SCMP_CMP_MASKED_EQ":
            let wanted = (argument.valueTwo ?? 0) & value
            return [
                loadHigh, FilterInstruction(0x54, high(value)), FilterInstruction(equal, high(wanted), ifTrue: 0, ifFalse: fail + 3), loadLow,
                FilterInstruction(0x54, low(value)), FilterInstruction(equal, low(wanted), ifTrue: 0, ifFalse: fail),
            ]
        default:
            return [
                loadHigh, FilterInstruction(equal, high(value), ifTrue: 0, ifFalse: fail + 2), loadLow,
                FilterInstruction(equal, low(value), ifTrue: 0, ifFalse: fail),
            ]
        }
    }
}

extension RuntimeSpec.Seccomp {
    func check(_ p: inout SpecProblems) {
        guard let defaultAction else { return p.fail("linux.seccomp.defaultAction: must be set") }
        if SeccompCompiler.action(defaultAction, errno: nil) == nil { p.fail("linux.seccomp.defaultAction: \(defaultAction) is not supported") }
        for entry in syscalls ?? [] {
            let action = entry.action ?? ""
            if SeccompCompiler.action(action, errno: nil) == nil { p.fail("linux.seccomp.syscalls: action \"\(action)\" is not supported") }
            for argument in entry.args ?? [] {
                if (argument.index ?? 0) > 5 { p.fail("linux.seccomp.syscalls: there is no argument \(argument.index ?? 0)") }
                if !SeccompCompiler.operators.contains(argument.op ?? "") {
                    p.fail("linux.seccomp.syscalls: operator \"\(argument.op ?? "")\" is unknown")
                }
            }
        }
        if SeccompCompiler.compile(self).count > 4096 { p.fail("linux.seccomp: more rules than a filter holds") }
    }
}
