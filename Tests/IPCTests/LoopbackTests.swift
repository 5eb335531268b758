import HostOS
import LinuxABI
import Memory
import Sockets
import Testing
import VirtualFileSystem

struct LoopbackTests {
    let caller = FakeCaller()

    private func make(_ type: SocketType, _ family: Int32 = AddressFamily.inet) throws -> any Socket {
        try SocketFamily.make(family: family, type: type.rawValue, protocolNumber: 0, caller: caller)
    }
    private func send(_ socket: any Socket, _ bytes: [UInt8], _ request: SendRequest = SendRequest()) throws(Errno) -> Int {
        var buffer = IOBuffer(kernelBytes: bytes)
        return try socket.send(&buffer, request, caller: caller)
    }
    private func receive(_ socket: any Socket, _ count: Int) throws(Errno) -> ([UInt8], ReceivedMessage) {
        var buffer = IOBuffer(kernelCapacity: count)
        let message = try socket.receive(&buffer, flags: [], caller: caller)
        return (buffer.kernelBytes, message)
    }
    private let any: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
    private let elsewhere: [UInt8] = [2, 0, 0, 80, 8, 8, 8, 8] + [UInt8](repeating: 0, count: 8)
    /// The address of a server bound to the wildcard, as a client names it.
    private func local(_ socket: any Socket) -> [UInt8] {
        var address = socket.localAddress()
        address.replaceSubrange(4..<8, with: [127, 0, 0, 1])
        return address
    }

    @Test func connectionsCarryBytesBothWays() throws {
        let server = try make(.stream), client = try make(.stream)
        try server.bind(any, caller: caller)
        try server.listen(backlog: 5, caller: caller)
        try client.connect(local(server), isNonBlocking: false, caller: caller)
        let accepted = try server.accept(caller: caller)
        #expect(try accepted.peerAddress() == client.localAddress())
        #expect(try client.peerAddress() == accepted.localAddress())
        _ = try send(client, [1, 2])
        _ = try send(accepted, [3])
        #expect(try receive(accepted, 9).0 == [1, 2])
        #expect(try receive(client, 9).0 == [3])
        try client.shutdown(.write)
        #expect(try receive(accepted, 9).0 == [])
        #expect(accepted.readiness().contains(.readHangUp) && !accepted.readiness().contains(.hangUp))
        accepted.close()
        #expect(try receive(client, 9).0 == [])
        server.close()
        client.close()
    }

    @Test func aNonBlockingConnectReportsAtTheNextCall() throws {
        let server = try make(.stream), client = try make(.stream), refused = try make(.stream)
        try server.bind(any, caller: caller)
        let address = local(server)
        #expect(failure { () throws(Errno) in try refused.connect(address, isNonBlocking: true, caller: caller) } == .EINPROGRESS)
        #expect(refused.readiness().contains(.error))
        #expect(refused.takeError() == .ECONNREFUSED)
        try server.listen(backlog: 5, caller: caller)
        #expect(failure { () throws(Errno) in try client.connect(address, isNonBlocking: true, caller: caller) } == .EINPROGRESS)
        #expect(client.readiness().contains(.writable))
        #expect(failure { () throws(Errno) in try client.connect(address, isNonBlocking: true, caller: caller) } == nil)
        #expect(failure { () throws(Errno) in try client.connect(address, isNonBlocking: true, caller: caller) } == .EISCONN)
        for socket in [server, client, refused] { socket.close() }
    }

    @Test func onlyTheLoopbackIsReachable() throws {
        let client = try make(.stream), datagrams = try make(.datagram)
        #expect(failure { () throws(Errno) in try client.connect(elsewhere, isNonBlocking: false, caller: caller) } == .ENETUNREACH)
        #expect(failure { () throws(Errno) in try client.bind(elsewhere, caller: caller) } == .EADDRNOTAVAIL)
        #expect(failure { () throws(Errno) in try datagrams.connect(elsewhere, isNonBlocking: false, caller: caller) } == .ENETUNREACH)
        #expect(failure { () throws(Errno) in try client.bind([2, 0, 0, 80, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8), caller: caller) } == .EACCES)
    }

    @Test func aPortHasOneListener() throws {
        let server = try make(.stream), second = try make(.stream), third = try make(.stream, AddressFamily.inet6)
        try server.bind(any, caller: caller)
        let port = Array(server.localAddress()[2..<4])
        #expect(failure { () throws(Errno) in try second.bind(local(server), caller: caller) } == .EADDRINUSE)
        let any6 = [10, 0] + port + [UInt8](repeating: 0, count: 24)
        #expect(failure { () throws(Errno) in try third.bind(any6, caller: caller) } == .EADDRINUSE)
        server.close()
        try third.bind(any6, caller: caller)
        try third.listen(backlog: 1, caller: caller)
        // An IPv6 wildcard takes IPv4 connections, under mapped addresses.
        try second.connect([2, 0] + port + [127, 0, 0, 1] + [UInt8](repeating: 0, count: 8), isNonBlocking: false, caller: caller)
        let accepted = try third.accept(caller: caller)
        #expect(try Array(accepted.peerAddress()[18..<24]) == [0xff, 0xff, 127, 0, 0, 1])
        for socket in [second, third, accepted] { socket.close() }
    }

    @Test func datagramsFindTheirReceiver() throws {
        let server = try make(.datagram), client = try make(.datagram)
        try server.bind(any, caller: caller)
        var request = SendRequest()
        request.address = local(server)
        #expect(try send(client, [7, 8, 9], request) == 3)
        let (bytes, message) = try receive(server, 2)
        #expect(bytes == [7, 8] && message.flags.contains(.truncated) && message.address == local(client))
        try client.connect(local(server), isNonBlocking: false, caller: caller)
        server.close()
        #expect(try send(client, [1]) == 1)
        #expect(failure { () throws(Errno) in try receive(client, 1) } == .ECONNREFUSED)
        client.close()
    }

    @Test func netlinkListsTheLoopbackDevice() throws {
        let socket = try make(.raw, AddressFamily.netlink)
        try socket.bind([16, 0] + [UInt8](repeating: 0, count: 10), caller: caller)
        // RTM_GETLINK with NLM_F_REQUEST | NLM_F_DUMP, sequence 5.
        let request: [UInt8] = [20, 0, 0, 0, 18, 0, 1, 3, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(try send(socket, request) == 20)
        let links = try receive(socket, 4096).0
        #expect(links[4] == 16 && links[8] == 5 && Int(links[0]) == links.count)
        #expect(try receive(socket, 4096).0[4] == 3)
        #expect(failure { () throws(Errno) in try receive(socket, 1) } == .EAGAIN)
        socket.close()
    }
}
