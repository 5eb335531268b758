import LinuxABI
import Synchronization

/// What operations on files tell watchers: Linux's fsnotify. Without any watch a notice costs one load.
public enum FileNotice {
    /// Watches of the whole process.
    static let watchCount = Atomic<Int>(0)
    private static let lastCookie = Atomic<UInt32>(0)

    @inline(__always)
    public static var isOn: Bool { watchCount.load(ordering: .relaxed) != 0 }

    /// Something happened to the file that `dentry` names: its directory's watchers hear of it with the name, then its own.
    @inline(__always)
    public static func post(_ events: WatchEvents, _ dentry: Dentry) {
        if isOn { tell(events, dentry) }
    }

    /// As above, by an open file. Those opened with O_PATH tell nothing.
    @inline(__always)
    public static func post(_ events: WatchEvents, _ file: FileDescription) {
        if isOn, !file.isPathOnly, let path = file.path { tell(events, path.dentry) }
    }

    private static func tell(_ events: WatchEvents, _ dentry: Dentry) {
        let link = dentry.link.withLock { $0 }
        let events = dentry.isDirectory ? events.union(.isDirectory) : events
        if let parent = link.parent {
            for watch in parent.node.shared.watches where !(link.isDeleted && watch.events.contains(.excludeUnlinked)) {
                watch.listener.happened(events, to: watch, name: link.name, cookie: 0)
            }
        }
        postToSelf(events, dentry.node)
    }

    /// Something that a process outside the sandbox did to `inode`, or to the entry `name` of that directory.
    public static func postFromOutside(_ events: WatchEvents, _ inode: any Inode, name: FileName? = nil, cookie: UInt32 = 0) {
        guard isOn else { return }
        for watch in inode.shared.watches { watch.listener.happened(events, to: watch, name: name, cookie: cookie) }
    }

    /// For the file's own watchers only.
    static func postToSelf(_ events: WatchEvents, _ inode: any Inode) {
        guard isOn else { return }
        let events = inode.type == .directory ? events.union(.isDirectory) : events
        for watch in inode.shared.watches { watch.listener.happened(events, to: watch, name: nil, cookie: 0) }
    }

    /// The entry `name` of `directory` came or went.
    static func post(_ events: WatchEvents, in directory: Dentry, _ name: FileName, isDirectory: Bool, cookie: UInt32 = 0) {
        guard isOn else { return }
        let events = isDirectory ? events.union(.isDirectory) : events
        for watch in directory.node.shared.watches {
            watch.listener.happened(events, to: watch, name: name, cookie: cookie)
        }
    }

    /// `child` got a new name and maybe place (fsnotify_move). Both events of a move carry the same cookie.
    static func postMove(
        _ child: Dentry, from source: Dentry, _ oldName: FileName, to destination: Dentry, _ newName: FileName, replaced: Dentry? = nil
    ) {
        guard isOn else { return }
        let cookie = lastCookie.add(1, ordering: .relaxed).newValue
        post(.movedFrom, in: source, oldName, isDirectory: child.isDirectory, cookie: cookie)
        post(.movedTo, in: destination, newName, isDirectory: child.isDirectory, cookie: cookie)
        if let replaced { postToSelf(.attributes, replaced.node) }
        postToSelf(.moveSelf, child.node)
        if let replaced { nameRemoved(replaced) }
    }

    /// A name of `inode` is not in the tree any more: watches give up their hold of it.
    static func nameRemoved(_ dentry: Dentry) {
        guard isOn else { return }
        for watch in dentry.node.shared.watches { watch.forgetPlace() }
    }

    /// Nobody refers to a removed name of `inode` any more. With the last name the file goes, and with it its watches.
    static func lastUseEnded(of inode: any Inode) {
        let watches = inode.shared.watches
        guard !watches.isEmpty else { return }
        if inode.type != .directory {
            guard let count = try? inode.attributes().linkCount, count == 0 else { return }
        }
        for watch in watches {
            watch.listener.happened(.deleteSelf, to: watch, name: nil, cookie: 0)
            if watch.detach() { watch.listener.ended(watch) }
        }
    }
}
