import LinuxABI
import Testing

@testable import Kernel

@Suite struct InotifyQueueTests {
    private func event(_ descriptor: Int32, _ events: WatchEvents, _ name: String = "") -> InotifyEvent {
        InotifyEvent(descriptor: descriptor, events: events, cookie: 0, name: Array(name.utf8))
    }

    @Test func aNameIsPaddedToWholeStructures() {
        #expect(event(1, .open).bytes.count == 16)
        #expect(event(1, .open, "fifteen_letters").bytes.count == 32)
        #expect(event(1, .open, "sixteen_letters_").bytes.count == 48)
    }

    @Test func onlyTheLastEventIsMergedWith() {
        var queue = InotifyQueue()
        let events = [event(1, .open), event(1, .open), event(1, .access), event(1, .open), event(2, .open), event(2, .open, "x")]
        let areNew = events.map { queue.append($0) }
        #expect(areNew == [true, false, true, true, true, true])
        #expect(queue.byteCount == 4 * 16 + 32)
    }

    @Test func endsOfWatchesAreNotMerged() {
        var queue = InotifyQueue()
        _ = queue.append(event(1, .ignored))
        let isNew = queue.append(event(1, .ignored))
        #expect(isNew && queue.byteCount == 32)
    }

    @Test func aFullQueueTakesOneOverflow() {
        var queue = InotifyQueue()
        for index in 0..<InotifyQueue.limit { _ = queue.append(event(Int32(index), .open)) }
        #expect(queue.byteCount == 16 * InotifyQueue.limit)
        _ = queue.append(event(-5, .open))
        let isNew = queue.append(event(-6, .open))
        #expect(!isNew)
        for _ in 0..<InotifyQueue.limit { queue.removeFirst() }
        #expect(queue.first == event(-1, .overflow))
        queue.removeFirst()
        #expect(queue.isEmpty && queue.byteCount == 0)
    }
}
