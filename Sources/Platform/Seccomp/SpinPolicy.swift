/// Decides when a task thread spins for its guest thread's calls (README, "The fast path"). Times are cycles of the time-stamp counter,
/// 2 to 5 to the nanosecond: none needs to be exact.
struct SpinPolicy {
    private let isEager: Bool
    private(set) var isPaired = false
    /// Calls from patched sites that came by notification, one soon after the other.
    private var streak = 0
    /// How many make a pair.
    private var needed: Int
    /// Calls handed over since the threads were paired.
    private var served = 0
    /// When they were paired.
    private var started: UInt64 = 0
    /// When the last event was answered.
    private var answered: UInt64 = 0
    private var notBefore: UInt64 = 0
    private var backOff = Self.leastBackOff

    private static let leastNeeded = 32
    private static let mostNeeded = 4096
    /// Fewer calls than this do not pay for moving two threads apart and together again.
    private static let worthwhile = 100
    /// Some 20 microseconds.
    private static let shortGap: UInt64 = 60_000
    /// Some 10 milliseconds and some second.
    private static let leastBackOff: UInt64 = 30_000_000
    private static let mostBackOff: UInt64 = 3_000_000_000
    /// Some 150 microseconds: what an idle processor may take to come.
    private static let slowStart: UInt64 = 400_000
    /// Some 6 microseconds: a call by notification.
    private static let notification: UInt64 = 16_000

    init(isEager: Bool) {
        self.isEager = isEager
        needed = isEager ? 1 : Self.leastNeeded
    }

    /// How long to spin for the next call.
    var patience: UInt64 { served == 0 ? Self.slowStart : Self.shortGap }

    /// A call came by notification. True: the threads should be paired.
    mutating func sawCall(patched: Bool, at now: UInt64) -> Bool {
        guard patched, now &- answered < Self.shortGap || isEager else {
            streak = 0
            return false
        }
        streak += 1
        return streak >= needed && now >= notBefore
    }
    mutating func willAnswer(at now: UInt64) { answered = now }
    mutating func sawAnother() { streak = 0 }
    mutating func tookCall() { served += 1 }

    /// The threads are being moved apart.
    mutating func paired(at now: UInt64) {
        isPaired = true
        streak = 0
        served = 0
        started = now
    }

    /// Whether the calls of the pair took longer than notifications would: somebody else uses the processors.
    func isDear(at now: UInt64) -> Bool { !isEager && (served == 0 || (now &- started) / UInt64(served) > Self.notification) }

    /// The pair has ended.
    mutating func parted(at now: UInt64) {
        isPaired = false
        streak = 0
        if isEager { return }
        needed = served < Self.worthwhile ? min(needed * 2, Self.mostNeeded) : max(needed / 2, Self.leastNeeded)
        if isDear(at: now) {
            notBefore = now &+ backOff
            backOff = min(backOff * 2, Self.mostBackOff)
        } else {
            backOff = Self.leastBackOff
        }
    }
}
