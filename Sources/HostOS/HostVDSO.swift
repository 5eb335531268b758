/// The host's vDSO as it lies in this process: the same image as in every other.
public enum HostVDSO {
    private static let address = UInt(HostProcessor.auxiliaryValue(33))  // AT_SYSINFO_EHDR
    /// Bytes of the image. The caller bounds them by the image's length, which it knows from the guest's mapping of it.
    public static func bytes(from offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count > 0, let base = unsafe UnsafeRawPointer(bitPattern: address) else { return [] }
        // SAFETY: the image is mapped for good, and readable to its end.
        return unsafe Array(UnsafeRawBufferPointer(start: base + offset, count: count))
    }
}
