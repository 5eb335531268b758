import Foundation
import HostOS
import LinuxABI
import Testing
import VirtualFileSystem

@testable import FileSystems

struct HostFileTests {
    let caller = TestCaller()

    func openTemporary(_ text: String, _ flags: OpenFlags) throws -> (SharedHostDescriptor, String) {
        let path = FileManager.default.temporaryDirectory.path + "/hostfile-" + UUID().uuidString
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return (SharedHostDescriptor(try HostNames.openTrusted(Array(path.utf8), flags)), path)
    }

    @Test func readsMoveThePositionThatOthersShare() throws {
        let (descriptor, path) = try openTemporary("0123456789", .readWrite)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try #require(HostStreams([descriptor]).descriptions[0]).operations
        #expect(file.hasOwnPosition && file.isSeekable && !file.isPollable)
        #expect(try file.readText(at: .stream, count: 4) == "0123")
        #expect(try HostFileCalls.seek(descriptor.number, offset: 0, whence: 1) == 4)
        #expect(try file.readText(at: .offset(8)) == "89")
        try file.writeText("ab", at: .stream)
        #expect(try file.seek(offset: 0, whence: 1, current: 77) == 6)
        #expect(FileManager.default.contents(atPath: path) == Data("0123ab6789".utf8))
    }

    @Test func appendedOutputStaysAtTheEnd() throws {
        let (descriptor, path) = try openTemporary("old\n", [.writeOnly, .append])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let description = try #require(HostStreams([descriptor]).descriptions[0])
        #expect(description.statusFlags.contains(.append) && !description.isReadable)
        try description.operations.writeText("new\n", at: .end)
        #expect(FileManager.default.contents(atPath: path) == Data("old\nnew\n".utf8))
    }

    @Test func fstatShowsTheHostFile() throws {
        let (descriptor, path) = try openTemporary("xyz", [])
        defer { try? FileManager.default.removeItem(atPath: path) }
        let description = try #require(HostStreams([descriptor]).descriptions[0])
        #expect(try #require(description.inode).attributes().size == 3)
        #expect(description.type == .regular)
    }

    @Test(.timeLimit(.minutes(1))) func anEmptyPipeIsWaitedForWithoutBlocking() throws {
        let pipe = Foundation.Pipe()
        let read = SharedHostDescriptor(try HostFileCalls.duplicate(pipe.fileHandleForReading.fileDescriptor))
        let file = try #require(HostStreams([read]).descriptions[0]).operations
        #expect(throws: Errno.EAGAIN) { try file.readText(at: .stream) }
        let entry = WaitEntry(events: .allReadable, parker: caller.parker)
        file.addWaiter(entry)
        #expect(throws: Errno.EAGAIN) { try file.readText(at: .stream) }
        #expect(!caller.parker.park(until: .after(nanoseconds: 20_000_000)))
        pipe.fileHandleForWriting.write(Data("came".utf8))
        #expect(caller.parker.park(until: .after(nanoseconds: 5_000_000_000)))
        #expect(try file.readText(at: .stream) == "came")
        // Again: the watch is armed anew by the read that found nothing.
        #expect(throws: Errno.EAGAIN) { try file.readText(at: .stream) }
        try pipe.fileHandleForWriting.close()
        #expect(caller.parker.park(until: .after(nanoseconds: 5_000_000_000)))
        #expect(try file.readText(at: .stream) == "")
        file.removeWaiter(entry)
    }

    @Test func aFullPipeTakesWhatFits() throws {
        let pipe = Foundation.Pipe()
        let write = SharedHostDescriptor(try HostFileCalls.duplicate(pipe.fileHandleForWriting.fileDescriptor))
        let file = try #require(HostStreams([write]).descriptions[0]).operations
        let text = String(repeating: "x", count: 200_000)
        #expect(try file.writeText(text, at: .stream).count == 65536)
        #expect(throws: Errno.EAGAIN) { try file.writeText("y", at: .stream) }
        #expect(!file.readiness().contains(.writable))
        try pipe.fileHandleForReading.close()
        // A process that another test is starting has a copy of the end until it executes its program.
        let parker = HostParker(), end = MonotonicInstant.after(nanoseconds: 10_000_000_000)
        while !file.readiness().contains(.error), MonotonicInstant.now.nanoseconds < end.nanoseconds {
            parker.park(until: .after(nanoseconds: 1_000_000))
        }
        #expect(throws: Errno.EPIPE) { try file.writeText("y", at: .stream) }
    }

    @Test func theDescriptorsOwnFlagsStayUnchanged() throws {
        let pipe = Foundation.Pipe()
        let read = SharedHostDescriptor(try HostFileCalls.duplicate(pipe.fileHandleForReading.fileDescriptor))
        let description = try #require(HostStreams([read]).descriptions[0])
        try description.operations.statusFlagsChanged(.nonBlocking)
        #expect(try !HostFileCalls.statusFlags(read.number).contains(.nonBlocking))
    }

    @Test func aClosedDescriptorGivesNone() throws {
        #expect(HostStreams([nil]).descriptions[0] == nil)
    }
}
