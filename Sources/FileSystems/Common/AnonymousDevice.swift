import LinuxABI
import Synchronization

/// Device numbers of file systems without a device: major 0, counted up, as Linux's get_anon_bdev().
public enum AnonymousDevice {
    private static let last = Atomic<UInt32>(0)

    public static func allocate() -> DeviceNumber {
        DeviceNumber(major: 0, minor: last.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}
