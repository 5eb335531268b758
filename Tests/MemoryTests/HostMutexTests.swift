import HostOS
import Synchronization
import Testing

/// Mutual exclusion with more threads than processors.
@Suite struct HostMutexTests {
    /// Counts in steps that another thread could see half done.
    private final class Shared: Sendable {
        let pair = HostMutex((first: 0, second: 0))
        let torn = Atomic<Int>(0)
        let ended = Atomic<Int>(0)
        let parker = HostParker()
    }

    @Test func excludesAndLosesNothing() throws {
        let shared = Shared()
        let threads = 12
        let rounds = 20_000
        for _ in 0..<threads {
            try HostThread.start {
                for _ in 0..<rounds {
                    shared.pair.withLock { pair in
                        if pair.first != pair.second { shared.torn.add(1, ordering: .relaxed) }
                        pair.first += 1
                        pair.second += 1
                    }
                }
                shared.ended.add(1, ordering: .releasing)
                shared.parker.wake()
            }
        }
        while shared.ended.load(ordering: .acquiring) < threads { shared.parker.park(until: nil) }
        #expect(shared.torn.load(ordering: .relaxed) == 0)
        #expect(shared.pair.withLock { $0.first } == threads * rounds)
    }

    @Test func aThrowingBodyLeavesItFree() {
        struct Failure: Error {}
        let mutex = HostMutex(1)
        #expect(throws: Failure.self) { try mutex.withLock { _ throws(Failure) in throw Failure() } }
        #expect(mutex.withLock { $0 } == 1)
    }

    @Test func theValueGoesWithTheMutex() {
        final class Token: Sendable {}
        weak var token: Token?
        do {
            let mutex = HostMutex(Token())
            token = mutex.withLock { $0 }
            #expect(token != nil)
        }
        #expect(token == nil)
    }
}
