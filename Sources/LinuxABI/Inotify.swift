/// Events of inotify(7) and flags of inotify_add_watch(2): bits of one word.
public struct WatchEvents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let access = WatchEvents(rawValue: 0x1)
    public static let modify = WatchEvents(rawValue: 0x2)
    public static let attributes = WatchEvents(rawValue: 0x4)
    public static let closeWrite = WatchEvents(rawValue: 0x8)
    public static let closeNoWrite = WatchEvents(rawValue: 0x10)
    public static let open = WatchEvents(rawValue: 0x20)
    public static let movedFrom = WatchEvents(rawValue: 0x40)
    public static let movedTo = WatchEvents(rawValue: 0x80)
    public static let create = WatchEvents(rawValue: 0x100)
    public static let delete = WatchEvents(rawValue: 0x200)
    public static let deleteSelf = WatchEvents(rawValue: 0x400)
    public static let moveSelf = WatchEvents(rawValue: 0x800)
    /// IN_ALL_EVENTS.
    public static let all = WatchEvents(rawValue: 0xfff)

    // Sent whether asked for or not.
    public static let unmounted = WatchEvents(rawValue: 0x2000)
    public static let overflow = WatchEvents(rawValue: 0x4000)
    public static let ignored = WatchEvents(rawValue: 0x8000)
    /// IN_ISDIR: the event is about a directory.
    public static let isDirectory = WatchEvents(rawValue: 0x4000_0000)

    // Flags of inotify_add_watch(2).
    public static let onlyDirectory = WatchEvents(rawValue: 0x100_0000)
    public static let dontFollow = WatchEvents(rawValue: 0x200_0000)
    public static let excludeUnlinked = WatchEvents(rawValue: 0x400_0000)
    public static let maskCreate = WatchEvents(rawValue: 0x1000_0000)
    public static let maskAdd = WatchEvents(rawValue: 0x2000_0000)
    public static let oneShot = WatchEvents(rawValue: 0x8000_0000)

    /// ALL_INOTIFY_BITS of Linux.
    public static let known: WatchEvents = [
        .all, .unmounted, .overflow, .ignored, .isDirectory, .onlyDirectory, .dontFollow, .excludeUnlinked, .maskCreate, .maskAdd,
        .oneShot,
    ]
}
