import HostOS
import LinuxABI

/// Directories watched with inotify(7), so that the client need not ask again for names that nobody changed. The kernel puts an event into
/// the queue before the change that it tells of returns to whoever made it: an empty queue means that what is known still holds.
final class ChangeWatcher {
    let queue: HostDescriptor
    /// Nodes that keep each watch.
    private var users: [Int32: Int] = [:]
    /// Whether all changes of a device's files pass this kernel and are told.
    private var reliable: [DeviceNumber: Bool] = [:]

    /// Names that come and go, attributes and contents of entries, and the directory itself.
    private static let events: WatchEvents = [
        .attributes, .modify, .closeWrite, .create, .delete, .movedFrom, .movedTo, .deleteSelf, .moveSelf, .onlyDirectory,
    ]
    /// Linux lets a user have 8,192 watches at least; other programs want some.
    private static let limit = 4096

    /// ext2 to 4, XFS, Btrfs, tmpfs, F2FS, overlayfs, ZFS, bcachefs, ramfs. Files of network and FUSE file systems change elsewhere.
    private static let magics: Set<UInt64> = [
        0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0xf2f5_2010, 0x794c_7630, 0x2fc1_2fc1, 0xca45_1a4e, 0x8584_58f6,
    ]

    init() throws(Errno) { queue = try HostInotify.create() }

    /// The number of a watch that `node` keeps until it goes; 0 when it can have none.
    func watch(_ node: Node, _ path: [UInt8]) -> Int32 {
        if let watch = node.watch { return watch.number }
        guard users.count < Self.limit, isReliable(node) else { return 0 }
        guard let number = try? HostInotify.add(path, to: queue.number, Self.events), number > 0 else { return 0 }
        users[number, default: 0] += 1
        node.watch = (number, self)
        return number
    }

    func release(_ number: Int32) {
        guard let count = users[number] else { return }
        if count > 1 {
            users[number] = count - 1
        } else {
            users[number] = nil
            HostInotify.remove(number, from: queue.number)
        }
    }

    private func isReliable(_ node: Node) -> Bool {
        if let known = reliable[node.status.device] { return known }
        let magic = (try? HostFileSystemStatus(of: node.number))?.magic
        let result = magic.map { Self.magics.contains($0) } ?? false
        reliable[node.status.device] = result
        return result
    }
}
