import LinuxABI
import Memory
import Platform
import Testing

@Suite struct MappingTests {
    let platform = RecordingPlatform()
    let file: MemoryFile
    let space: AddressSpace

    init() throws {
        file = try MemoryFile(window: 64 << 30)
        space = try AddressSpace(platform: platform, memoryFile: file)
    }

    @Test func anonymousMemoryIsMappedAtOnce() throws {
        let address = try space.anonymous(64 << 10)
        let host = try #require(space.platformSpace as? RecordingSpace)
        #expect(host.mapping(at: address)?.protection == [.read, .write])
        #expect(space.guest(address, storing: 7) == .byte(7))
        #expect(try space.load(UInt8.self, at: address) == 7)
        #expect(host.batches == 1)
    }

    @Test func sharedAndPrivateFutexesOfPrivateMemoryDiffer() throws {
        let address = try space.anonymous(4096)
        #expect(try space.futexKey(address, shared: true) != space.futexKey(address, shared: false))
        #expect(try space.futexKey(address, shared: true) == space.futexKey(address, shared: true))
    }

    @Test func neighboursMergeIntoOneRegion() throws {
        _ = try space.anonymous(8192)
        _ = try space.anonymous(8192)
        #expect(space.regions().count == 1)
    }

    @Test func badRequestsGiveLinuxErrors() throws {
        #expect(throws: Errno.EINVAL) { try space.anonymous(0) }
        #expect(throws: Errno.ENOMEM) { try space.anonymous(.max - 5) }
        #expect(throws: Errno.EINVAL) { try space.anonymous(4096, [.read], []) }
        #expect(throws: Errno.EINVAL) { try space.anonymous(4096, at: 0x10_0800, .read, [.private, .fixed]) }
        #expect(throws: Errno.EPERM) { try space.anonymous(4096, at: 0x1000, .read, [.private, .fixed]) }
        #expect(throws: Errno.ENOMEM) { try space.anonymous(1 << 46, [.read, .write], .private) }
        let taken = try space.anonymous(4096)
        #expect(throws: Errno.EEXIST) { try space.anonymous(4096, at: taken.rawValue, .read, [.private, .fixedNoReplace]) }
        #expect(throws: Errno.EINVAL) { try space.unmap(taken + 1 as GuestAddress, length: 4096) }
        #expect(throws: Errno.EINVAL) { try space.unmap(taken, length: 0) }
    }

    @Test func hintsAndLowAddressesAreHonoured() throws {
        #expect(try space.anonymous(4096, at: 0x5000_0000_0123).rawValue == 0x5000_0000_0000)
        let low = try space.anonymous(4096, at: 0, .read, [.private, .low32Bit])
        #expect(low.rawValue < 1 << 31)
    }

    @Test func unmappingTheMiddleLeavesTheEnds() throws {
        let address = try space.anonymous(3 * 4096)
        #expect(space.guest(address, storing: 1) == .byte(1))
        try space.unmap(address + 4096 as GuestAddress, length: 4096)
        #expect(space.guest(address) == .byte(1))
        #expect(space.guest(address + 4096 as GuestAddress) == .mapError)
        #expect(space.regions().count == 2)
        #expect(throws: Errno.EFAULT) { try space.copyIn(address, count: 2 * 4096) }
    }

    @Test func protectionBindsGuestAndKernel() throws {
        let address = try space.anonymous(2 * 4096)
        try space.protect(address, length: 4096, .read)
        #expect(space.guest(address, storing: 1) == .accessError)
        #expect(space.guest(address) == .byte(0))
        #expect(throws: Errno.EFAULT) { try space.store(UInt32(1), at: address) }
        try space.protect(address, length: 8192, .none)
        #expect(space.guest(address, access: .read) == .accessError)
        try space.protect(address, length: 8192, [.read, .write])
        #expect(space.guest(address, storing: 3) == .byte(3))
        #expect(space.regions().count == 1)
        #expect(throws: Errno.ENOMEM) { try space.protect(address, length: 3 * 4096, .read) }
        // What lay before the hole has changed.
        #expect(space.guest(address, storing: 1) == .accessError)
    }

    @Test func reservedMemoryGetsPagesWithMprotect() throws {
        let address = try space.anonymous(1 << 40, at: 0, .none, [.private, .noReserve])
        #expect(space.guest(address) == .accessError)
        try space.protect(address + (1 << 30) as GuestAddress, length: 4096, [.read, .write])
        #expect(space.guest(address + (1 << 30) as GuestAddress, storing: 9) == .byte(9))
    }

