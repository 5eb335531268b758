import LinuxABI
import Memory
import Platform
import Testing

@Suite struct ForkTests {
    let platform = RecordingPlatform()
    let file: MemoryFile
    let parent: AddressSpace

    init() throws {
        file = try MemoryFile(window: 64 << 30)
        parent = try AddressSpace(platform: platform, memoryFile: file)
    }

    @Test func privateMemoryIsCopiedOnWrite() throws {
        let address = try parent.anonymous(1 << 20)
        #expect(parent.guest(address, storing: 1) == .byte(1))
        let child = try parent.fork(platform: platform)
        #expect(child.guest(address) == .byte(1))
        #expect(child.guest(address, storing: 2) == .byte(2))
        #expect(parent.guest(address) == .byte(1))
        #expect(parent.guest(address, storing: 3) == .byte(3))
        #expect(child.guest(address) == .byte(2))
        // The kernel's own stores break sharing too.
        try child.store(UInt8(9), at: address + (512 << 10) as GuestAddress)
        #expect(parent.guest(address + (512 << 10) as GuestAddress) == .byte(0))
        #expect(child.guest(address + (512 << 10) as GuestAddress) == .byte(9))
    }

    @Test func theLastOwnerTakesPagesOverWithoutCopy() throws {
        let address = try parent.anonymous(1 << 20)
        let before = (parent.platformSpace as? RecordingSpace)?.mapping(at: address)?.source
        try parent.fork(platform: platform).tearDown()
        #expect(parent.guest(address, storing: 3) == .byte(3))
        let after = (parent.platformSpace as? RecordingSpace)?.mapping(at: address)
        guard case .memoryFile(let old) = before, case .memoryFile(let new) = after?.source else {
            Issue.record("not memory")
            return
        }
        #expect(old == new)
        #expect(after?.range.length == 1 << 20)
    }

    @Test func sharedMemoryStaysShared() throws {
        let address = try parent.anonymous(8192, [.read, .write], .shared)
        let child = try parent.fork(platform: platform)
        #expect(child.guest(address, storing: 8) == .byte(8))
        #expect(parent.guest(address) == .byte(8))
        #expect(try parent.futexKey(address, shared: true) == child.futexKey(address, shared: true))
        #expect(try parent.futexKey(address, shared: false) != child.futexKey(address, shared: false))
    }

    @Test func adviceForForkIsFollowed() throws {
        let kept = try parent.anonymous(4096, at: 0x1000_0000, [.read, .write], [.private, .fixed])
        let wiped = try parent.anonymous(4096, at: 0x2000_0000, [.read, .write], [.private, .fixed])
        try parent.store(UInt8(1), at: wiped)
        try parent.advise(kept, length: 4096, advice: 10)
        try parent.advise(wiped, length: 4096, advice: 18)
        let child = try parent.fork(platform: platform)
        #expect(child.guest(kept) == .mapError)
        #expect(child.guest(wiped) == .byte(0))
        #expect(parent.guest(wiped) == .byte(1))
    }

    @Test func protectionAfterForkKeepsCopyOnWrite() throws {
        let address = try parent.anonymous(8192)
        try parent.store(UInt8(1), at: address)
        let child = try parent.fork(platform: platform)
        try child.protect(address, length: 8192, .read)
        #expect(child.guest(address, storing: 2) == .accessError)
        try child.protect(address, length: 8192, [.read, .write])
        #expect(child.guest(address, storing: 2) == .byte(2))
        #expect(parent.guest(address) == .byte(1))
    }

    @Test func aFaultThatNothingCausesEndsAsASignal() throws {
        let address = try parent.anonymous(4096)
        let fault = Fault(address: address, access: .unknown, info: SignalInfo(.SIGSEGV, code: SignalInfo.SEGV_ACCERR))
        guard case .resolved = parent.handleFault(fault), case .signal(let info) = parent.handleFault(fault) else {
            Issue.record("expected one retry, then a signal")
            return
        }
        #expect(info.code == SignalInfo.SEGV_ACCERR && info.address == address)
    }
}
