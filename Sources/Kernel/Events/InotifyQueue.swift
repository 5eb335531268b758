import LinuxABI
import VirtualFileSystem

/// What an inotify instance has to tell: `struct inotify_event` with its name.
struct InotifyEvent: Equatable {
    var descriptor: Int32
    var events: WatchEvents
    var cookie: UInt32
    var name: [UInt8]

    /// The name field takes whole multiples of the structure's size, with at least one NUL; none for no name.
    private var nameLength: Int { name.isEmpty ? 0 : (name.count + 1 + 15) & ~15 }
    var size: Int { 16 + nameLength }

    var bytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(size)
        for word in [UInt32(bitPattern: descriptor), events.rawValue, cookie, UInt32(nameLength)] {
            for shift in stride(from: 0, to: 32, by: 8) { result.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
        }
        result += name
        result += repeatElement(0, count: size - result.count)
        return result
    }

    /// Whether telling it after `other` tells nothing new (inotify_merge).
    func repeats(_ other: InotifyEvent) -> Bool {
        descriptor == other.descriptor && events == other.events && name == other.name && !events.contains(.ignored)
    }
}

/// Events in order, with the bound of fs.inotify.max_queued_events.
struct InotifyQueue {
    static let limit = 16_384
    private var events: [InotifyEvent] = []
    private var head = 0
    private(set) var byteCount = 0

    var isEmpty: Bool { head == events.count }
    var first: InotifyEvent? { isEmpty ? nil : events[head] }

    /// - Returns: whether anything was added. Past the limit one overflow event stands for all that is lost.
    mutating func append(_ event: InotifyEvent) -> Bool {
        if !isEmpty, let last = events.last, event.repeats(last) { return false }
        var event = event
        if events.count - head >= Self.limit {
            event = InotifyEvent(descriptor: -1, events: .overflow, cookie: 0, name: [])
            if events.last == event { return false }
        }
        events.append(event)
        byteCount += event.size
        return true
    }

    mutating func removeFirst() {
        byteCount -= events[head].size
        head += 1
        // Moves the rest down once as much has gone.
        if head == events.count || head > 256 && head * 2 > events.count {
            events.removeSubrange(..<head)
            head = 0
        }
    }
}
