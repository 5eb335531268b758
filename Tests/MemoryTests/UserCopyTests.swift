import HostOS
import LinuxABI
import Memory
import Testing

@Suite struct UserCopyTests {
    let platform = RecordingPlatform()
    let space: AddressSpace

    init() throws { space = try AddressSpace(platform: platform, memoryFile: try MemoryFile(window: 64 << 30)) }

    @Test func valuesCrossPagesAndAreas() throws {
        let address = try space.anonymous(8192, at: 0x4000_0000, [.read, .write], [.private, .fixed])
        try space.protect(address, length: 4096, [.read, .write, .execute])
        let middle = address + 4092 as GuestAddress
        try space.store(UInt64(0x1122_3344_5566_7788), at: middle)
        #expect(try space.load(UInt64.self, at: middle) == 0x1122_3344_5566_7788)
        #expect(throws: Errno.EFAULT) { try space.store(UInt64(1), at: address + 8190 as GuestAddress) }
        #expect(throws: Errno.EFAULT) { try space.load(UInt64.self, at: .null) }
        #expect(throws: Errno.EFAULT) { try space.load(UInt64.self, at: GuestAddress(.max - 3)) }
    }

    @Test func stringsEndAtTheNul() throws {
        let address = try space.anonymous(8192, at: 0x4000_0000, [.read, .write], [.private, .fixed])
        try space.copyOut(Array("hello".utf8) + [0], to: address + 4093 as GuestAddress)
        #expect(try space.copyInString(address + 4093 as GuestAddress, limit: 100) == Array("hello".utf8))
        #expect(throws: Errno.ENAMETOOLONG) { try space.copyInString(address + 4093 as GuestAddress, limit: 5) }
        // A string up to the very end of the mapping is no fault; one without NUL there is.
        try space.copyOut([65, 0], to: address + 8190 as GuestAddress)
        #expect(try space.copyInString(address + 8190 as GuestAddress, limit: 100) == [65])
        try space.copyOut([65, 65], to: address + 8190 as GuestAddress)
        #expect(throws: Errno.EFAULT) { try space.copyInString(address + 8190 as GuestAddress, limit: 100) }
    }

    @Test func wordsAreExchangedAtomically() throws {
        let address = try space.anonymous(4096)
        #expect(try space.atomicCompareExchange(address, expected: 0, desired: 5) == 0)
        #expect(try space.atomicCompareExchange(address, expected: 0, desired: 6) == 5)
        #expect(try space.atomicLoad(address) == 5)
        #expect(throws: Errno.EINVAL) { try space.atomicLoad(address + 2 as GuestAddress) }
        try space.protect(address, length: 4096, .read)
        #expect(try space.atomicLoad(address) == 5)
        #expect(throws: Errno.EFAULT) { try space.atomicCompareExchange(address, expected: 5, desired: 6) }
    }

    @Test func partialTransfersCountWhatWent() throws {
        let address = try space.anonymous(4096)
        var buffer = IOBuffer(space, address + 4000 as GuestAddress, 1000)
        #expect(try buffer.put([UInt8](repeating: 1, count: 500)) == 96)
        #expect(throws: Errno.EFAULT) { _ = try buffer.put([1, 2, 3]) }
        #expect(buffer.transferred == 96)
    }

    @Test func vectorsSkipEmptyEntries() throws {
        let address = try space.anonymous(4096)
        var buffer = IOBuffer(
            space,
            [
                IOVector(base: address, length: 2), IOVector(base: .null, length: 0),
                IOVector(base: address + 100 as GuestAddress, length: 3),
            ])
        #expect(buffer.remaining == 5)
        #expect(try buffer.put([1, 2, 3, 4, 5, 6]) == 5)
        #expect(try space.copyIn(address + 100 as GuestAddress, count: 3) == [3, 4, 5])
        var source = IOBuffer(space, [IOVector(base: address, length: 2), IOVector(base: address + 100 as GuestAddress, length: 3)])
        #expect(try source.take(10) == [1, 2, 3, 4, 5])
    }

    @Test func kernelBuffersWork() throws {
        var sink = IOBuffer(kernelCapacity: 4)
        #expect(try sink.put([1, 2, 3, 4, 5]) == 4)
        #expect(sink.kernelBytes == [1, 2, 3, 4] && sink.remaining == 0)
        var source = IOBuffer(kernelBytes: [1, 2, 3])
        #expect(try source.take(2) == [1, 2])
        #expect(try source.take(2) == [3])
    }

    @Test func hostTransfersGoStraightToGuestMemory() throws {
        let host = try HostMemory.makeMemoryFile()
        let address = try space.anonymous(3 * 4096)
        try space.copyOut([UInt8](repeating: 7, count: 3 * 4096), to: address)
        var source = IOBuffer(space, address, 3 * 4096)
        #expect(try source.drain(toHost: host.number, offset: 0) == 3 * 4096)
        let target = try space.anonymous(4 * 4096)
        var sink = IOBuffer(space, [IOVector(base: target, length: 4096), IOVector(base: target + 8192 as GuestAddress, length: 8192)])
        #expect(try sink.fill(fromHost: host.number, offset: 8192) == 4096)
        #expect(try sink.fill(fromHost: host.number, offset: 0) == 8192)
        #expect(try space.load(UInt8.self, at: target + 8192 as GuestAddress) == 7)
        #expect(try space.load(UInt8.self, at: target + 4096 as GuestAddress) == 0)
        var bad = IOBuffer(space, GuestAddress(0x1000), 10)
        #expect(throws: Errno.EFAULT) { _ = try bad.fill(fromHost: host.number, offset: 0) }
        var kernel = IOBuffer(kernelCapacity: 3)
        #expect(try kernel.fill(fromHost: host.number, offset: 0) == 3)
        #expect(kernel.kernelBytes == [7, 7, 7])
    }
}
