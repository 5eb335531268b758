import Testing

@testable import Platform

/// When threads are paired, and when not again.
@Suite struct SpinPolicyTests {
    private func callsUntilPaired(_ policy: inout SpinPolicy, from start: UInt64, gap: UInt64 = 10_000, limit: Int = 100_000) -> Int? {
        var now = start
        for count in 1...limit {
            _ = policy.willAnswer(at: now)
            now += gap
            if policy.sawCall(patched: true, at: now) { return count }
        }
        return nil
    }

    @Test func callsThatFollowCloselyPair() {
        var policy = SpinPolicy(isEager: false)
        let calls = callsUntilPaired(&policy, from: 0)
        #expect(calls == 32)
    }

    @Test func callsFarApartDoNot() {
        var policy = SpinPolicy(isEager: false)
        let calls = callsUntilPaired(&policy, from: 0, gap: 1_000_000)
        #expect(calls == nil)
    }

    @Test func otherEventsBeginANewCount() {
        var policy = SpinPolicy(isEager: false)
        for i in 0..<1000 as Range<UInt64> {
            _ = policy.willAnswer(at: i * 100)
            let isUnpatched = i % 20 == 0
            let pairs = policy.sawCall(patched: !isUnpatched, at: i * 100 + 50)
            #expect(!pairs)
            if i % 30 == 0 { policy.sawAnother() }
        }
    }

    /// Pairs after as many calls as it takes, 10,000 cycles each. Returns how many, and the time.
    private func pair(_ policy: inout SpinPolicy, from start: UInt64) -> (calls: Int?, now: UInt64) {
        let calls = callsUntilPaired(&policy, from: start)
        let now = start + UInt64(calls ?? 0) * 10_000
        policy.paired(at: now)
        return (calls, now)
    }

    /// `count` calls that are taken over, each `gap` cycles after the last answer. Returns when the last was answered, and what the policy said.
    private func take(_ count: Int, _ policy: inout SpinPolicy, from start: UInt64, gap: UInt64 = 1000) -> (now: UInt64, end: SpinPolicy.End?) {
        var now = start
        _ = policy.willAnswer(at: now)
        for _ in 0..<count {
            now += gap
            policy.tookCall(at: now)
            if let end = policy.willAnswer(at: now) { return (now, end) }
        }
        return (now, nil)
    }

    @Test func aPauseDoesNotKeepThreadsApart() {
        var policy = SpinPolicy(isEager: false)
        var now: UInt64 = 1 << 40
        var count = 0
        repeat {
            _ = policy.willAnswer(at: now)
            count += 1
            now += count % 10 == 0 ? 200_000 : 10_000
        } while !policy.sawCall(patched: true, at: now) && count < 1000
        #expect(count == 32)
    }

    @Test func longComputationsDo() {
        var policy = SpinPolicy(isEager: false)
        let calls = callsUntilPaired(&policy, from: 0, gap: 100_000, limit: 10_000)
        #expect(calls == nil)
    }

    @Test func pairsThatDidNotPayNeedMoreCalls() {
        var policy = SpinPolicy(isEager: false)
        var now: UInt64 = 1 << 40
        for wanted in [32, 64, 128] {
            let pair = self.pair(&policy, from: now)
            #expect(pair.calls == wanted)
            now = take(1, &policy, from: pair.now).now
            policy.parted(.quiet, at: now)
            now += 1_000_000
        }
        let long = pair(&policy, from: now)
        #expect(long.calls == 256)
        now = take(1000, &policy, from: long.now).now
        policy.parted(.quiet, at: now)
        let next = pair(&policy, from: now + 1_000_000)
        #expect(next.calls == 128)
    }

    @Test func aLongCallSaysNothingAgainstPairs() {
        var policy = SpinPolicy(isEager: false)
        let first = pair(&policy, from: 1 << 40)
        let (now, _) = take(3, &policy, from: first.now)
        policy.parted(.longCall, at: now)
        let next = pair(&policy, from: now + 10_000_000)
        #expect(next.calls == 32)
    }

    @Test func contendedPairsBackOff() {
        var policy = SpinPolicy(isEager: false)
        let (_, start) = pair(&policy, from: 1 << 40)
        let (now, end) = take(200, &policy, from: start)
        #expect(end == nil)
        #expect(!policy.isDear(at: now + 1000))
        // The host ran somebody else for long.
        #expect(policy.isDear(at: now + 20_000_000))
        policy.parted(.contended, at: now + 20_000_000)
        let soon = callsUntilPaired(&policy, from: now + 20_000_000, limit: 2000)
        #expect(soon == nil)
        let later = callsUntilPaired(&policy, from: now + 400_000_000)
        #expect(later != nil)
    }

    @Test func longPairsAreJudgedByWhatTheyDoNow() {
        var policy = SpinPolicy(isEager: false)
        let (_, start) = pair(&policy, from: 1 << 40)
        let good = take(100_000, &policy, from: start)
        #expect(good.end == nil)
        let bad = take(10_000, &policy, from: good.now, gap: 25_000)
        #expect(bad.end == .contended)
    }

    @Test func whatTheSentryDoesItselfDoesNotCount() {
        var policy = SpinPolicy(isEager: false)
        var (_, now) = pair(&policy, from: 1 << 40)
        var end: SpinPolicy.End?
        for _ in 0..<1000 where end == nil {
            end = policy.willAnswer(at: now)
            now += 1000
            policy.tookCall(at: now)
            // A call of some 300 microseconds.
            now += 1_000_000
        }
        #expect(end == nil)
    }
}
