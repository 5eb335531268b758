import HostOS
import LinuxABI
import Synchronization
import VirtualFileSystem

/// What the host says of changes in the watched directories of shared trees: the client's end of the Gofer's inotify queue.
///
/// The host's kernel queues an event before the change that it tells of returns to whoever made it. So whoever finds the queue empty may
/// rely on what is known of names, as if the host had been asked.
///
/// Lock: `state` is held while the queue is read and what it says is passed to directories (their `names` are leaves below it): nobody
/// finds the queue empty before the last events have had their effect.
final class ChangeQueue: Sendable {
    private struct Weak {
        weak var directory: GoferInode?
    }
    private struct State {
        /// One directory of the host has one watch, and an object in each tree that it lies in.
        var directories: [Int32: [Weak]] = [:]
        /// Watches that had events before their directory was entered.
        var unclaimed: Set<Int32> = []
        var hasLostTrack = false
        /// Of the poller's watch, while somebody inside waits to be told.
        var token: UInt64?
        var isListening = false
        var buffer = [UInt8](repeating: 0, count: 16384)
    }
    private let state = Mutex(State())
    /// Events were taken from the queue and may not have had their effect yet.
    private let isTaking = Atomic<Bool>(false)
    private let descriptor: SharedHostDescriptor

    init(_ descriptor: SharedHostDescriptor) { self.descriptor = descriptor }

    /// `directory` goes by watch number `watch` from now on. Returns whether it is known that nothing happened to it since the watch was made.
    func add(_ watch: Int32, _ directory: GoferInode) -> Bool {
        state.withLock { s in
            // What others of the same watch were told is not known here.
            let isFirst = s.directories[watch] == nil
            s.directories[watch, default: []].append(Weak(directory: directory))
            return s.unclaimed.remove(watch) == nil && !s.hasLostTrack && isFirst
        }
    }

    /// A directory that went by `watch` went away.
    func forget(_ watch: Int32) {
        // References end after the lock, as in `synchronize`.
        var others: [GoferInode] = []
        state.withLock { s in
            s.directories[watch]?.removeAll { entry in
                guard let directory = entry.directory else { return true }
                others.append(directory)
                return false
            }
            if s.directories[watch]?.isEmpty == true { s.directories[watch] = nil }
        }
        _ = consume others
    }

    /// Brings what is known of watched directories up to the present.
    func synchronize() {
        // Threads that walk paths at a time don't wait for each other while nothing happens. In this order: whoever emptied the queue before it was
        // looked at had announced that.
        if (try? HostFileCalls.poll(descriptor.number, .readable, milliseconds: 0).isEmpty) == true,
            !isTaking.load(ordering: .sequentiallyConsistent)
        {
            return
        }
        // References taken from the table end after the lock: a directory that goes away takes it.
        var used: [GoferInode] = []
        var notices: [(directory: GoferInode, event: HostInotify.Event)] = []
        state.withLock { s in
            isTaking.store(true, ordering: .sequentiallyConsistent)
            defer { isTaking.store(false, ordering: .sequentiallyConsistent) }
            while true {
                guard let length = try? HostInotify.take(from: descriptor.number, into: &s.buffer) else {
                    Self.forgetAll(s.directories, &used)
                    return
                }
                if length == 0 { return }
                HostInotify.forEach(s.buffer, length: length) { event in
                    if event.events.contains(.overflow) {
                        Self.forgetAll(s.directories, &used)
                    } else if let present = s.directories[event.watch]?.compactMap(\.directory), !present.isEmpty {
                        used += present
                        for directory in present where directory.hostChanged(event.events, event.name) && FileNotice.isOn {
                            notices.append((directory, event))
                        }
                    } else if !event.events.contains(.ignored) {
                        if s.unclaimed.count >= 4096 { s.hasLostTrack = true } else { s.unclaimed.insert(event.watch) }
                    }
                    if event.events.contains(.ignored) {
                        s.directories[event.watch] = nil
                        s.unclaimed.remove(event.watch)
                    }
                }
                // There was room for another: the queue was empty.
                if length + HostInotify.longestEvent <= s.buffer.count { return }
            }
        }
        for notice in notices { notice.directory.tell(notice.event.events, notice.event.name, cookie: notice.event.cookie) }
        _ = consume used
    }

    /// Somebody inside watches a directory: changes are told when they come, and not only when somebody walks a path.
    func listen() {
        let token = state.withLock { s -> UInt64? in
            if s.isListening { return nil }
            s.isListening = true
            if s.token == nil { s.token = HostPoller.shared.register(descriptor.number) { [weak self] _ in self?.came() } }
            return s.token
        }
        if let token { try? HostPoller.shared.arm(token, .allReadable) }
    }

    /// On the poller's thread.
    private func came() {
        synchronize()
        let token = state.withLock { s -> UInt64? in
            s.isListening = FileNotice.isOn
            return s.isListening ? s.token : nil
        }
        if let token { try? HostPoller.shared.arm(token, .allReadable) }
    }

    private static func forgetAll(_ directories: [Int32: [Weak]], _ used: inout [GoferInode]) {
        for case let directory? in directories.values.joined().map(\.directory) {
            used.append(directory)
            directory.forgetNames()
        }
    }
}
