import HostOS
import LinuxABI
import Memory
import Sockets
import Testing
import VirtualFileSystem

struct UnixSocketTests {
    let caller = FakeCaller()

    private func pair(_ type: SocketType) throws -> (any Socket, any Socket) {
        try SocketFamily.makePair(family: AddressFamily.unix, type: type.rawValue, protocolNumber: 0, caller: caller)
    }
    private func make(_ type: SocketType) throws -> any Socket {
        try SocketFamily.make(family: AddressFamily.unix, type: type.rawValue, protocolNumber: 0, caller: caller)
    }
    private func send(_ socket: any Socket, _ bytes: [UInt8], _ request: SendRequest = SendRequest()) throws(Errno) -> Int {
        var buffer = IOBuffer(kernelBytes: bytes)
        return try socket.send(&buffer, request, caller: caller)
    }
    private func receive(_ socket: any Socket, _ count: Int, _ flags: MessageFlags = []) throws(Errno) -> ([UInt8], ReceivedMessage) {
        var buffer = IOBuffer(kernelCapacity: count)
        let message = try socket.receive(&buffer, flags: flags, caller: caller)
        return (buffer.kernelBytes, message)
    }
    private func abstract(_ name: String) -> [UInt8] { [1, 0, 0] + Array(name.utf8) }

    @Test func streamsGlueAndSplitWrites() throws {
        let (a, b) = try pair(.stream)
        _ = try send(a, [1, 2, 3])
        _ = try send(a, [4, 5])
        #expect(try receive(b, 10, .peek).0 == [1, 2, 3, 4, 5])
        #expect(try receive(b, 4).0 == [1, 2, 3, 4])
        #expect(try receive(b, 4).0 == [5])
        #expect(failure { () throws(Errno) in try receive(b, 1) } == .EAGAIN)
    }

    @Test func packetsKeepTheirBoundaries() throws {
        let (a, b) = try pair(.sequentialPacket)
        _ = try send(a, [1, 2, 3])
        _ = try send(a, [])
        _ = try send(a, [4])
        let (bytes, message) = try receive(b, 2, .truncated)
        #expect(bytes == [1, 2] && message.count == 3 && message.flags.contains(.truncated))
        #expect(try receive(b, 9).1.count == 0)
        #expect(try receive(b, 9).0 == [4])
        a.close()
        #expect(try receive(b, 9).0 == [])
    }

    @Test func smallWritesAreBoundedAsInLinux() throws {
        let (a, b) = try pair(.stream)
        var count = 0
        while failure({ () throws(Errno) in try send(a, [1]) }) == nil { count += 1 }
        #expect(count == 278)
        #expect(!a.readiness().contains(.writable))
        #expect(try receive(b, 300).0.count == 278)
        #expect(a.readiness().contains(.writable))
    }

    @Test func closingWithUnreadDataResets() throws {
        let (a, b) = try pair(.stream)
        _ = try send(a, [1])
        b.close()
        #expect(a.readiness().isSuperset(of: [.error, .hangUp, .readable, .readHangUp]))
        #expect(failure { () throws(Errno) in try receive(a, 1) } == .ECONNRESET)
        #expect(try receive(a, 1).0 == [])
        #expect(failure { () throws(Errno) in try send(a, [1]) } == .EPIPE)
    }

    @Test func shutdownOfWritingIsEndOfFile() throws {
        let (a, b) = try pair(.stream)
        try a.shutdown(.write)
        #expect(try receive(b, 1).0 == [])
        #expect(failure { () throws(Errno) in try send(a, [1]) } == .EPIPE)
        #expect(try send(b, [1]) == 1)
        #expect(b.readiness().contains(.readHangUp) && !b.readiness().contains(.hangUp))
    }

    @Test func descriptorsTravelAndStopTheRead() throws {
        let (a, b) = try pair(.stream)
        _ = try send(a, [1])
        var request = SendRequest()
        let (reader, _) = Pipe.makePair(flags: [], caller: caller)
        request.descriptions = [reader]
        _ = try send(a, [2], request)
        _ = try send(a, [3])
        let (bytes, message) = try receive(b, 10)
        #expect(bytes == [1, 2] && message.descriptions.count == 1 && message.descriptions[0] === reader)
        #expect(try receive(b, 10).0 == [3])
    }

