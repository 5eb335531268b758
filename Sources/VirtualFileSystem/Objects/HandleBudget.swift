import Synchronization

/// How many handles of a bounded number the inodes of a file system hold: open files elsewhere, such as the Gofer's. Cached names give way
/// before they are used up.
public final class HandleBudget: Sendable {
    private let held = Atomic<Int>(0)
    /// So many call for a clearance of cached names.
    private let alarm: Atomic<Int>
    private let limit: Int

    public init(limit: Int) {
        self.limit = limit
        alarm = Atomic(Self.firstAlarm(limit))
    }

    private static func firstAlarm(_ limit: Int) -> Int { limit / 8 &* 5 }

    public func taken() { held.wrappingAdd(1, ordering: .relaxed) }
    public func returned() { held.wrappingSubtract(1, ordering: .relaxed) }

    /// Whether names are to be cleared.
    public var isShort: Bool { held.load(ordering: .relaxed) > alarm.load(ordering: .relaxed) }

    /// Names were cleared. What is held still is in use: the next clearance waits until there is more to gain.
    func cleared() {
        alarm.store(max(Self.firstAlarm(limit), held.load(ordering: .relaxed) &+ limit / 32), ordering: .relaxed)
    }
}
