import GoferProtocol
import HostOS
import LinuxABI

/// A host file that the client may name: an O_PATH descriptor and what the Gofer must know of it. It never changes what it
/// refers to, whatever happens to names.
final class Node {
    let descriptor: SharedHostDescriptor
    let status: HostFileStatus
    /// Whether the grant it was reached through allows changes.
    let isWritable: Bool
    /// A kernel interface of the host (procfs and its like) inside a granted tree: it shows as an empty directory.
    let isSealed: Bool

    var number: Int32 { descriptor.number }
    var type: FileType { status.mode.type ?? .regular }

    /// Hide rules that apply below it.
    let hidden: [HiddenPaths.Rest]
    /// The watch that this node keeps, and who ends it.
    var watch: (number: Int32, watcher: ChangeWatcher)?

    convenience init(
        _ descriptor: consuming HostDescriptor, status: HostFileStatus, isWritable: Bool, isSealed: Bool, hidden: [HiddenPaths.Rest] = []
    ) {
        self.init(SharedHostDescriptor(descriptor), status: status, isWritable: isWritable, isSealed: isSealed, hidden: hidden)
    }
    private init(_ descriptor: SharedHostDescriptor, status: HostFileStatus, isWritable: Bool, isSealed: Bool, hidden: [HiddenPaths.Rest]) {
        self.hidden = hidden
        self.descriptor = descriptor
        self.status = status
        self.isWritable = isWritable
        self.isSealed = isSealed
    }

    deinit { if let watch { watch.watcher.release(watch.number) } }

    /// A second node of the same file.
    func another() -> Node { Node(descriptor, status: status, isWritable: isWritable, isSealed: isSealed, hidden: hidden) }

    func requireWritable() throws(Errno) {
        if !isWritable { throw .EROFS }
        if isSealed { throw .EACCES }
    }
    func requireDirectory() throws(Errno) {
        if type != .directory { throw .ENOTDIR }
    }
}

/// File systems of the host that are interfaces of its kernel (linux/magic.h). A tree that happens to contain one does not grant it:
/// through /proc the guest could look into other processes of the user.
enum KernelFileSystems {
    private static let magics: Set<UInt64> = [
        0x9fa0,  // proc
        0x6265_6572,  // sysfs
        0x1cd1,  // devpts
        0x27e0eb,  // cgroup
        0x6367_7270,  // cgroup2
        0x6462_6720,  // debugfs
        0x7472_6163,  // tracefs
        0x7363_6673,  // securityfs
        0xcafe_4a11,  // bpf
        0x6265_6570,  // configfs
        0xde5e_81e4,  // efivarfs
        0x6165_676c,  // pstore
        0xf97c_ff8c,  // selinuxfs
        0x4249_4e4d,  // binfmt_misc
        0x6e73_6673,  // nsfs
        0x1980_0202,  // mqueue
        0x6573_5543,  // fusectl
    ]
    static func contains(_ descriptor: Int32) throws(Errno) -> Bool {
        magics.contains(try HostFileSystemStatus(of: descriptor).magic)
    }
}
