import CStub

/// Where a guest thread of the seccomp platform has its signal stack: the number of an area, and its addresses on both sides.
@safe struct StubArea: Sendable {
    let number: UInt32
    /// In the stub.
    let address: UInt64
    /// In the slots file.
    let fileOffset: UInt64
    // SAFETY: CSTUB_AREA_SIZE bytes of the zygote's window, which lives as long as the process. Guests write to it at any time: words are
    // read once, through `CHost`, and nothing read is trusted.
    nonisolated(unsafe) let memory: UnsafeMutableRawPointer

    init(zygote: StubZygote, number: UInt32) {
        self.number = number
        address = UInt64(CSTUB_AREAS) + UInt64(number) * UInt64(CSTUB_AREA_SIZE)
        fileOffset = StubZygote.areaOffset(UInt64(number))
        unsafe memory = zygote.memory(ofArea: number)
    }

    /// The Sentry's view of `length` bytes at the stub's address `address`; nil when they are not inside the area.
    func pointer(to address: UInt64, length: UInt64) -> UnsafeMutableRawPointer? {
        let offset = address &- self.address
        guard offset < UInt64(CSTUB_AREA_SIZE), length <= UInt64(CSTUB_AREA_SIZE) - offset else { return nil }
        return unsafe memory + Int(offset)
    }
}
