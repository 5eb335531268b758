import LinuxABI
import Platform
import Testing

@testable import Memory

/// Text that the platform changes: what it may change, and where the change goes.
@Suite struct TextPatchTests {
    let platform = RecordingPlatform()
    let memory: MemoryFile
    let space: AddressSpace
    let file: TestFile
    let old: [UInt8] = [0x61, 0x61, 0x61]
    let new: [UInt8] = [1, 2, 3]

    init() throws {
        memory = try MemoryFile(window: 64 << 30)
        space = try AddressSpace(platform: platform, memoryFile: memory)
        file = try TestFile(memory, size: 4 * 4096, fill: 0x61)
    }

    private func map(_ protection: Protection, _ flags: MapFlags = .private) throws(Errno) -> GuestAddress {
        try space.map(
            AddressSpace.MapRequest(
                address: .null, length: 4 * 4096, protection: protection, flags: flags, file: file.mapped(writable: true), offset: 0))
    }
    private func at(_ address: GuestAddress, _ distance: UInt64) -> GuestAddress { GuestAddress(address.rawValue + distance) }
    private func patch(_ address: GuestAddress) -> Bool { space.reference.patchText(at: address, expecting: old, with: new) }

    @Test func patchedTextIsPrivate() throws {
        let text = try map([.read, .execute])
        let other = try map([.read, .execute])
        #expect(patch(at(text, 5000)))
        #expect(try space.copyIn(at(text, 5000), count: 4) == [1, 2, 3, 0x61])
        #expect(try space.copyIn(at(other, 5000), count: 4) == [0x61, 0x61, 0x61, 0x61])
        #expect(space.guest(at(text, 5001)) == .byte(2))
        #expect(space.guest(at(text, 5001), storing: 9) == .accessError)
    }

    @Test func onlyUnwritablePrivateTextWithTheseBytesIsPatched() throws {
        #expect(try !patch(map(.read)))
        #expect(try !patch(map([.read, .write, .execute])))
        #expect(try !patch(map([.read, .execute], .shared)))
        let text = try map([.read, .execute])
        #expect(!patch(at(text, 4094)), "over the end of a page")
        #expect(patch(text))
        #expect(!patch(text), "other bytes are there now")
        #expect(!patch(GuestAddress(0x1000)))
        #expect(try !patch(space.anonymous(4096, [.read, .execute])))
    }

    @Test func patchesGoWithTheirPage() throws {
        let text = try map([.read, .execute])
        #expect(patch(at(text, 4096)))
        try space.advise(at(text, 4096), length: 4096, advice: 4)
        #expect(try space.copyIn(at(text, 4096), count: 3) == old)
        #expect(patch(at(text, 4096)))
        try space.unmap(text, length: 4 * 4096)
        let again = try space.map(
            AddressSpace.MapRequest(
                address: text, length: 4 * 4096, protection: [.read, .execute], flags: [.private, .fixed], file: file.mapped(writable: true)))
        #expect(try space.copyIn(at(again, 4096), count: 3) == old)
    }

    @Test func movedTextLosesItsPatches() throws {
        let text = try map([.read, .execute])
        #expect(patch(at(text, 4096)))
        #expect(patch(at(text, 4200)))
        let target = try space.anonymous(4 * 4096)
        let moved = try space.remap(text, oldLength: 4 * 4096, newLength: 4 * 4096, flags: [.mayMove, .fixed], newAddress: target)
        #expect(try space.copyIn(at(moved, 4096), count: 3) == old)
        #expect(try space.copyIn(at(moved, 4200), count: 3) == old)
    }

    @Test func forksInheritPatches() throws {
        let text = try map([.read, .execute])
        #expect(patch(text))
        let child = try space.fork(platform: platform)
        #expect(try child.copyIn(text, count: 3) == new)
        #expect(child.reference.patchText(at: at(text, 100), expecting: old, with: new))
        #expect(try space.copyIn(at(text, 100), count: 3) == old)
    }
}
