import LinuxABI
import Testing

@testable import Memory

@Suite struct MemoryFileTests {
    @Test func recycledRangesReadAsZeroes() throws {
        let file = try MemoryFile(window: 64 << 30)
        let first = try file.allocate(8192)
        file.withMutableBytes(first, 8192) { $0.storeBytes(of: 0xff, toByteOffset: 5000, as: UInt8.self) }
        file.release(first, 8192)
        let second = try file.allocate(8192)
        #expect(second == first)
        #expect(file.withBytes(second + 5000, 1) { $0.unsafeLoadByte() } == 0)
    }

    @Test func largeRangesAreAlignedAndGivenBack() throws {
        let file = try MemoryFile(window: 64 << 30)
        let offset = try file.allocate(4 << 20)
        #expect(offset % (2 << 20) == 0)
        file.withMutableBytes(offset, 4096) { $0.storeBytes(of: 1, toByteOffset: 0, as: UInt8.self) }
        #expect(file.committedBytes == 4096)
        file.release(offset, 4 << 20)
        #expect(file.committedBytes == 0)
    }

    @Test func countsAreKeptPerPage() throws {
        let file = try MemoryFile(window: 64 << 30)
        let offset = try file.allocate(4 * 4096)
        file.retain(offset + 4096, 4096)
        #expect(file.soleExtent(offset + 4096, within: offset, offset + 4 * 4096) == nil)
        let sole = try #require(file.soleExtent(offset + 8192, within: offset, offset + 4 * 4096))
        #expect(sole.lower == offset + 8192 && sole.upper == offset + 4 * 4096)
        file.release(offset + 4096, 4096)
        #expect(try #require(file.soleExtent(offset, within: offset, offset + 4 * 4096)).upper == offset + 4 * 4096)
    }

    @Test func oddLengthsAreRefused() throws {
        let file = try MemoryFile(window: 64 << 30)
        #expect(throws: Errno.EINVAL) { try file.allocate(100) }
        #expect(throws: Errno.EINVAL) { try file.allocate(0) }
    }
}
