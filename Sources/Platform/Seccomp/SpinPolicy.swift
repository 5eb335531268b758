/// Decides when a task thread spins for its guest thread's calls (README, "The fast path"). Times are cycles of the time-stamp
/// counter, 2 to 5 to the nanosecond: none needs to be exact.
struct SpinPolicy {
    private let isEager: Bool
    private(set) var isPaired = false
    /// Calls from patched sites that came by notification, one soon after the other, and the times from an answer to the next of them: the
    /// way to the guest thread and back, and what the guest did in between.
    private var streak = 0
    private var streakGaps: UInt64 = 0
    /// How many make a pair.
    private var needed: Int
    /// The mean of these times.
    private var slowGap = Self.meanGap
    /// Calls handed over since the threads were paired.
    private var served = 0
    /// Of them, and of other events, those that two processors make slower.
    private var dear = 0
    /// The same since `windowStart`, by which the pair is judged now and then.
    private var windowCalls = 0
    private var windowGaps: UInt64 = 0
    private var windowStart: UInt64 = 0
    /// When the last event was answered.
    private var answered: UInt64 = 0
    private var notBefore: UInt64 = 0
    private var backOff = Self.leastBackOff

    private static let leastNeeded = 32
    private static let mostNeeded = 256
    /// What a call from a place that is not patched costs a streak.
    private static let setback = 8
    /// One in so many calls may be dear.
    private static let dearShare = 16
    /// Fewer calls than this do not pay for moving two threads apart and together again.
    private static let worthwhile = 64
    /// So many make up for an attempt that fails.
    private static let goodService = 4096
    /// Some 20 microseconds: a guest that computes longer between its calls gains too little for the processor that the spinning takes.
    private static let meanGap: UInt64 = 60_000
    /// Some 100 microseconds: a single pause of a guest that calls often. Moving the threads together and apart again takes as long.
    private static let longGap: UInt64 = 300_000
    /// Some 100 milliseconds and some 3 seconds: where others use the processors, attempts cost a few hundredths of the time.
    private static let leastBackOff: UInt64 = 300_000_000
    private static let mostBackOff: UInt64 = 10_000_000_000
    /// Some 10 milliseconds: longer than the host lets others run in between.
    private static let window: UInt64 = 30_000_000
    /// Some 150 microseconds: what an idle processor may take to come.
    private static let slowStart: UInt64 = 400_000

    init(isEager: Bool) {
        self.isEager = isEager
        needed = isEager ? 1 : Self.leastNeeded
    }

    /// How long to spin for the next call.
    var patience: UInt64 { served == 0 ? Self.slowStart : Self.longGap }

    /// A call came by notification. True: the threads should be paired.
    mutating func sawCall(patched: Bool, at now: UInt64) -> Bool {
        guard now &- answered < Self.longGap || isEager else {
            streak = 0
            return false
        }
        guard patched else {
            streak = max(0, streak - Self.setback)
            return false
        }
        if streak == 0 { streakGaps = 0 } else { streakGaps &+= now &- answered }
        streak += 1
        guard streak >= needed, now >= notBefore else { return false }
        if isEager || streakGaps <= Self.meanGap &* UInt64(streak) { return true }
        streak = 0
        return false
    }
    mutating func sawAnother() { streak = 0 }
    /// Something that goes over other threads, which wait on this processor: a signal, a fault. True: there are too many for a pair.
    mutating func sawDear() -> Bool {
        dear += 1
        return isPaired && !isEager && dear > 2 && dear * Self.dearShare > served
    }
    mutating func tookCall(at now: UInt64) {
        served += 1
        // The first one's thread has just been moved.
        guard served > 1 else { return }
        windowCalls += 1
        windowGaps &+= now &- answered
    }

    /// An event is about to be answered. Not nil: the pair does not pay any more.
    mutating func willAnswer(at now: UInt64, isCrowded: @autoclosure () -> Bool = false) -> End? {
        answered = now
        guard isPaired, now &- windowStart > Self.window else { return nil }
        if isCrowded() || isDear(at: now) { return .contended }
        if !isEager && windowGaps > 2 &* Self.meanGap &* UInt64(windowCalls) { return .quiet }
        windowStart = now
        windowCalls = 0
        windowGaps = 0
        return nil
    }

    /// The threads are being moved apart.
    mutating func paired(at now: UInt64) {
        if streak > 1 { slowGap = streakGaps / UInt64(streak - 1) }
        isPaired = true
        streak = 0
        served = 0
        dear = 0
        windowCalls = 0
        windowGaps = 0
        windowStart = now
    }

    /// Whether the pair's calls come twice as late as notifications did: somebody else uses the processors, who would make notifications late
    /// too, but not by so much. What the Sentry does between a call and its answer is the same either way and does not count.
    func isDear(at now: UInt64) -> Bool {
        if isEager { return false }
        if windowCalls < 16 && windowCalls + 1 >= served { return false }
        return windowGaps &+ (now &- answered) > slowGap &* 2 &* UInt64(windowCalls + 1)
    }

    /// Why a pair ends.
    enum End {
        /// The guest thread calls no more, or its task sleeps, or there is too much that two processors make slower.
        case quiet
        /// A call took longer than a guest thread spins, which says nothing against pairs.
        case longCall
        /// Somebody else uses the processors.
        case contended
    }

    mutating func parted(_ end: End, at now: UInt64) {
        isPaired = false
        streak = 0
        if isEager { return }
        switch end {
        case .longCall: break
        case .quiet:
            needed = served < Self.worthwhile ? min(needed * 2, Self.mostNeeded) : max(needed / 2, Self.leastNeeded)
            if served > Self.mostNeeded { backOff = Self.leastBackOff }
        case .contended:
            needed = served < Self.worthwhile ? min(needed * 2, Self.mostNeeded) : needed
            // One that did well for long met something that passes.
            if served > Self.goodService { backOff = Self.leastBackOff }
            notBefore = now &+ backOff
            backOff = min(backOff * 2, Self.mostBackOff)
        }
    }
}