    @Test func connectionsWaitOnTheBacklog() throws {
        let server = try make(.stream), client = try make(.stream)
        try server.bind(abstract("backlog"), caller: caller)
        #expect(failure { () throws(Errno) in try client.connect(abstract("backlog"), isNonBlocking: true, caller: caller) } == .ECONNREFUSED)
        try server.listen(backlog: 0, caller: caller)
        #expect(failure { () throws(Errno) in try server.accept(caller: caller) } == .EAGAIN)
        try client.connect(abstract("backlog"), isNonBlocking: true, caller: caller)
        #expect(server.readiness() == .allReadable)
        let second = try make(.stream)
        #expect(failure { () throws(Errno) in try second.connect(abstract("backlog"), isNonBlocking: true, caller: caller) } == .EAGAIN)
        _ = try send(client, [9])
        let accepted = try server.accept(caller: caller)
        #expect(try receive(accepted, 5).0 == [9])
        #expect(try accepted.localAddress() == client.peerAddress())
        try second.connect(abstract("backlog"), isNonBlocking: true, caller: caller)
        server.close()
        #expect(failure { () throws(Errno) in try receive(second, 1) } == .ECONNRESET)
        let late = try make(.stream)
        #expect(failure { () throws(Errno) in try late.connect(abstract("backlog"), isNonBlocking: true, caller: caller) } == .ECONNREFUSED)
    }

    @Test func datagramsCarryTheSendersName() throws {
        let server = try make(.datagram), client = try make(.datagram)
        try server.bind(abstract("dgram"), caller: caller)
        try client.bind([1, 0], caller: caller)
        var request = SendRequest()
        request.address = abstract("dgram")
        _ = try send(client, [5, 6], request)
        let (bytes, message) = try receive(server, 10)
        #expect(bytes == [5, 6] && message.address == client.localAddress())
        #expect(client.localAddress().count == 8)
        // The queue takes eleven, then the sender has to wait.
        var count = 0
        while failure({ () throws(Errno) in try send(client, [1], request) }) == nil { count += 1 }
        #expect(count == 11)
        server.close()
        #expect(failure { () throws(Errno) in try send(client, [1], request) } == .ECONNREFUSED)
        client.close()
    }

    @Test func chainsOfSocketsInFlightComeDownWithoutRecursion() throws {
        var last: FileDescription?
        for _ in 0..<20_000 {
            let (a, b) = try pair(.datagram)
            if let held = last {
                var request = SendRequest()
                request.descriptions = [held]
                _ = try send(a, [1], request)
            }
            a.close()
            last = SocketFile.makeDescription(b, flags: [], caller: caller)
        }
        last = nil
    }

    @Test func peeksMoveOnWithAnOffset() throws {
        let (a, b) = try pair(.stream)
        let file = SocketFile.makeDescription(b, flags: [], caller: caller)
        let socket = try #require(file.operations as? SocketFile)
        try socket.setOption(level: SocketOption.levelSocket, name: SocketOption.peekOffset, [1, 0, 0, 0], caller: caller)
        _ = try send(a, [1, 2, 3, 4])
        #expect(try receive(b, 2, .peek).0 == [2, 3])
        #expect(try receive(b, 2, .peek).0 == [4])
        #expect(failure { () throws(Errno) in try receive(b, 2, .peek) } == .EAGAIN)
        #expect(try receive(b, 2).0 == [1, 2])
        #expect(try socket.option(level: SocketOption.levelSocket, name: SocketOption.peekOffset, caller: caller) == [2, 0, 0, 0])
    }

    @Test func abiLayouts() {
        #expect(MemoryLayout<MessageHeader>.size == 56)
        #expect(MemoryLayout<ControlHeader>.size == 16)
        #expect(MemoryLayout<EpollEvent>.size == 12 && MemoryLayout<EpollEvent>.stride == 12)
        #expect(MemoryLayout<PollDescriptor>.size == 8)
        #expect(MemoryLayout<SignalFDInfo>.size == 128)
        #expect(MemoryLayout<UserCredentials>.size == 12)
    }
}
