import LinuxABI
import Testing

@testable import Kernel

@Suite struct FilterProgramTests {
    private func program(_ instructions: FilterInstruction...) throws(Errno) -> FilterProgram { try FilterProgram(instructions) }
    private let load: UInt16 = 0x20
    private let give: UInt16 = 0x06
    private let giveA: UInt16 = 0x16
    private let equal: UInt16 = 0x15

    @Test func lowestActionWinsAndOfEqualsTheNewest() throws {
        let error1 = SeccompFilter(try program(.init(give, SeccompAction.error | 1)), logs: false, listener: nil)
        let error2 = SeccompFilter(try program(.init(give, SeccompAction.error | 2)), logs: false, listener: nil)
        let kill = SeccompFilter(try program(.init(give, SeccompAction.killProcess)), logs: false, listener: nil)
        let allow = SeccompFilter(try program(.init(give, SeccompAction.allow)), logs: false, listener: nil)
        #expect(SeccompState(mode: .filter, filters: [error1, error2, allow]).run(SeccompData()).value == SeccompAction.error | 2)
        #expect(SeccompState(mode: .filter, filters: [kill, error2]).run(SeccompData()).filter === kill)
        #expect(SeccompState(mode: .filter, filters: [allow]).run(SeccompData()).filter == nil)
    }

    @Test func everyWordOfTheDataIsAtItsOffset() throws {
        var data = SeccompData()
        data.number = 1
        data.architecture = 2
        data.instructionPointer = 4 << 32 | 3
        (data.a0, data.a1, data.a2) = (6 << 32 | 5, 8 << 32 | 7, 10 << 32 | 9)
        (data.a3, data.a4, data.a5) = (12 << 32 | 11, 14 << 32 | 13, 16 << 32 | 15)
        for word in 0..<UInt32(16) {
            #expect(try program(.init(load, word * 4), .init(giveA, 0)).run(data) == word + 1)
        }
    }

    @Test func jumpsLeadWhereTheySay() throws {
        let filter = try program(.init(load, 0), .init(equal, 7, ifTrue: 1, ifFalse: 0), .init(give, 1), .init(give, 2))
        var data = SeccompData()
        #expect(filter.run(data) == 1)
        data.number = 7
        #expect(filter.run(data) == 2)
    }

    /// Whatever a guest gives is refused or runs to an end.
    @Test func randomProgramsAreRefusedOrEnd() {
        var random = SystemRandomNumberGenerator()
        let codes: [UInt16] = [
            0x20, 0x80, 0x81, 0x00, 0x01, 0x60, 0x61, 0x02, 0x03, 0x07, 0x87, 0x84, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c,
            0x54, 0x5c, 0xa4, 0xac, 0x64, 0x6c, 0x74, 0x7c, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x94, 0x28,
        ]
        var accepted = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...12, using: &random)
            var list: [FilterInstruction] = (0..<count).map { _ in
                FilterInstruction(
                    codes.randomElement(using: &random) ?? 0,
                    Bool.random(using: &random) ? UInt32.random(in: 0...16, using: &random) * 4 : .random(in: 0...(.max), using: &random),
                    ifTrue: .random(in: 0...3, using: &random), ifFalse: .random(in: 0...3, using: &random))
            }
            list[count - 1] = FilterInstruction(Bool.random(using: &random) ? give : giveA, 5)
            guard let filter = try? FilterProgram(list) else { continue }
            accepted += 1
            _ = filter.run(SeccompData())
        }
        #expect(accepted > 100)
    }
}
