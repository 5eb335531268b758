import LinuxABI
import Testing

@testable import Platform

/// Which instructions are patched, and to what.
@Suite struct CallSiteTests {
    @Test func aMoveAndItsCallBecomeAJump() throws {
        let site = try #require(CallSite(.move, returnAddress: 0x401007, number: 0x106))
        #expect(site.address == 0x401000 && site.callAddress == 0x401005)
        #expect(site.matches([0xb8, 0x06, 0x01, 0, 0, 0x0f, 0x05]))
        #expect(!site.matches([0xb8, 0x06, 0x02, 0, 0, 0x0f, 0x05]))
        #expect(!site.matches([0xb9, 0x06, 0x01, 0, 0, 0x0f, 0x05]))
        // What lies where the call was is no instruction.
        #expect(site.replacement(for: [], slot: 0x1f_0040) == [0xff, 0x24, 0x25, 0x40, 0x00, 0x1f, 0x00])
    }

    @Test func aClearedNumberJumpsToThePaddingBehindItsFunction() throws {
        let site = try #require(CallSite(.clear, returnAddress: 0x401004, number: 0))
        let function: [UInt8] = [0x31, 0xc0, 0x0f, 0x05, 0x48, 0x3d, 0, 0xf0, 0xff, 0xff, 0x77, 0x5b, 0xc3]
        let text = function + [0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0]
        #expect(site.matches(text))
        #expect(!site.matches(function + [0x48, 0x83, 0xec, 0x28, 0x48, 0x89, 0x54]), "the next function, and no padding")
        #expect(
            site.replacement(for: text, slot: 0x1f_ffc0) == [0xeb, 0x0b] + function[2...] + [0xff, 0x24, 0x25, 0xc0, 0xff, 0x1f, 0x00])
    }

    @Test func sitesLieInOnePage() {
        #expect(CallSite(.move, returnAddress: 0x402000, number: 1) != nil)
        #expect(CallSite(.move, returnAddress: 0x402001, number: 1) == nil)
        #expect(CallSite(.clear, returnAddress: 0x402000, number: 0) == nil)
        #expect(CallSite(.move, returnAddress: 3, number: 1) == nil)
    }

    @Test func aPrefixMakesItAnotherInstruction() throws {
        let move = try #require(CallSite(.move, returnAddress: 0x401007, number: 1))
        #expect(!move.mayFollow(0x41) && !move.mayFollow(0x49))
        #expect(move.mayFollow(0x48) && move.mayFollow(0xca) && move.mayFollow(nil))
        let clear = try #require(CallSite(.clear, returnAddress: 0x401007, number: 0))
        #expect(!clear.mayFollow(0x44) && clear.mayFollow(0x17))
    }
}
