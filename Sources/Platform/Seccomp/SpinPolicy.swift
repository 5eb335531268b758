/// Decides when a task thread spins for its guest thread's calls (README, "The fast path"). Times are cycles of the time-stamp
/// counter, 2 to 5 to the nanosecond: none needs to be exact.
struct SpinPolicy {
    private let isEager: Bool
    private(set) var isPaired = false
    /// Calls from patched sites that came by notification, one soon after the other; when the first came.
    private var streak = 0
    private var began: UInt64 = 0
    /// How many make a pair.
    private var needed: Int
    /// What one of them took, with what the guest did in between.
    private var slowCall = Self.shortGap
    /// Calls handed over since the threads were paired.
    private var served = 0
    /// Of them, and of other events, those that two processors make slower.
    private var dear = 0
    /// The same since `windowStart`, by which the pair is judged now and then.
    private var windowCalls: UInt64 = 0
    private var windowStart: UInt64 = 0
    /// When the last event was answered.
    private var answered: UInt64 = 0
    private var notBefore: UInt64 = 0
    private var backOff = Self.leastBackOff

    private static let leastNeeded = 32
    private static let mostNeeded = 512
    /// What a call from a place that is not patched costs a streak.
    private static let setback = 8
    /// One in so many calls may be dear.
    private static let dearShare = 16
    /// Fewer calls than this do not pay for moving two threads apart and together again.
    private static let worthwhile = 100
    /// Some 20 microseconds.
    private static let shortGap: UInt64 = 60_000
    /// Some 100 milliseconds and some 3 seconds: where others use the processors, attempts cost a few hundredths of the time.
    private static let leastBackOff: UInt64 = 300_000_000
    private static let mostBackOff: UInt64 = 10_000_000_000
    /// Some 10 milliseconds: longer than the host lets others run in between.
    private static let window: UInt64 = 30_000_000
    /// Some 150 microseconds: what an idle processor may take to come.
    private static let slowStart: UInt64 = 400_000
    /// Some 10 microseconds: a notification that took longer was not alone on its processor.
    private static let slowestCall: UInt64 = 30_000

    init(isEager: Bool) {
        self.isEager = isEager
        needed = isEager ? 1 : Self.leastNeeded
    }

    /// How long to spin for the next call.
    var patience: UInt64 { served == 0 ? Self.slowStart : Self.shortGap }

    /// A call came by notification. True: the threads should be paired.
    mutating func sawCall(patched: Bool, at now: UInt64) -> Bool {
        guard now &- answered < Self.shortGap || isEager else {
            streak = 0
            return false
        }
        guard patched else {
            streak = max(0, streak - Self.setback)
            return false
        }
        if streak == 0 { began = now }
        streak += 1
        return streak >= needed && now >= notBefore
    }
    mutating func sawAnother() { streak = 0 }
    /// Something that goes over other threads, which wait on this processor: a change of mappings, a signal. True: there are too many for a pair.
    mutating func sawDear() -> Bool {
        dear += 1
        return isPaired && !isEager && dear > 2 && dear * Self.dearShare > served
    }
    mutating func tookCall() {
        served += 1
        windowCalls &+= 1
    }

    /// An event is about to be answered. True: the pair does not pay any more.
    mutating func willAnswer(at now: UInt64) -> Bool {
        answered = now
        guard isPaired, now &- windowStart > Self.window else { return false }
        if isDear(at: now) { return true }
        windowStart = now
        windowCalls = 0
        return false
    }

    /// The threads are being moved apart.
    mutating func paired(at now: UInt64) {
        if streak > 1 { slowCall = min((now &- began) / UInt64(streak - 1), Self.slowestCall) }
        isPaired = true
        streak = 0
        served = 0
        dear = 0
        windowCalls = 0
        windowStart = now
    }

    /// Whether the pair's calls take about as long as notifications did, or longer: somebody else uses the processors.
    func isDear(at now: UInt64) -> Bool {
        if isEager { return false }
        if windowCalls < 16 && windowCalls < served { return false }
        return (now &- windowStart) &* 4 > slowCall &* 3 &* windowCalls
    }

    /// The pair has ended.
    mutating func parted(at now: UInt64) {
        isPaired = false
        streak = 0
        if isEager { return }
        needed = served < Self.worthwhile ? min(needed * 2, Self.mostNeeded) : max(needed / 2, Self.leastNeeded)
        if isDear(at: now) {
            notBefore = now &+ backOff
            backOff = min(backOff * 2, Self.mostBackOff)
        } else if served > Self.mostNeeded {
            backOff = Self.leastBackOff
        }
    }
}
