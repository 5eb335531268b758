import Testing

@testable import Platform

/// When threads are paired, and when not again.
@Suite struct SpinPolicyTests {
    private func callsUntilPaired(_ policy: inout SpinPolicy, from start: UInt64, gap: UInt64 = 10_000, limit: Int = 100_000) -> Int? {
        var now = start
        for count in 1...limit {
            policy.willAnswer(at: now)
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
            policy.willAnswer(at: i * 100)
            let isUnpatched = i % 20 == 0
            let pairs = policy.sawCall(patched: !isUnpatched, at: i * 100 + 50)
            #expect(!pairs)
            if i % 30 == 0 { policy.sawAnother() }
        }
    }

    @Test func pairsThatDidNotPayNeedMoreCalls() {
        var policy = SpinPolicy(isEager: false)
        for wanted in [32, 64, 128] {
            let calls = callsUntilPaired(&policy, from: 1 << 40)
            #expect(calls == wanted)
            policy.paired(at: 0)
            policy.tookCall()
            policy.parted(at: 1000)
        }
        let calls2 = callsUntilPaired(&policy, from: 1 << 40)
        #expect(calls2 == 256)
        policy.paired(at: 0)
        for _ in 0..<1000 { policy.tookCall() }
        policy.parted(at: 1_000_000)
        let calls3 = callsUntilPaired(&policy, from: 1 << 40)
        #expect(calls3 == 128)
    }

    @Test func dearPairsBackOff() {
        var policy = SpinPolicy(isEager: false)
        policy.paired(at: 1_000_000)
        for _ in 0..<200 { policy.tookCall() }
        #expect(!policy.isDear(at: 2_000_000))
        // The host ran somebody else for long.
        #expect(policy.isDear(at: 20_000_000))
        policy.parted(at: 20_000_000)
        let calls = callsUntilPaired(&policy, from: 20_000_000, limit: 2000)
        #expect(calls == nil)
        let calls2 = callsUntilPaired(&policy, from: 60_000_000)
        #expect(calls2 != nil)
    }
}
