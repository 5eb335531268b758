import HostOS
import LinuxABI
import Memory
import Testing
import VirtualFileSystem

struct PipeTests {
    let caller = FakeCaller()

    @Test func bytesComeOutInOrderAcrossTheRing() throws {
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        var next: UInt8 = 0, expected: UInt8 = 0
        for round in 0..<200 {
            let size = 1 + round * 97 % 9000
            let bytes = (0..<size).map { _ -> UInt8 in
                defer { next &+= 1 }
                return next
            }
            #expect(try writer.operations.write(bytes, caller) == size)
            for byte in try reader.operations.read(size, caller) {
                #expect(byte == expected)
                expected &+= 1
            }
        }
        #expect(next == expected)
    }

    @Test func aWriteOfAtMostAPageIsAllOrNothing() throws {
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        #expect(try writer.operations.write([UInt8](repeating: 1, count: 65536), caller) == 65536)
        #expect(failure { () throws(Errno) in try writer.operations.write([2], caller) } == .EAGAIN)
        #expect(try reader.operations.read(4095, caller).count == 4095)
        // A byte of the first page is left: no page is free.
        #expect(!writer.operations.readiness().contains(.writable))
        #expect(failure { () throws(Errno) in try writer.operations.write([2], caller) } == .EAGAIN)
        #expect(try reader.operations.read(1, caller).count == 1)
        #expect(writer.operations.readiness() == .allWritable)
        #expect(failure { () throws(Errno) in try writer.operations.write([UInt8](repeating: 2, count: 4096), caller) } == nil)
    }

    @Test func smallWritesShareAPage() throws {
        let (_reader, writer) = Pipe.makePair(flags: [], caller: caller)
        var count = 0
        while failure({ () throws(Errno) in try writer.operations.write([7], caller) }) == nil { count += 1 }
        #expect(count == 65536)
        _ = _reader
    }

    @Test func endOfFileFollowsTheLastWriter() throws {
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        #expect(failure { () throws(Errno) in try reader.operations.read(1, caller) } == .EAGAIN)
        _ = try writer.operations.write([1, 2], caller)
        writer.operations.released()
        #expect(reader.operations.readiness() == [.readable, .readNormal, .hangUp])
        #expect(try reader.operations.read(10, caller) == [1, 2])
        #expect(try reader.operations.read(10, caller) == [])
        #expect(reader.operations.readiness() == .hangUp)
    }

    @Test func writingWithoutReadersBreaks() {
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        reader.operations.released()
        #expect(failure { () throws(Errno) in try writer.operations.write([1], caller) } == .EPIPE)
        #expect(writer.operations.readiness() == [.writable, .writeNormal, .error])
    }

    @Test func packetModeKeepsBoundariesAndDropsTheRest() throws {
        let (reader, writer) = Pipe.makePair(flags: .direct, caller: caller)
        _ = try writer.operations.write([1, 2, 3], caller)
        _ = try writer.operations.write([4], caller)
        #expect(try reader.operations.read(2, caller) == [1, 2])
        #expect(try reader.operations.read(100, caller) == [4])
    }

    @Test func capacityChangesKeepTheData() throws {
        let (reader, writer) = Pipe.makePair(flags: [], caller: caller)
        _ = try writer.operations.write(Array(0..<200), caller)
        #expect(try writer.operations.setPipeCapacity(5000, caller: caller) == 8192)
        #expect(writer.operations.pipeCapacity == 8192)
        // The odd 808 bytes join the first page, then one whole page is free.
        #expect(try writer.operations.write([UInt8](repeating: 9, count: 9000), caller) == 4904)
        #expect(failure { () throws(Errno) in try writer.operations.setPipeCapacity(4096, caller: caller) } == .EBUSY)
        #expect(failure { () throws(Errno) in try writer.operations.setPipeCapacity(2 << 20, caller: caller) } == .EPERM)
        #expect(try reader.operations.read(200, caller) == Array(0..<200))
    }

    @Test func spliceMovesBetweenPipes() throws {
        let (r1, w1) = Pipe.makePair(flags: [], caller: caller)
        let (r2, w2) = Pipe.makePair(flags: [], caller: caller)
        _ = try w1.operations.write([1, 2, 3, 4], caller)
        let source = try #require(r1.operations as? PipeEnd).pipe, target = try #require(w2.operations as? PipeEnd).pipe
        #expect(try Pipe.transfer(from: source, to: target, count: 2, keeping: true) == 2)
        #expect(try Pipe.transfer(from: source, to: target, count: 3, keeping: false) == 3)
        #expect(try r1.operations.read(10, caller) == [4])
        #expect(try r2.operations.read(10, caller) == [1, 2, 1, 2, 3])
    }
}
