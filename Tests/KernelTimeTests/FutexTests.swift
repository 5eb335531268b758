import HostOS
import LinuxABI
import Memory
import Synchronization
import Testing

@testable import Kernel

/// Stands in for an address space's identity.
private final class Space: Sendable {}

@Suite struct FutexTests {
    private let space = Space()
    private func key(_ offset: UInt64) -> FutexKey { FutexKey(object: ObjectIdentifier(space), offset: offset) }

    private func queue(_ table: FutexTable, _ waiter: FutexWaiter) {
        table.withBucket(of: waiter.key) { $0.waiters.append(waiter) }
    }

    @Test func wakingTakesWaitersInOrderAndByBitset() {
        let table = FutexTable()
        let waiters = [UInt32(1), 2, 3].map { FutexWaiter(key: key(0x1000), bitset: $0, parker: HostParker()) }
        for waiter in waiters { queue(table, waiter) }
        #expect(table.wake(key(0x2000), count: 8) == 0)
        #expect(table.wake(key(0x1000), count: 1, bitset: 2) == 1)
        #expect(waiters.map(\.outcome) == [.none, .woken, .none])
        #expect(table.wake(key(0x1000), count: 8) == 2)
        #expect(!table.remove(waiters[0]))
    }

    @Test func requeuedWaitersAreFoundUnderTheirNewKey() throws {
        let table = FutexTable()
        for (from, to) in [(UInt64(0x1000), UInt64(0x2000)), (0x1000, 0x1004), (0x1000, 0x1000)] {
            let waiters = (0..<4).map { _ in FutexWaiter(key: key(from), bitset: .max, parker: HostParker()) }
            for waiter in waiters { queue(table, waiter) }
            #expect(try table.requeue(key(from), to: key(to), wakeCount: 1, requeueCount: 2, expecting: nil) == 3)
            #expect(waiters.map(\.outcome) == [.woken, .none, .none, .none])
            if from != to {
                #expect(waiters.map(\.key) == [key(from), key(to), key(to), key(from)])
                #expect(table.wake(key(to), count: 8) == 2)
                #expect(table.remove(waiters[3]))
                #expect(!table.remove(waiters[3]))
            } else {
                #expect(table.wake(key(from), count: 8) == 3)
            }
        }
    }

    @Test func aWaiterLeavesWhileOthersMoveIt() throws {
        let table = FutexTable()
        let first = key(0x1000)
        let second = key(0x8000)
        let mover = Mover(table, first, second)
        mover.start()
        for _ in 0..<20_000 {
            let waiter = FutexWaiter(key: first, bitset: .max, parker: HostParker())
            queue(table, waiter)
            // Nobody wakes it, so it must be found wherever it is.
            #expect(table.remove(waiter))
        }
        mover.finish()
        #expect(table.withBucket(of: first) { $0.waiters.isEmpty })
        #expect(table.withBucket(of: second) { $0.waiters.isEmpty })
    }

    /// Moves waiters to and fro on a host thread of its own.
    private final class Mover: Sendable {
        private let table: FutexTable
        private let first: FutexKey
        private let second: FutexKey
        private let stop = Atomic<Bool>(false)
        private let done = HostParker()
        init(_ table: FutexTable, _ first: FutexKey, _ second: FutexKey) {
            (self.table, self.first, self.second) = (table, first, second)
        }
        func start() {
            try? HostThread.start { [self] in
                while !stop.load(ordering: .relaxed) {
                    _ = try? table.requeue(first, to: second, wakeCount: 0, requeueCount: 8, expecting: nil)
                    _ = try? table.requeue(second, to: first, wakeCount: 0, requeueCount: 8, expecting: nil)
                }
                done.wake()
            }
        }
        func finish() {
            stop.store(true, ordering: .relaxed)
            done.park(until: .after(nanoseconds: 5_000_000_000))
        }
    }

    @Test func wakeOperationsComputeAsTheManualSays() {
        func encode(_ op: UInt32, _ argument: UInt32, _ cmp: UInt32, _ compared: UInt32) -> FutexWakeOperation {
            FutexWakeOperation(encoded: op << 28 | (argument & 0xfff) << 12 | cmp << 24 | (compared & 0xfff))
        }
        #expect(encode(0, 7, 0, 0).applied(to: 5) == 7)
        #expect(encode(1, 0xfff, 0, 0).applied(to: 5) == 4)  // add -1
        #expect(encode(2, 8, 0, 0).applied(to: 5) == 13)
        #expect(encode(3, 4, 0, 0).applied(to: 5) == 1)
        #expect(encode(4, 1, 0, 0).applied(to: 5) == 4)
        #expect(encode(8 | 2, 31, 0, 0).applied(to: 0) == 0x8000_0000)  // or 1 << 31
        #expect(encode(0, 0, 2, 0xfff).matches(UInt32(bitPattern: -2)))  // -2 < -1
        #expect(!encode(0, 0, 4, 0xfff).matches(UInt32(bitPattern: -2)))  // -2 > -1
        #expect(encode(0, 0, 1, 3).matches(4))
        #expect(encode(0, 0, 9, 3).comparison == nil)
        #expect(encode(5, 0, 0, 0).operation == nil)
    }
}