    @Test func hugeReservationsFillOnFault() throws {
        let address = try space.anonymous(1 << 40, at: 0, [.read, .write], [.private, .noReserve])
        #expect(space.guest(address + (5 << 30) as GuestAddress, storing: 9) == .byte(9))
        #expect(try space.load(UInt8.self, at: address + (5 << 30) as GuestAddress) == 9)
    }

    @Test func stacksGrowWithinTheirLimit() throws {
        let top = space.layout.stackTop
        let address = try space.anonymous(
            128 << 10, at: top.rawValue - (128 << 10), [.read, .write], [.private, .growsDown, .fixed, .stack])
        #expect(space.guest(address - 100 as GuestAddress, storing: 5) == .byte(5))
        #expect(space.guest(top - (8 << 20) + 4096 as GuestAddress, storing: 5) == .byte(5))
        #expect(space.guest(top - (9 << 20) as GuestAddress, storing: 5) == .mapError)
        #expect(space.regions().contains { $0.label == "[stack]" })
    }

    @Test func theBreakMovesBothWays() throws {
        let start = GuestAddress(0x5555_0000_1000)
        space.initializeBreak(start)
        #expect(space.setBreak(.null) == start)
        #expect(space.setBreak(start + 10000 as GuestAddress) == start + 10000 as GuestAddress)
        #expect(space.guest(start + 9000 as GuestAddress, storing: 4) == .byte(4))
        #expect(space.regions().first?.label == "[heap]")
        #expect(space.setBreak(start + 100 as GuestAddress) == start + 100 as GuestAddress)
        #expect(space.guest(start + 9000 as GuestAddress) == .mapError)
        #expect(space.setBreak(start - 1 as GuestAddress) == start + 100 as GuestAddress)
    }

