import CHost
import CStub
import HostOS
import LinuxABI

/// A guest thread of the seccomp platform: its listener, and the frame in which its registers lie while it waits at its doorbell.
///
/// Used by one task thread at a time, or by nobody while it is idle.
@safe final class StubThread: @unchecked Sendable {
    // SAFETY (Sendable): every stored property is a constant, but `doorbell`, which only the present user touches; users follow one another
    // through the stub process's lock.
    let id: Int32
    let area: StubArea
    let listener: Int32
    private let descriptor: SharedHostDescriptor
    /// Whether waiting for a notification must poll first (Linux before 6.11).
    let polls: Bool
    /// Where the kernel puts the frame when it enters the handler from guest code: always the same place.
    let frameAddress: UInt64
    private let imageAddress: UInt64
    let imageSize: Int
    /// Features that an XSAVE image may hold.
    let features: UInt64
    // SAFETY: both point into the area and were checked to fit.
    private nonisolated(unsafe) let frame: UnsafeMutableRawPointer
    private nonisolated(unsafe) let image: UnsafeMutableRawPointer
    /// The unanswered notification of the doorbell.
    var doorbell: UInt64

    /// Waits for the first ring of a new thread.
    init(process: Int32, area: StubArea, listener: consuming HostDescriptor, polls: Bool) throws(Errno) {
        let number = listener.number
        descriptor = SharedHostDescriptor(listener)
        self.listener = number
        self.area = area
        self.polls = polls
        var birth = chost_notification()
        let outcome = unsafe chost_notify_receive_within(number, Self.birthPatience, &birth)
        guard outcome == Int32(CHOST_NOTIFY_OK), Self.isDoorbell(birth) else { throw .EAGAIN }
        let frameArgument = birth.arguments.1
        guard let frame = unsafe area.pointer(to: frameArgument, length: UInt64(CHOST_FRAME_SIZE)) else { throw .EAGAIN }
        let imageAddress = unsafe chost_frame_fpstate(frame)
        guard let legacy = unsafe area.pointer(to: imageAddress, length: 576) else { throw .EAGAIN }
        var features: UInt64 = 0
        let size = unsafe chost_fpstate_size(legacy, &features)
        // The image ends with a second magic word.
        guard size >= 576, let image = unsafe area.pointer(to: imageAddress, length: UInt64(size) + 4) else { throw .EAGAIN }
        id = birth.thread
        frameAddress = frameArgument
        self.imageAddress = imageAddress
        imageSize = Int(size)
        self.features = features
        unsafe self.frame = frame
        unsafe self.image = image
        doorbell = birth.id
        chost_unbind(id)
        _ = chost_notify_wake_on_this_cpu(number)
    }

    /// How long a new thread may take to its first ring, in milliseconds: seconds only on a machine that is short of processors.
    private static let birthPatience: Int32 = 10_000

    static func isDoorbell(_ n: chost_notification) -> Bool {
        n.number == Int64(CSTUB_DOORBELL) && n.instruction_pointer == doorbellAddress
    }
    private static let doorbellAddress = cstub_doorbell_address()

    // MARK: the frame

    /// Undoes whatever a former guest did to what the kernel wrote into the frame.
    func repair() { unsafe chost_frame_repair(frame, image, imageAddress, UInt32(imageSize), features) }

