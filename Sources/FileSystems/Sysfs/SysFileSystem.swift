import HostOS
import LinuxABI
import VirtualFileSystem

/// sysfs(5), as far as language runtimes and measuring tools look at it: processors, one memory node, huge-page policy, the
/// loopback interface. No devices, no control groups.
public final class SysFileSystem: FileSystem, SyntheticTreeHost {
    public let typeName = "sysfs"
    public let device = DeviceNumber(major: 0, minor: 22)
    /// Nothing in it changes.
    public let cachePolicy = CachePolicy.exclusive
    let creationTime = HostClock.realtime.timespec
    let fileSize: UInt64 = 4096
    let directoryPermissions: UInt16 = 0o755
    private let tree: SyntheticTree

    /// - Parameters:
    ///   - processorCount: processors 0 ..< count are online.
    ///   - memoryBytes: what node 0 shows as its size.
    public init(processorCount: Int, memoryBytes: UInt64 = 0) {
        var next: UInt64 = 1
        tree = SyntheticTree(
            .directory("", SysTree.entries(processors: max(1, processorCount), memoryBytes: memoryBytes)), parent: 1, next: &next)
    }

    /// Lets mount(2) show `instance` elsewhere: nothing in it belongs to a namespace.
    public static func register(in types: FileSystemTypeRegistry, _ instance: SysFileSystem) {
        types.register("sysfs", [.userNamespaces, .revealing]) { (_, _, _) throws(Errno) in instance }
    }

    public var root: any Inode { SyntheticTreeDirectory(tree, self) }
    public func statistics() throws(Errno) -> FileSystemStatistics { FileSystemStatistics(magic: 0x6265_6572) }
}
