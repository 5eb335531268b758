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
        #expect(callsUntilPaired(&policy, from: 0) == 32)
    }

    @Test func callsFarApartDoNot() {
        var policy = SpinPolicy(isEager: false)
        #expect(callsUntilPaired(&policy, from: 0, gap: 1_000_000) == nil)
    }

    @Test func otherEventsBeginANewCount() {
        var policy = SpinPolicy(isEager: false)
        for i in 0..<1000 as Range<UInt64> {
            policy.willAnswer(at: i * 100)
            let isUnpatched = i % 20 == 0
            #expect(!policy.sawCall(patched: !isUnpatched, at: i * 100 + 50))
            if i % 30 == 0 { policy.sawAnother() }
        }
    }

    @Test func pairsThatDidNotPayNeedMoreCalls() {
        var policy = SpinPolicy(isEager: false)
        for wanted in [32, 64, 128] {
            #expect(callsUntilPaired(&policy, from: 0) == wanted)
            #expect(policy.paired(after: 1000))
            policy.parted(contended: false, at: 0)
        }
        #expect(callsUntilPaired(&policy, from: 0) == 256)
        #expect(policy.paired(after: 1000))
        for _ in 0..<1000 { policy.tookCall() }
        policy.parted(contended: false, at: 0)
        #expect(callsUntilPaired(&policy, from: 0) == 128)
    }

    @Test func contentionBacksOff() {
        var policy = SpinPolicy(isEager: false)
        #expect(callsUntilPaired(&policy, from: 0) != nil)
        #expect(!policy.paired(after: 10_000_000), "the other processor was busy")
        policy.parted(contended: true, at: 1_000_000)
        #expect(callsUntilPaired(&policy, from: 1_000_000, limit: 2000) == nil)
        #expect(callsUntilPaired(&policy, from: 40_000_000) != nil)
    }
}
