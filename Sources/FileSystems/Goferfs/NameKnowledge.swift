import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// What is known of a directory of a shared tree for as long as the host's kernel tells its changes.
struct NameKnowledge {
    /// A change that this sandbox is making: its event tells nothing new.
    enum OwnChange: Hashable {
        case create(UInt64)
        case delete(UInt64)
        case moveFrom(UInt64)
        case moveTo(UInt64)
    }
    /// Mode and owner: what permission to search and to change names depends on.
    struct Access {
        var mode: FileMode
        var uid: UInt32
        var gid: UInt32
    }

    /// The directory's watch in the change queue; 0: the host has to be asked each time.
    var watch: Int32 = 0
    /// What a name means, by its hash: a file, or nil when it does not exist. Names not in here are unknown.
    private var meanings: [UInt64: GoferFileSystem.Key?] = [:]
    /// Changes of names that others made so far; of entries' attributes and contents by anybody.
    private(set) var nameChanges: UInt64 = 0
    private(set) var entryChanges: UInt64 = 0
    private var expected: [OwnChange: Int] = [:]
    var access: Access?
    /// The status in the inode's state holds.
    var hasStatus = false
    /// Look-ups that the host was asked since the directory was last read ahead.
    var misses = 0
    var ahead: CacheSlot<ListingAhead>?

    private static let limit = 32_768

    func means(_ hash: UInt64, _ key: GoferFileSystem.Key?) -> Bool {
        guard watch != 0, let known = meanings[hash] else { return false }
        return known == key
    }

    /// What the host said of a name, asked when `nameChanges` was `since`.
    mutating func learn(_ hash: UInt64, _ key: GoferFileSystem.Key?, since: UInt64) {
        guard watch != 0, since == nameChanges else { return }
        if meanings.count >= Self.limit { meanings = [:] }
        meanings[hash] = .some(key)
    }

    mutating func forgetName(_ hash: UInt64) {
        meanings[hash] = nil
        changedEntry(hash)
    }

    /// What was read of an entry, or is being read, does not hold any more.
    mutating func changedEntry(_ hash: UInt64) {
        entryChanges &+= 1
        guard let slot = ahead, slot.current?.drop(hash) == false else { return }
        slot.clear()
        ahead = nil
    }

    /// Whether anything was told since a watch was started, which forgets all.
    private(set) var hasChangedSinceStart = false

    mutating func forgetAll() {
        meanings = [:]
        nameChanges &+= 1
        entryChanges &+= 1
        hasChangedSinceStart = false
        access = nil
        hasStatus = false
        ahead?.clear()
        ahead = nil
    }

    mutating func expect(_ change: OwnChange) { expected[change, default: 0] += 1 }
    mutating func unexpect(_ change: OwnChange) { expected[change] = nil }

    /// An event of the watch; `hash` of the entry's name, nil for the directory itself.
    /// Returns whether somebody else made it; of attributes and contents that can't be told here.
    mutating func changed(_ events: WatchEvents, _ hash: UInt64?) -> Bool {
        hasChangedSinceStart = true
        if !events.isDisjoint(with: [.ignored, .unmounted]) {
            watch = 0
            forgetAll()
            return false
        }
        guard let hash else {
            hasStatus = false
            if events.contains(.attributes) { access = nil }
            return false
        }
        // What was written has been told.
        if events.contains(.closeWrite) { return true }
        let own: OwnChange?
        if events.contains(.create) {
            own = .create(hash)
        } else if events.contains(.delete) {
            own = .delete(hash)
        } else if events.contains(.movedFrom) {
            own = .moveFrom(hash)
        } else if events.contains(.movedTo) {
            own = .moveTo(hash)
        } else {
            own = nil
        }
        changedEntry(hash)
        guard let own else { return true }
        hasStatus = false
        if let count = expected[own], count > 0 {
            expected[own] = count - 1
            return false
        }
        nameChanges &+= 1
        meanings[hash] = nil
        return true
    }

    /// The file that a name is known to mean.
    func meaning(_ hash: UInt64) -> GoferFileSystem.Key? { meanings[hash] ?? nil }
}

/// A directory read with attributes before they were asked for: it answers until an event speaks of an
/// entry, also that a name is absent.
final class ListingAhead: Sendable {
    private struct State {
        var entries: [UInt64: ListedStatus]
        /// Names of which it says nothing any more.
        var dropped: Set<UInt64> = []
    }
    struct ListedStatus: Sendable {
        var status: HostFileStatus?
        var link: [UInt8]
        /// Place in `names`.
        var place = 0
    }
    enum Answer {
        case entry(HostFileStatus, link: [UInt8])
        case absent
        case unknown
    }
    private let state: Mutex<State>
    private let deadline: MonotonicInstant

    /// Stores through a mapping change times without an event: attributes that were read ahead are not believed for longer.
    private static let nanoseconds: Int64 = 500_000_000

    /// What is missing may be hidden: the Gofer says by which rule.
    private let isFiltered: Bool
    /// In the directory's order.
    let names: [[UInt8]]
    let opens = OpenAhead()
    let attributeNames = AttributeNamesAhead()

    init(_ names: [[UInt8]], _ entries: [UInt64: ListedStatus], isFiltered: Bool, from start: MonotonicInstant) {
        self.names = names
        self.isFiltered = isFiltered
        state = Mutex(State(entries: entries))
        deadline = MonotonicInstant(nanoseconds: start.nanoseconds &+ Self.nanoseconds)
    }

    /// Whether its attributes are believed.
    var isFresh: Bool { MonotonicInstant.now.nanoseconds < deadline.nanoseconds }

    /// What it says of a name, once the host's changes were taken in.
    func answer(_ hash: UInt64) -> Answer {
        state.withLock { s in
            if s.dropped.contains(hash) { return .unknown }
            guard let entry = s.entries[hash] else { return isFiltered ? .unknown : .absent }
            guard let status = entry.status, isFresh else { return .unknown }
            // A further name of the file elsewhere changes it without an event here.
            if status.linkCount != 1 && !status.mode.isDirectory { return .unknown }
            return .entry(status, link: entry.link)
        }
    }
    /// Says nothing of a name any more. False: there are so many of these that the whole is of no use.
    func drop(_ hash: UInt64) -> Bool {
        let (place, isUseful) = state.withLock { s in
            s.dropped.insert(hash)
            return (s.entries[hash]?.place, s.dropped.count <= max(1024, names.count))
        }
        if let place { opens.drop(place) }
        return isUseful
    }

    func place(_ hash: UInt64) -> Int? { state.withLock { $0.entries[hash]?.place } }

    /// Entries that can be opened ahead, by their places.
    func openCandidates() -> [OpenAhead.Candidate?] {
        state.withLock { s in
            names.map { name in
                let hash = NameHash.of(name)
                guard let status = s.entries[hash]?.status, status.mode.isRegular, !s.dropped.contains(hash) else { return nil }
                return .init(name: name, inode: status.inode)
            }
        }
    }
}
