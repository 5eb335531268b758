import HostOS
import LinuxABI

/// A process's file descriptors: Linux's files_struct. Shared with CLONE_FILES.
///
/// It also is the owner of POSIX record locks: whenever an entry leaves the table, the locks that this table holds on that file go
/// (fcntl(2)).
public final class DescriptorTable: Sendable {
    public struct Entry: Sendable {
        public var description: FileDescription
        public var closeOnExec: Bool
    }

    private struct State {
        var entries: [Entry?] = []
        /// No number below is free.
        var lowestFree = 0

        func firstFree(from minimum: Int) -> Int {
            var index = max(minimum, lowestFree)
            while index < entries.count && entries[index] != nil { index += 1 }
            return index
        }
        mutating func put(_ entry: Entry, at index: Int) {
            while entries.count <= index { entries.append(nil) }
            entries[index] = entry
            if index == lowestFree { lowestFree = firstFree(from: index + 1) }
        }
        mutating func take(_ index: Int) -> Entry? {
            guard index >= 0 && index < entries.count, let entry = entries[index] else { return nil }
            entries[index] = nil
            if index < lowestFree { lowestFree = index }
            return entry
        }
    }
    private let state: HostMutex<State>

    public init() { state = HostMutex(State()) }
    private init(_ state: State) { self.state = HostMutex(state) }

    deinit { _ = removeAll() }

    /// - Throws: EBADF.
    public func get(_ number: Int32) throws(Errno) -> FileDescription { try entry(number).description }

    /// - Throws: EBADF.
    public func entry(_ number: Int32) throws(Errno) -> Entry {
        let index = Int(number)
        let found = state.withLock { state in index >= 0 && index < state.entries.count ? state.entries[index] : nil }
        guard let found else { throw .EBADF }
        return found
    }

    /// Puts `description` at the lowest free number from `minimum` on, below `limit` (RLIMIT_NOFILE).
    /// - Throws: EMFILE.
    public func install(_ description: FileDescription, closeOnExec: Bool, minimum: Int32 = 0, limit: Int32) throws(Errno) -> Int32 {
        try state.withLock { state throws(Errno) in
            let index = state.firstFree(from: Int(max(0, minimum)))
            guard index < Int(limit) else { throw .EMFILE }
            state.put(Entry(description: description, closeOnExec: closeOnExec), at: index)
            return Int32(truncatingIfNeeded: index)
        }
    }

    /// dup2(2): puts it at exactly `number`, returning what was there.
    /// - Throws: EBADF for a number outside 0..<limit.
    public func replace(_ number: Int32, _ description: FileDescription, closeOnExec: Bool, limit: Int32) throws(Errno)
        -> FileDescription?
    {
        guard number >= 0 && number < limit else { throw .EBADF }
        let old = state.withLock { state in
            let old = state.take(Int(number))
            state.put(Entry(description: description, closeOnExec: closeOnExec), at: Int(number))
            return old
        }
        if let old { releaseRecordLocks(old.description) }
        return old?.description
    }

    /// Takes the entry out. - Throws: EBADF.
    public func remove(_ number: Int32) throws(Errno) -> FileDescription {
        guard let old = state.withLock({ $0.take(Int(number)) }) else { throw .EBADF }
        releaseRecordLocks(old.description)
        return old.description
    }

    /// Takes out every entry from `first` to `last`: close_range(2).
    public func remove(from first: UInt32, through last: UInt32) -> [FileDescription] {
        let old = state.withLock { state in
            var old: [FileDescription] = []
            var index = Int(first)
            let end = min(Int(last), state.entries.count - 1)
            while index <= end {
                if let entry = state.take(index) { old.append(entry.description) }
                index += 1
            }
            return old
        }
        for description in old { releaseRecordLocks(description) }
        return old
    }

    /// - Throws: EBADF.
    public func setCloseOnExec(_ number: Int32, _ value: Bool) throws(Errno) {
        let index = Int(number)
        let isOpen = state.withLock { state in
            guard index >= 0 && index < state.entries.count && state.entries[index] != nil else { return false }
            state.entries[index]?.closeOnExec = value
            return true
        }
        if !isOpen { throw .EBADF }
    }

    /// Marks every entry from `first` to `last` close-on-exec: CLOSE_RANGE_CLOEXEC.
    public func setCloseOnExec(from first: UInt32, through last: UInt32) {
        state.withLock { state in
            var index = Int(first)
            let end = min(Int(last), state.entries.count - 1)
            while index <= end {
                state.entries[index]?.closeOnExec = true
                index += 1
            }
        }
    }

    /// A copy for fork.
    public func copy() -> DescriptorTable {
        DescriptorTable(state.withLock { State(entries: $0.entries, lowestFree: $0.lowestFree) })
    }

    /// Removes and returns close-on-exec entries.
    public func removeCloseOnExec() -> [FileDescription] {
        let old = state.withLock { state in
            var old: [FileDescription] = []
            for index in state.entries.indices where state.entries[index]?.closeOnExec == true {
                if let entry = state.take(index) { old.append(entry.description) }
            }
            return old
        }
        for description in old { releaseRecordLocks(description) }
        return old
    }

    public func removeAll() -> [FileDescription] {
        let old = state.withLock { state in
            let old = state.entries.compactMap { $0?.description }
            state = State()
            return old
        }
        for description in old { releaseRecordLocks(description) }
        return old
    }

    /// All open numbers in order.
    public func snapshot() -> [(number: Int32, entry: Entry)] {
        let entries = state.withLock { $0.entries }
        var result: [(number: Int32, entry: Entry)] = []
        for (index, entry) in entries.enumerated() {
            if let entry { result.append((Int32(truncatingIfNeeded: index), entry)) }
        }
        return result
    }

    private func releaseRecordLocks(_ description: FileDescription) {
        description.inode?.shared.locksIfAny?.removeRecordLocks(of: .process(ObjectIdentifier(self)))
    }
}
