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
        #expect(events.map { queue.append($0) } == [true, false, true, true, true, true])
        #expect(queue.byteCount == 4 * 16 + 32)
    }

    @Test func endsOfWatchesAreNotMerged() {
        var queue = InotifyQueue()
        #expect(queue.append(event(1, .ignored)))
        #expect(queue.append(event(1, .ignored)))
    }

    @Test func aFullQueueTakesOneOverflow() {
        var queue = InotifyQueue()
        for index in 0..<InotifyQueue.limit { #expect(queue.append(event(Int32(index), .open))) }
        #expect(queue.append(event(-5, .open)))
        #expect(!queue.append(event(-6, .open)))
        for _ in 0..<InotifyQueue.limit { queue.removeFirst() }
        #expect(queue.first == event(-1, .overflow))
        queue.removeFirst()
        #expect(queue.isEmpty && queue.byteCount == 0)
    }
}
