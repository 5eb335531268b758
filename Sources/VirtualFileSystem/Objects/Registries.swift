import LinuxABI
import Synchronization

/// Drivers of device nodes: what opening a node of a device number does. Used for nodes whose file system does not open them itself
/// (those that mknod(2) makes on tmpfs, or that lie in a lower layer).
public final class DeviceRegistry: Sendable {
    public typealias Opener =
        @Sendable (_ inode: any Inode, _ flags: OpenFlags, _ caller: any Caller) throws(Errno) -> any FileOperations

    private struct Driver: Sendable {
        let open: Opener
    }
    private let drivers = Mutex<[DeviceNumber: Driver]>([:])

    public init() {}

    /// Character devices only: the sandbox has no block devices.
    public func register(_ device: DeviceNumber, _ open: @escaping Opener) {
        drivers.withLock { $0[device] = Driver(open: open) }
    }

    /// - Throws: ENXIO for a number without a driver, and what the driver throws.
    func open(_ device: DeviceNumber, _ inode: any Inode, _ flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        guard let driver = drivers.withLock({ $0[device] }) else { throw .ENXIO }
        return try driver.open(inode, flags, caller)
    }
}

/// File-system types that mount(2) knows.
public final class FileSystemTypeRegistry: Sendable {
    /// Makes an instance from the data argument of mount(2). - Throws: EINVAL for options it does not know.
    public typealias Maker = @Sendable (_ source: [UInt8], _ options: [UInt8], _ caller: any Caller) throws(Errno) -> any FileSystem

    public struct Traits: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// FS_USERNS_MOUNT: root of a user namespace may mount it.
        public static let userNamespaces = Traits(rawValue: 1)
        /// SB_I_USERNS_VISIBLE: only where a whole instance can be seen already.
        public static let revealing = Traits(rawValue: 2)
    }
    private struct Entry: Sendable {
        let traits: Traits
        let make: Maker
    }
    private let types = Mutex<[String: Entry]>([:])

    public init() {}

    public func register(_ name: String, _ traits: Traits = [], _ make: @escaping Maker) {
        types.withLock { $0[name] = Entry(traits: traits, make: make) }
    }
    /// - Throws: ENODEV.
    public func traits(_ name: String) throws(Errno) -> Traits {
        guard let entry = types.withLock({ $0[name] }) else { throw .ENODEV }
        return entry.traits
    }

    /// Names for /proc/filesystems.
    public var names: [String] { types.withLock { $0.keys.sorted() } }

    /// - Throws: ENODEV for an unknown type, and what the type's maker throws.
    public func make(_ name: String, source: [UInt8], options: [UInt8], caller: any Caller) throws(Errno) -> any FileSystem {
        guard let entry = types.withLock({ $0[name] }) else { throw .ENODEV }
        return try entry.make(source, options, caller)
    }
}
