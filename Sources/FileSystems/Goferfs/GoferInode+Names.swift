import GoferProtocol
import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// What a watched directory need not ask the host for.
extension GoferInode {
    func synchronizeNames() { connection.changes?.synchronize() }

    func isCertain(_ hash: UInt64, child: (any Inode)?) -> Bool {
        let key: GoferFileSystem.Key?
        if let child {
            guard let inode = child as? GoferInode else { return false }
            key = inode.key
        } else {
            key = nil
        }
        return names.withLock { $0.means(hash, key) }
    }

    /// The Gofer watches this directory as number `watch`; `status` is younger than the watch.
    func startWatch(_ watch: Int32, _ status: HostFileStatus) {
        guard watch != 0, type == .directory, let changes = connection.changes else { return }
        let isNew = names.withLock { n in
            guard n.watch != watch else { return false }
            n.forgetAll()
            n.watch = watch
            return true
        }
        guard isNew, changes.add(watch, self) else { return }
        names.withLock { n in
            // One change, that of `forgetAll`: none was told since.
            guard n.watch == watch, !n.hasStatus, !n.hasChangedSinceStart else { return }
            state.withLock { $0.status = status }
            n.hasStatus = true
            n.access = access(status)
        }
    }

    /// An event of this directory's watch. The change queue's lock is held. Returns whether inotify(7) inside should hear of it.
    func hostChanged(_ events: WatchEvents, _ name: [UInt8]) -> Bool {
        let hash = name.isEmpty ? nil : NameHash.of(name)
        return names.withLock { $0.changed(events, hash) }
    }

    /// Tells those who watch this directory, or the file that `name` means in it, of a change made outside. No locks are held.
    func tell(_ events: WatchEvents, _ name: [UInt8], cookie: UInt32) {
        let ofEntry = events.intersection([.attributes, .modify, .closeWrite])
        let child = names.withLock { $0.meaning(NameHash.of(name)) }.flatMap { goferFileSystem.present($0) }
        // The sandbox's own writes come this way too; they were told when they were made.
        if !ofEntry.isEmpty, let child, child.changedLately { return }
        FileNotice.postFromOutside(events, self, name: FileName(name), cookie: cookie)
        if !ofEntry.isEmpty, let child { FileNotice.postFromOutside(ofEntry, child) }
    }

    func watchAdded() { connection.changes?.listen() }

    /// The host lost events.
    func forgetNames() { names.withLock { $0.forgetAll() } }

    // MARK: own changes

    /// Makes changes of names whose events tell nothing new. What the names mean afterwards is up to the caller.
    func changing<R>(_ change: NameKnowledge.OwnChange, _ body: () throws(Errno) -> R) throws(Errno) -> R {
        names.withLock { $0.expect(change) }
        // The events of a change are in the queue before it returns: once the queue is empty, no more come.
        defer {
            synchronizeNames()
            names.withLock { $0.unexpect(change) }
        }
        return try body()
    }

    /// What `name` means, asked when `nameChanges` was `since`.
    func learnName(_ hash: UInt64, _ key: GoferFileSystem.Key?, since: UInt64) { names.withLock { $0.learn(hash, key, since: since) } }
    var nameChanges: UInt64 { names.withLock { $0.nameChanges } }

    // MARK: reading ahead

    /// What was read ahead says of `name`; nil: ask the Gofer.
    func answerAhead(_ name: [UInt8], _ hash: UInt64) -> ListingAhead.Answer {
        let slot = names.withLock { $0.watch == 0 ? nil : $0.ahead }
        return slot?.current?.answer(hash) ?? .unknown
    }

    /// A look-up is about to ask the Gofer. After some of them the whole directory is fetched with attributes in one message: programs that
    /// look at several entries of a directory look at most. Returns whether it was.
    func readAheadIfDue() -> Bool {
        let (isDue, since) = names.withLock { n -> (Bool, UInt64) in
            guard n.watch != 0 else { return (false, 0) }
            n.misses += 1
            return (n.misses >= Self.missesBeforeReading(directorySize: state.withLock { $0.status.size }), n.entryChanges)
        }
        guard isDue else { return false }
        let start = MonotonicInstant.now
        do {
            return keepAhead(try listing(.all), since: since, from: start, replacing: true)
        } catch {
            // Who may not list a directory may still use names in it.
            names.withLock { $0.misses = 0 }
            return false
        }
    }

    struct Listing {
        var entries: [ListedEntry]
        var isFiltered: Bool
    }

    /// What the directory holds, without `.` and `..`.
    func listing(_ attributes: HandleWish) throws(Errno) -> Listing {
        var listing = Listing(entries: [], isFiltered: false)
        var stream = NodeID.none
        repeat {
            let reply = try connection.call(ListRequest(NodeTarget(try handle().id), stream: stream, attributes: attributes))
            guard reply.stream == .none || !reply.entries.isEmpty else { throw connection.fail("the Gofer's directory has no end") }
            if listing.entries.isEmpty { listing.entries = reply.entries } else { listing.entries += reply.entries }
            listing.isFiltered = listing.isFiltered || reply.isFiltered
            stream = reply.stream
        } while stream != .none
        return listing
    }

    /// Keeps a listing that was read from `start` on, when `entryChanges` was `since`, unless something changed meanwhile. Returns whether it
    /// is used.
    func keepAhead(_ listing: Listing, since: UInt64, from start: MonotonicInstant, replacing: Bool) -> Bool {
        if !replacing && names.withLock({ $0.ahead })?.current?.isFresh == true { return false }
        var entries: [UInt64: ListingAhead.ListedStatus] = [:]
        entries.reserveCapacity(listing.entries.count)
        for (place, entry) in listing.entries.enumerated() {
            entries[NameHash.of(entry.name)] = .init(status: entry.status, link: entry.link, place: place)
        }
        let ahead = ListingAhead(listing.entries.map(\.name), entries, isFiltered: listing.isFiltered, from: start)
        let slot = connection.listingsAhead.insert(ahead, weight: entries.count + 4)
        synchronizeNames()
        let (isUsed, unused) = names.withLock { n -> (Bool, CacheSlot<ListingAhead>?) in
            if replacing { n.misses = 0 }
            guard n.watch != 0, n.entryChanges == since, replacing || n.ahead?.current?.isFresh != true else { return (false, slot) }
            defer { n.ahead = slot }
            return (true, n.ahead)
        }
        unused?.clear()
        return isUsed
    }

    /// A message for one name costs as much as some ten entries of a listing. A directory's size tells how many entries it may have.
    static func missesBeforeReading(directorySize: UInt64) -> Int { directorySize <= 4096 ? 4 : Int(clamping: directorySize / 256) }
}