    func load(_ registers: inout RegisterFile) {
        // SAFETY: RegisterFile has the layout of user_regs_struct, 27 words.
        unsafe withUnsafeMutableBytes(of: &registers) {
            unsafe chost_frame_load(frame, $0.baseAddress!.assumingMemoryBound(to: UInt64.self))
        }
    }
    func store(_ registers: RegisterFile) {
        unsafe withUnsafeBytes(of: registers) {
            unsafe chost_frame_store(frame, $0.baseAddress!.assumingMemoryBound(to: UInt64.self), area.address)
        }
    }
    var instructionPointer: UInt64 { unsafe chost_frame_instruction_pointer(frame) }
    func setResult(_ value: UInt64) { unsafe chost_frame_set_rax(frame, value) }
    func finishCall(length: UInt64, _ value: UInt64) { unsafe chost_frame_finish_call(frame, length, value) }
    /// FS and GS base that the handler loads when the doorbell's answer asks for it.
    func setBases(fs: UInt64, gs: UInt64) {
        unsafe area.memory.storeBytes(of: cstub_area(fs_base: fs, gs_base: gs), as: cstub_area.self)
    }
    var signalInfo: SignalInfo {
        var info = SignalInfo()
        // SAFETY: siginfo_t has 128 bytes, as SignalInfo.
        unsafe withUnsafeMutableBytes(of: &info) { unsafe chost_frame_signal_info(frame, $0.baseAddress!) }
        return info
    }
    /// The processor's page-fault error code; nil for another trap.
    var pageFaultError: UInt64? { unsafe chost_frame_trap(frame) == 14 ? chost_frame_error(frame) : nil }

    // MARK: calls handed over in the area

    func resetFastPath() { unsafe chost_fast_reset(area.memory) }
    /// The guest thread may hand its next call over. Before the answer to the present one.
    func serve() { unsafe chost_fast_serve(area.memory) }
    /// True: the guest thread waits for the result in the host.
    func finishFastCall(_ value: UInt64) -> Bool { unsafe chost_fast_finish(area.memory, value) != 0 }
    func blockFastCall() { unsafe chost_fast_block(area.memory) }
    func withdrawFastCall() -> Bool { unsafe chost_fast_withdraw(area.memory) != 0 }
    func setFastIdle() { unsafe chost_fast_set_idle(area.memory) }
    func rang() { unsafe chost_fast_rang(area.memory) }
    var fastState: Int32 { Int32(truncatingIfNeeded: unsafe chost_fast_state(area.memory)) }
    var fastFlags: UInt32 { unsafe chost_fast_flags(area.memory) }
    var fastBlock: UInt64 { UInt64(unsafe chost_fast_block_address(area.memory)) }

    // MARK: vector state

    func extendedState() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: imageSize) { buffer, count in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: UnsafeRawBufferPointer(start: image, count: imageSize))
            // Bytes 464...511 are software-reserved.
            for index in 464..<512 { unsafe buffer[index] = 0 }
            count = imageSize
        }
    }

    /// - Throws: EINVAL for what XRSTOR would refuse: unknown features, a compacted image, reserved bits.
    func setExtendedState(_ given: [UInt8]) throws(Errno) {
        guard given.count >= 576 else { throw .EINVAL }
        func word(_ offset: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(given[offset + $1]) << (8 * UInt64($1)) } }
        let present = word(512)
        guard present & ~features == 0, given[520..<576].allSatisfy({ $0 == 0 }) else { throw .EINVAL }
        guard given.count >= imageSize || present & ~3 == 0 else { throw .EINVAL }
        let control = UInt32(truncatingIfNeeded: word(24))
        let ownMask = unsafe image.loadUnaligned(fromByteOffset: 28, as: UInt32.self)
        guard control & ~(ownMask == 0 ? 0xffbf : ownMask) & 0xffff_0000 == 0 else { throw .EINVAL }
        let count = min(given.count, imageSize)
        unsafe given.withUnsafeBytes { bytes in
            unsafe image.copyMemory(from: bytes.baseAddress!, byteCount: 464)
            unsafe (image + 512).copyMemory(from: bytes.baseAddress! + 512, byteCount: count - 512)
        }
        if count < imageSize { unsafe (image + count).initializeMemory(as: UInt8.self, repeating: 0, count: imageSize - count) }
    }

    func resetExtendedState() { unsafe chost_fpstate_reset(image, UInt32(imageSize)) }

    // MARK: end

    /// Makes a thread that waits at its doorbell exit on its own.
    func end() {
        var registers = RegisterFile()
        registers.rip = Self.exitSite
        registers.rax = 60
        repair()
        store(registers)
        _ = chost_notify_answer(listener, doorbell, 0)
    }
    private static let exitSite = cstub_manager_site_address()
}
