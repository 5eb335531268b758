import HostOS
import Kernel
import LinuxABI
import Memory
import Testing
import VirtualFileSystem

struct EpollTests {
    let caller = FakeCaller()

    private func event(_ events: PollEvents, _ flags: EpollFlags = [], data: UInt64 = 0) -> EpollEvent {
        EpollEvent(events: events.rawValue | flags.rawValue, data: data)
    }
    private func description(_ operations: any FileOperations) -> FileDescription {
        FileDescription(operations: operations, flags: .readWrite)
    }
    private func counter() -> FileDescription { description(EventFile(initial: 0, isSemaphore: false)) }
    private let one: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0]

    @Test func levelTriggeredReportsUntilDrained() throws {
        let epoll = Epoll(), file = counter()
        try epoll.add(3, file, event(.readable, data: 77))
        #expect(epoll.collect(maximum: 8).isEmpty)
        _ = try file.operations.write(one, caller)
        for _ in 0..<2 {
            let events = epoll.collect(maximum: 8)
            #expect(events.count == 1 && events[0].data == 77 && events[0].events == PollEvents.readable.rawValue)
        }
        _ = try file.operations.read(8, caller)
        #expect(epoll.collect(maximum: 8).isEmpty)
    }

    @Test func edgeTriggeredReportsEachWriteOnce() throws {
        let epoll = Epoll()
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        try epoll.add(3, reader, event(.readable, .edgeTriggered))
        _ = try writer.operations.write([1], caller)
        #expect(epoll.collect(maximum: 8).count == 1)
        #expect(epoll.collect(maximum: 8).isEmpty)
        // More data is another edge, though the pipe was not empty.
        _ = try writer.operations.write([1], caller)
        #expect(epoll.collect(maximum: 8).count == 1)
        // A modification arms it again.
        try epoll.modify(3, reader, event(.readable, .edgeTriggered))
        #expect(epoll.collect(maximum: 8).count == 1)
    }

    @Test func oneShotFiresOnceUntilModified() throws {
        let epoll = Epoll(), file = counter()
        try epoll.add(3, file, event(.readable, .oneShot))
        _ = try file.operations.write(one, caller)
        #expect(epoll.collect(maximum: 8).count == 1)
        _ = try file.operations.write(one, caller)
        #expect(epoll.collect(maximum: 8).isEmpty)
        try epoll.modify(3, file, event(.readable, .oneShot))
        #expect(epoll.collect(maximum: 8).count == 1)
    }

    @Test func registrationsEndWithTheDescription() throws {
        let epoll = Epoll()
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        do {
            let extra = description(EventFile(initial: 1, isSemaphore: false))
            try epoll.add(3, extra, event(.readable))
            #expect(epoll.collect(maximum: 8).count == 1)
        }
        #expect(epoll.collect(maximum: 8).isEmpty)
        try epoll.add(3, reader, event(.readable))
        #expect(failure { () throws(Errno) in try epoll.add(3, reader, event(.readable)) } == .EEXIST)
        try epoll.add(4, reader, event(.readable))
        _ = try writer.operations.write([1], caller)
        #expect(epoll.collect(maximum: 8).count == 2)
        try epoll.delete(4, reader)
        #expect(failure { () throws(Errno) in try epoll.delete(4, reader) } == .ENOENT)
        #expect(epoll.collect(maximum: 8).count == 1)
    }

    @Test func allReadyFilesGetTheirTurn() throws {
        let epoll = Epoll()
        let files = (0..<10).map { _ in description(EventFile(initial: 1, isSemaphore: false)) }
        for (index, file) in files.enumerated() { try epoll.add(Int32(index), file, event(.readable, data: UInt64(index))) }
        var seen: Set<UInt64> = []
        for _ in 0..<5 { for found in epoll.collect(maximum: 2) { seen.insert(found.data) } }
        #expect(seen.count == 10)
    }

    @Test func nestedSetsReportAndLoopsAreRefused() throws {
        let sets = (0..<6).map { _ in description(Epoll()) }
        func epoll(_ n: Int) throws -> Epoll { try #require(sets[n].operations as? Epoll) }
        let file = counter()
        try epoll(0).add(9, file, event(.readable))
        for n in 0..<4 { try epoll(n + 1).add(Int32(n), sets[n], event(.readable)) }
        let (fourth, fifth, first) = (try epoll(4), try epoll(5), try epoll(0))
        #expect(failure { () throws(Errno) in try fifth.add(4, sets[4], event(.readable)) } == .ELOOP)
        #expect(failure { () throws(Errno) in try first.add(4, sets[4], event(.readable)) } == .ELOOP)
        #expect(fourth.collect(maximum: 8).isEmpty)
        _ = try file.operations.write(one, caller)
        #expect(fourth.readiness() == .allReadable)
        #expect(fourth.collect(maximum: 8).count == 1)
        _ = try file.operations.read(8, caller)
        #expect(fourth.collect(maximum: 8).isEmpty)
    }

    @Test func aWaiterIsWokenByAnotherThread() throws {
        let epoll = Epoll(), file = counter()
        try epoll.add(3, file, event(.readable))
        try HostThread.start {
            let helper = FakeCaller()
            _ = try? file.operations.write([1, 0, 0, 0, 0, 0, 0, 0], helper)
        }
        #expect(try epoll.wait(maximum: 1, until: .after(nanoseconds: 5_000_000_000), caller: caller).count == 1)
        #expect(try epoll.wait(maximum: 1, until: .after(nanoseconds: 0), caller: caller).count == 1)
    }

    @Test func eventCounterSaturates() throws {
        let file = EventFile(initial: 0, isSemaphore: true)
        _ = try file.write([0xfe] + [UInt8](repeating: 0xff, count: 7), caller)
        #expect(failure { () throws(Errno) in try file.write(one, caller) } == .EAGAIN)
        #expect(file.readiness() == .readable)
        #expect(try file.read(8, caller) == one)
        #expect(failure { () throws(Errno) in try file.write([UInt8](repeating: 0xff, count: 8), caller) } == .EINVAL)
        #expect(failure { () throws(Errno) in try file.read(7, caller) } == .EINVAL)
    }
}
