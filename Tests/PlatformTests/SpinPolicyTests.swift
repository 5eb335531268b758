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

    @Test func pairsThatDidNotPayNeedMoreCalls() {
        var policy = SpinPolicy(isEager: false)
        var now: UInt64 = 1 << 40
        for wanted in [32, 64, 128] {
            let pair = self.pair(&policy, from: now)
            #expect(pair.calls == wanted)
            policy.tookCall()
            policy.parted(at: pair.now + 1000)
            now = pair.now + 1_000_000
        }
        let long = pair(&policy, from: now)
        #expect(long.calls == 256)
        for _ in 0..<1000 { policy.tookCall() }
        policy.parted(at: long.now + 1_000_000)
        let next = pair(&policy, from: long.now + 2_000_000)
        #expect(next.calls == 128)
    }

    @Test func dearPairsBackOff() {
        var policy = SpinPolicy(isEager: false)
        let (_, now) = pair(&policy, from: 1 << 40)
        for _ in 0..<200 { policy.tookCall() }
        #expect(!policy.isDear(at: now + 1_000_000))
        // The host ran somebody else for long.
        #expect(policy.isDear(at: now + 20_000_000))
        policy.parted(at: now + 20_000_000)
        let soon = callsUntilPaired(&policy, from: now + 20_000_000, limit: 2000)
        #expect(soon == nil)
        let later = callsUntilPaired(&policy, from: now + 400_000_000)
        #expect(later != nil)
    }

    @Test func longPairsAreJudgedByWhatTheyDoNow() {
        var policy = SpinPolicy(isEager: false)
        let (_, start) = pair(&policy, from: 1 << 40)
        for _ in 0..<100_000 { policy.tookCall() }
        let good = policy.willAnswer(at: start + 100_000_000)
        #expect(!good)
        for _ in 0..<100 { policy.tookCall() }
        let bad = policy.willAnswer(at: start + 200_000_000)
        #expect(bad)
    }
}
