import LinuxABI
import Memory
import Platform
import Testing

@Suite struct FileMappingTests {
    let platform = RecordingPlatform()
    let memory: MemoryFile
    let space: AddressSpace
    let file: TestFile

    init() throws {
        memory = try MemoryFile(window: 64 << 30)
        space = try AddressSpace(platform: platform, memoryFile: memory)
        file = try TestFile(memory, size: 3 * 4096 + 100, fill: 0x61)
    }

    private func map(
        _ length: UInt64, _ protection: Protection, _ flags: MapFlags, offset: UInt64 = 0, writable: Bool = true
    ) throws(Errno) -> GuestAddress {
        try space.map(
            AddressSpace.MapRequest(
                address: .null, length: length, protection: protection, flags: flags, file: file.mapped(writable: writable),
                offset: offset))
    }

    @Test func sharedMappingsShowTheFile() throws {
        let address = try map(4 * 4096, [.read, .write], .shared)
        #expect(space.guest(address) == .byte(0x61))
        #expect(space.guest(address, storing: 0x62) == .byte(0x62))
        #expect(memory.withBytes(file.offset, 1) { $0.unsafeLoadByte() } == 0x62)
        // The rest of the last page reads as zeroes.
        #expect(space.guest(address + (3 * 4096 + 200) as GuestAddress) == .byte(0))
    }

    @Test func privateMappingsKeepTheirStores() throws {
        let address = try map(4 * 4096, [.read, .write], .private)
        #expect(space.guest(address, storing: 0x62) == .byte(0x62))
        #expect(memory.withBytes(file.offset, 1) { $0.unsafeLoadByte() } == 0x61)
        try space.advise(address, length: 4096, advice: 4)
        #expect(space.guest(address) == .byte(0x61))
    }

    @Test func readOnlyMappingsBecomePrivateWhenMadeWritable() throws {
        let address = try map(4 * 4096, .read, .private)
        #expect(space.guest(address) == .byte(0x61))
        try space.protect(address, length: 4096, [.read, .write])
        #expect(space.guest(address, storing: 0x62) == .byte(0x62))
        #expect(memory.withBytes(file.offset, 1) { $0.unsafeLoadByte() } == 0x61)
        #expect(try space.load(UInt8.self, at: address) == 0x62)
    }

    @Test func accessPastTheEndIsABusError() throws {
        let address = try map(8 * 4096, [.read, .write], .shared)
        #expect(space.guest(address + (5 * 4096) as GuestAddress) == .busError)
        #expect(throws: Errno.EFAULT) { try space.load(UInt8.self, at: address + (5 * 4096) as GuestAddress) }
        let copy = try map(8 * 4096, [.read, .write], .private)
        #expect(space.guest(copy + (5 * 4096) as GuestAddress) == .busError)
    }

    @Test func truncationTakesPagesAway() throws {
        let address = try map(4 * 4096, [.read, .write], .shared)
        let copy = try map(4 * 4096, [.read, .write], .private)
        #expect(space.guest(address + 8192 as GuestAddress, storing: 1) == .byte(1))
        file.truncate(to: 4096)
        #expect(space.guest(address) == .byte(0x61))
        #expect(space.guest(address + 8192 as GuestAddress) == .busError)
        #expect(space.guest(copy + 8192 as GuestAddress) == .busError)
        file.truncate(to: 3 * 4096)
        #expect(space.guest(address + 8192 as GuestAddress) == .byte(1))
    }

    @Test func accessRightsOfTheFileBind() throws {
        #expect(throws: Errno.EACCES) { try map(4096, [.read, .write], .shared, writable: false) }
        let address = try map(4096, .read, .shared, writable: false)
        #expect(throws: Errno.EACCES) { try space.protect(address, length: 4096, [.read, .write]) }
        #expect(throws: Errno.EINVAL) { try map(4096, .read, .shared, offset: 100) }
        #expect(throws: Errno.EOPNOTSUPP) { try map(4096, .read, [.shared, .private, .sync]) }
        #expect(throws: Errno.EOVERFLOW) { try map(8192, .read, .shared, offset: .max - 4095) }
    }

    @Test func theFileForgetsMappingsThatGo() throws {
        let address = try map(4096, .read, .shared)
        let child = try space.fork(platform: platform)
        #expect(file.recordCount == 2)
        child.tearDown()
        try space.unmap(address, length: 4096)
        #expect(file.recordCount == 0)
    }

    @Test func regionsNameTheFile() throws {
        _ = try map(4096, .read, .private, offset: 4096)
        let region = try #require(space.regions().first)
        #expect(region.file?.owner.mappedPath == Array("/test".utf8) && region.fileOffset == 4096)
        #expect(region.identity.inode == 7)
    }

    @Test func aSecondViewOfSharedMemoryComesFromRemap() throws {
        let address = try map(4096, [.read, .write], .shared)
        let second = try space.remap(address, oldLength: 0, newLength: 4096, flags: .mayMove, newAddress: .null)
        #expect(space.guest(address, storing: 0x70) == .byte(0x70))
        #expect(space.guest(second) == .byte(0x70))
    }
}
