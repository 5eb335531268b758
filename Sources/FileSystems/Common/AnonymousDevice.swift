import LinuxABI
import Synchronization

/// Device numbers of file systems without a device: major 0, counted up, as Linux's get_anon_bdev().
public enum AnonymousDevice {
    /// The VFS itself uses numbers below.
    private static let last = Atomic<UInt32>(24)

    public static func allocate() -> DeviceNumber {
        DeviceNumber(major: 0, minor: last.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}
