import CHost
import CStub
import HostOS
import LinuxABI
import Synchronization

/// The process that forks stub processes, and the slots of shared memory through which they are ordered about.
@safe final class StubZygote: Sendable {
    private static let slotCount: UInt64 = 32768
    private static let areaCount: UInt64 = 32768

    let vdso: VDSOPlacement?
    private let requests: Mutex<cstub_zygote>
    private let freeSlots = Mutex(SlotAllocator(limit: UInt32(slotCount)))
    private let freeAreas = Mutex(SlotAllocator(limit: UInt32(areaCount)))
    // SAFETY: mapped once for the life of the process; each slot is used by the one StubProcess that holds its number, each area by one
    // StubThread.
    private nonisolated(unsafe) let window: UnsafeMutableRawPointer
    let processID: Int32
    /// The socket to the zygote: it hangs up when the zygote dies.
    let control: Int32

    /// Forks the zygote. The process must have one thread: the child runs without the Swift runtime.
    ///
    /// `notifies`: guest threads raise seccomp notifications.
    init(memoryFile: Int32, notifies: Bool) throws(Errno) {
        var zygote = cstub_zygote()
        // SAFETY: `zygote` is a live local that the call fills in.
        try hostCall(unsafe cstub_zygote_start(memoryFile, Self.slotCount, Self.areaCount, notifies ? 1 : 0, &zygote))
        guard let window = unsafe chost_map_slots(zygote.slots, Self.areaOffset(Self.areaCount)) else { throw hostErrno() }
        unsafe self.window = window
        processID = zygote.pid
        control = zygote.control
        if zygote.vdso_code_end != 0 {
            func range(_ start: UInt64, _ end: UInt64) -> GuestRange { GuestRange(start: GuestAddress(start), end: GuestAddress(end)) }
            vdso = VDSOPlacement(
                data: range(zygote.vdso_data_start, zygote.vdso_data_end), code: range(zygote.vdso_code_start, zygote.vdso_code_end))
        } else {
            vdso = nil
        }
        requests = Mutex(zygote)
    }

    struct SlotAllocator {
        var free: [UInt32] = []
        var next: UInt32 = 0
        let limit: UInt32
        init(limit: UInt32) { self.limit = limit }
        mutating func take() -> UInt32? {
            if let slot = free.popLast() { return slot }
            guard next < limit else { return nil }
            next += 1
            return next - 1
        }
    }

    func takeSlot() throws(Errno) -> UInt32 {
        guard let slot = freeSlots.withLock({ $0.take() }) else { throw .EAGAIN }
        return slot
    }
    func returnSlot(_ slot: UInt32) { freeSlots.withLock { $0.free.append(slot) } }

    /// Where a slot lies in the slots file.
    static func slotOffset(_ slot: UInt32) -> UInt64 { UInt64(slot) * UInt64(CSTUB_SLOT_SIZE) }
    /// The order pages and scratch page of a slot.
    // SAFETY: slots are below `slotCount`, so the pointer stays inside the window.
    func memory(ofSlot slot: UInt32) -> UnsafeMutableRawPointer { unsafe window + Int(slot) * Int(CSTUB_SLOT_SIZE) }

    // MARK: areas

    /// Where an area lies in the slots file.
    static func areaOffset(_ area: UInt64) -> UInt64 { slotCount * UInt64(CSTUB_SLOT_SIZE) + area * UInt64(CSTUB_AREA_SIZE) }
    func takeArea() throws(Errno) -> UInt32 {
        guard let area = freeAreas.withLock({ $0.take() }) else { throw .EAGAIN }
        return area
    }
    func returnArea(_ area: UInt32) { freeAreas.withLock { $0.free.append(area) } }
    // SAFETY: areas are below `areaCount`, so the pointer stays inside the window.
    func memory(ofArea area: UInt32) -> UnsafeMutableRawPointer { unsafe window + Int(Self.areaOffset(UInt64(area))) }

    /// A new stub process with these three descriptors, which it gets copies of. - Throws: EAGAIN, ENOMEM, ESRCH.
    func fork(slot: UInt32, orders: Int32, completion: Int32, files: Int32) throws(Errno) -> Int32 {
        try requests.withLock { zygote throws(Errno) in
            _ = chost_bind_to_cpu(zygote.pid, chost_current_cpu())
            // SAFETY: `zygote` is live for the call, which only reads it.
            return try hostCall(unsafe cstub_zygote_fork(&zygote, slot, orders, completion, files))
        }
    }
}