    @Test func remapMovesContentsAndGrows() throws {
        let address = try space.anonymous(2 * 4096)
        // Something right above, so that growth must move.
        _ = try space.anonymous(4096, at: address.rawValue + 8192, .read, [.private, .fixed])
        try space.store(UInt64(0x1234), at: address + 4096 as GuestAddress)
        #expect(throws: Errno.ENOMEM) {
            try space.remap(address, oldLength: 8192, newLength: 16384, flags: [], newAddress: .null)
        }
        let moved = try space.remap(address, oldLength: 8192, newLength: 16384, flags: .mayMove, newAddress: .null)
        #expect(moved != address)
        #expect(try space.load(UInt64.self, at: moved + 4096 as GuestAddress) == 0x1234)
        #expect(space.guest(moved + 4096 as GuestAddress) == .byte(0x34))
        #expect(space.guest(address) == .mapError)
        #expect(space.guest(moved + 12288 as GuestAddress, storing: 1) == .byte(1))
        #expect(try space.remap(moved, oldLength: 16384, newLength: 4096, flags: [], newAddress: .null) == moved)
        #expect(space.guest(moved + 4096 as GuestAddress) == .mapError)
        #expect(throws: Errno.EFAULT) { try space.remap(address, oldLength: 4096, newLength: 8192, flags: [], newAddress: .null) }
        #expect(throws: Errno.EINVAL) { try space.remap(moved, oldLength: 0, newLength: 4096, flags: .mayMove, newAddress: .null) }
    }

    @Test func dontNeedZeroesPrivateMemory() throws {
        let address = try space.anonymous(16 << 12)
        try space.store(UInt64(5), at: address)
        try space.advise(address, length: 4096, advice: 4)
        #expect(space.guest(address) == .byte(0))
        #expect(throws: Errno.ENOMEM) { try space.advise(address, length: 64 << 12, advice: 4) }
        #expect(throws: Errno.EINVAL) { try space.advise(address, length: 4096, advice: 77) }
        #expect(throws: Errno.EINVAL) { try space.advise(address + 1 as GuestAddress, length: 4096, advice: 4) }
    }

    @Test func theVDSOStays() throws {
        let placement = VDSOPlacement(
            data: GuestRange(start: GuestAddress(0x7ffe_0000_0000), end: GuestAddress(0x7ffe_0000_4000)),
            code: GuestRange(start: GuestAddress(0x7ffe_0000_4000), end: GuestAddress(0x7ffe_0000_6000)))
        let space = try AddressSpace(platform: RecordingPlatform(vdso: placement), memoryFile: file)
        #expect(space.vdsoAddress == placement.code.start)
        #expect(space.regions().map(\.label) == ["[vvar]", "[vdso]"])
        #expect(throws: Errno.EPERM) { try space.unmap(placement.code.start, length: 4096) }
        #expect(try space.fork(platform: RecordingPlatform(vdso: placement)).regions().count == 2)
    }

    @Test func limitsAreEnforced() throws {
        space.limits = MemoryLimits(addressSpace: 1 << 20, data: 1 << 19, lockedMemory: 8192)
        #expect(throws: Errno.ENOMEM) { try space.anonymous(2 << 20) }
        #expect(throws: Errno.ENOMEM) { try space.anonymous(600 << 10) }
        _ = try space.anonymous(600 << 10, .read)
        let address = try space.anonymous(16384)
        #expect(throws: Errno.ENOMEM) { try space.lock(address, length: 16384, onFault: false) }
        try space.lock(address, length: 8192, onFault: false)
        #expect(space.statistics().lockedBytes == 8192)
        #expect(throws: Errno.EAGAIN) { try space.anonymous(4096, .read, [.private, .locked]) }
        let present = try space.residency(address, length: 16384)
        #expect(present == [1, 1, 0, 0])
    }

    @Test func populatingStopsBeforeMemoryRunsOut() throws {
        let small = try MemoryFile(totalBytes: 16 << 20, window: 64 << 30)
        let space = try AddressSpace(platform: platform, memoryFile: small)
        // Small enough to do no harm if the bound fails.
        let address = try space.anonymous(64 << 20, at: 0, [.read, .write], [.private, .noReserve])
        #expect(throws: Errno.ENOMEM) { try space.advise(address, length: 64 << 20, advice: 23) }
        #expect(small.committedBytes <= 16 << 20)
    }

    @Test func extremeArgumentsGiveErrors() throws {
        let space = try AddressSpace(platform: platform, memoryFile: try MemoryFile(totalBytes: 16 << 20, window: 64 << 30))
        let address = try space.anonymous(4096)
        let values: [UInt64] = [0, 1, 4095, 4096, 1 << 46, 1 << 47, 1 << 63, .max - 4095, .max - 1, .max]
        for start in values + [address.rawValue] {
            for length in values {
                let start = GuestAddress(start)
                try? space.unmap(start, length: length)
                try? space.protect(start, length: length, .read)
                try? space.lock(start, length: length, onFault: false)
                try? space.unlock(start, length: length)
                _ = try? space.residency(start.pageBase, length: length & 0xf000)
                _ = try? space.futexKey(start, shared: true)
                _ = try? space.copyInString(start, limit: 10)
                _ = try? space.loadArray(UInt64.self, at: start, count: Int(truncatingIfNeeded: length))
                _ = try? space.zero(start, count: length)
                _ = space.setBreak(start)
                try? space.remapFilePages(start, length: length, page: length)
                for advice in [4, 8, 9, 14] as [Int32] { try? space.advise(start, length: length, advice: advice) }
                for other in values {
                    _ = try? space.remap(
                        start, oldLength: length, newLength: other, flags: [.mayMove, .fixed], newAddress: GuestAddress(other))
                    _ = try? space.map(
                        AddressSpace.MapRequest(
                            address: start, length: length, protection: .none, flags: [.private, .anonymous], offset: other))
                }
            }
        }
        #expect(Bool(true))
    }

    @Test func sealedMemoryStays() throws {
        let address = try space.anonymous(4096)
        try space.seal(address, length: 4096)
        #expect(throws: Errno.EPERM) { try space.unmap(address, length: 4096) }
        #expect(throws: Errno.EPERM) { try space.protect(address, length: 4096, .read) }
        #expect(throws: Errno.EPERM) { try space.anonymous(4096, at: address.rawValue, .read, [.private, .fixed]) }
    }

    @Test func everythingIsReleasedAtTheEnd() throws {
        let address = try space.anonymous(4 << 20)
        try space.zero(address, count: 4 << 20)
        let child = try space.fork(platform: platform)
        try child.store(UInt8(1), at: address)
        #expect(file.committedBytes > 4 << 20)
        space.tearDown()
        child.tearDown()
        file.trim()
        #expect(file.committedBytes == 0)
        #expect((space.platformSpace as? RecordingSpace)?.state.withLock { $0.isDestroyed } == true)
    }
}
