import LinuxABI

/// A queue of pending signals: Linux's struct sigpending.
struct PendingSignals: Sendable {
    struct Entry: Sendable {
        var info: SignalInfo
        /// The real user ID whose RLIMIT_SIGPENDING count holds this entry; nil when it is not counted.
        var charged: UInt32?
        /// Not from another process of the sandbox: acts on init too.
        var isExternal: Bool
        /// A POSIX timer sent it and waits for it to be taken.
        var isTimer = false
    }
    private(set) var set = SignalSet()
    private var entries: [Entry] = []

    /// What is queued, oldest first.
    var infos: [SignalInfo] { entries.map(\.info) }

    /// Marks `signal` pending without information: the queue was full, or it is SIGKILL.
    mutating func mark(_ signal: Signal) { set.add(signal) }
    mutating func append(_ entry: Entry, _ signal: Signal) {
        set.add(signal)
        entries.append(entry)
    }

    /// Takes the next signal outside `blocked`: synchronous ones first, then the lowest number; of one number, the oldest.
    mutating func take(blocked: SignalSet) -> (signal: Signal, entry: Entry)? {
        let ready = set.subtracting(blocked)
        guard let signal = ready.intersection(.synchronous).lowest ?? ready.lowest else { return nil }
        return (signal, take(signal))
    }
    /// A fault that the kernel queued for this thread, before anything else, so that the handler sees the faulting registers.
    mutating func takeSynchronous(blocked: SignalSet) -> (signal: Signal, entry: Entry)? {
        let ready = set.subtracting(blocked).intersection(.synchronous)
        if ready.isEmpty { return nil }
        for index in entries.indices where entries[index].info.code > SignalInfo.SI_USER {
            guard let signal = Signal(rawValue: entries[index].info.signo), ready.has(signal) else { continue }
            let entry = entries.remove(at: index)
            if !entries.contains(where: { $0.info.signo == signal.rawValue }) { set.drop(signal) }
            return (signal, entry)
        }
        return nil
    }

    private mutating func take(_ signal: Signal) -> Entry {
        guard let index = entries.firstIndex(where: { $0.info.signo == signal.rawValue }) else {
            set.drop(signal)
            // Its information was lost for want of queue space: Linux reports SI_USER from nobody.
            return Entry(info: SignalInfo(signal, code: SignalInfo.SI_USER), charged: nil, isExternal: false)
        }
        let entry = entries.remove(at: index)
        if !entries.contains(where: { $0.info.signo == signal.rawValue }) { set.drop(signal) }
        return entry
    }

    /// Forgets all of `mask`; returns what was dropped for its counts.
    mutating func flush(_ mask: SignalSet) -> [Entry] {
        if set.isDisjoint(with: mask) { return [] }
        var dropped: [Entry] = []
        entries.removeAll { entry in
            guard let signal = Signal(rawValue: entry.info.signo), mask.has(signal) else { return false }
            dropped.append(entry)
            return true
        }
        set.subtract(mask)
        return dropped
    }
    mutating func removeAll() -> [Entry] { flush(SignalSet(rawValue: .max)) }
    /// How many of `signal` are queued.
    func count(_ signal: Signal) -> Int { entries.reduce(0) { $0 + ($1.info.signo == signal.rawValue ? 1 : 0) } }
}
