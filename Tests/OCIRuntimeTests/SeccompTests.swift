import Kernel
import LinuxABI
import Testing

@testable import OCIRuntime

/// Filters made of linux.seccomp, run as the sandbox's kernel runs them.
struct SeccompTests {
    private static let allow: UInt32 = 0x7fff_0000

    private func program(_ text: String) throws -> FilterProgram {
        let seccomp: RuntimeSpec.Seccomp = try SpecJSON.decode(Array(text.utf8), "seccomp")
        return try FilterProgram(SeccompCompiler.compile(seccomp))
    }

    private func call(_ number: Int32, _ arguments: UInt64...) -> SeccompData {
        var data = SeccompData()
        data.number = number
        data.architecture = 0xc000_003e
        data.a0 = arguments.first ?? 0
        data.a1 = arguments.dropFirst().first ?? 0
        return data
    }

    @Test func everyNumberHasItsActionOrTheDefault() throws {
        let names = (0..<SystemCallName.limit).filter { $0 % 3 == 0 }.compactMap { SystemCallName.of($0) }
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        let filter = try program(
            "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 38, \"syscalls\": [{\"names\": [\(list), \"none_such\"], \"action\": \"SCMP_ACT_ALLOW\"}]}")
        for number in 0..<(SystemCallName.limit + 50) {
            let isAllowed = SystemCallName.of(number).map { names.contains($0) } ?? false
            #expect(filter.run(call(Int32(number))) == (isAllowed ? Self.allow : 0x0005_0026))
        }
    }

    @Test func anotherArchitectureEndsTheProcess() throws {
        let filter = try program("{\"defaultAction\": \"SCMP_ACT_ALLOW\"}")
        var data = call(0)
        #expect(filter.run(data) == Self.allow)
        data.architecture = 0x4000_0003
        #expect(filter.run(data) == 0x8000_0000)
    }

    @Test(arguments: ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]) func operatorsCompareAllBits(_ name: String) throws {
        let edges: [UInt64] = [0, 1, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, 0x2_0000_0000, .max - 1, .max]
        for value in edges {
            let filter = try program(
                """
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5,
                "args": [{"index": 0, "value": \(value), "valueTwo": 1, "op": "SCMP_CMP_\(name)"}, {"index": 1, "value": 7, "op": "SCMP_CMP_EQ"}]}]}
                """)
            for argument in edges {
                let holds =
                    switch name {
                    case "NE": argument != value
                    case "LT": argument < value
                    case "LE": argument <= value
                    case "EQ": argument == value
                    case "GE": argument >= value
                    case "GT": argument > value
                    default: argument & value == 1 & value
                    }
                #expect(filter.run(call(1, argument, 7)) == (holds ? 0x0005_0005 : Self.allow))
                #expect(filter.run(call(1, argument, 8)) == Self.allow)
            }
        }
    }

    @Test func conditionsOnOneArgumentAreAlternatives() throws {
        let filter = try program(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["personality"], "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}]}
            """)
        #expect(filter.run(call(135, 0)) == Self.allow)
        #expect(filter.run(call(135, 8)) == Self.allow)
        #expect(filter.run(call(135, 9)) == 0x0005_0001)
    }
}
