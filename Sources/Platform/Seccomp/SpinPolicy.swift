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
    /// Some 150 microseconds: a processor that takes longer to come was busy.
    private static let slowStart: UInt64 = 400_000

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

    /// The threads were moved apart, which took `cycles`. False: the other processor is busy, and the pair must end.
    mutating func paired(after cycles: UInt64) -> Bool {
        isPaired = true
        streak = 0
        served = 0
        return cycles < Self.slowStart || isEager
    }

    /// The pair has ended. `contended`: because somebody else uses the processors.
    mutating func parted(contended: Bool, at now: UInt64) {
        isPaired = false
        streak = 0
        if isEager { return }
        needed = served < Self.worthwhile ? min(needed * 2, Self.mostNeeded) : max(needed / 2, Self.leastNeeded)
        if contended {
            notBefore = now &+ backOff
            backOff = min(backOff * 2, Self.mostBackOff)
        } else if served > Self.mostNeeded {
            backOff = Self.leastBackOff
        }
    }
}
