import HostOS
import SandboxControl
import Testing

@testable import OCIRuntime

/// The container's part of the control protocol: what is encoded is decoded, and no bytes can do harm.
struct WireTests {
    static func configuration() -> SandboxConfiguration {
        var configuration = SandboxConfiguration()
        configuration.root = Array("/root/of/it".utf8)
        configuration.binds = [.init(source: [1], destination: [2], isWritable: true)]
        var container = ContainerConfiguration()
        container.process.arguments = [Array("a".utf8), []]
        container.process.limits = [.init(kind: 7, soft: 1, hard: .max)]
        container.process.capabilities.ambient = 1 << 40
        container.process.oomScoreAdjustment = -7
        container.process.isTerminal = true
        container.mounts = [.init(type: [3], source: [], destination: [4, 5], flags: 9, options: [6], bind: 0)]
        container.devices = [.init(path: [7], mode: 1, major: 2, minor: 3, uid: 4, gid: 5)]
        container.maskedPaths = [[8]]
        container.readOnlyPaths = [[9], [10]]
        container.domainName = []
        container.settings = [.init(name: [11], value: [12])]
        container.taskLimit = 5
        container.preservedDescriptors = 2
        configuration.container = container
        return configuration
    }

    static let requests: [ContainerRequest] = [
        .status, .start(isHeld: true), .release, .signal(pid: 1, number: -9, all: true, fromTerminal: false), .exec(configuration().container?.process ?? .init()),
        .pause, .resume, .processes, .statistics, .wait, .limitTasks(nil), .limitTasks(3),
    ]
    static let replies: [ContainerReply] = [
        .done, .failed(errno: 2, message: "no"), .status(.paused), .started(pid: 9), .exited(waitStatus: 256),
        .processes([.init(pid: 1, parent: 0, uid: 2, processorTime: 3, age: .max, command: [4])]), .statistics(.init()),
    ]

    @Test func configurationsSurviveTheWire() throws {
        let configuration = Self.configuration()
        #expect(try SandboxConfiguration(decoding: configuration.encoded()) == configuration)
    }

    @Test(arguments: WireTests.requests) func requestsSurviveTheWire(_ request: ContainerRequest) throws {
        #expect(try ContainerRequest(decoding: request.encoded()) == request)
    }
    @Test(arguments: WireTests.replies) func repliesSurviveTheWire(_ reply: ContainerReply) throws {
        #expect(try ContainerReply(decoding: reply.encoded()) == reply)
    }

    @Test func truncatedMessagesAreRefused() {
        let bytes = Self.configuration().encoded()
        for length in 0..<bytes.count { #expect(throws: ControlError.self) { try SandboxConfiguration(decoding: Array(bytes.prefix(length))) } }
        for request in Self.requests {
            let bytes = request.encoded()
            for length in 0..<bytes.count { #expect(throws: ControlError.self) { try ContainerRequest(decoding: Array(bytes.prefix(length))) } }
            #expect(throws: ControlError.self) { try ContainerRequest(decoding: bytes + [0]) }
        }
    }

    @Test func changedBytesNeverTrap() {
        var generator = SystemRandomNumberGenerator()
        let samples = Self.requests.map { $0.encoded() } + [Self.configuration().encoded()]
        for sample in samples {
            for _ in 0..<500 {
                var bytes = sample
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
                }
                _ = try? ContainerRequest(decoding: bytes)
                _ = try? ContainerReply(decoding: bytes)
                _ = try? SandboxConfiguration(decoding: bytes)
            }
        }
    }

    @Test func messagesCarryDescriptors() throws {
        let pair = try SocketPair()
        let near = ContainerSocket(try HostIO.duplicate(pair.near.number, from: 3)), far = ContainerSocket(try HostIO.duplicate(pair.far.number, from: 3))
        try near.send([1, 2, 3], descriptors: [0, 1])
        var received: [Int32] = []
        #expect(try far.receive(descriptors: &received) == [1, 2, 3])
        #expect(received.count == 2)
        for number in received { _ = HostDescriptor(owning: number) }
    }

    @Test func lengthsAreBounded() throws {
        let pair = try SocketPair()
        let far = ContainerSocket(try HostIO.duplicate(pair.far.number, from: 3))
        try HostIO.writeAll(pair.near.number, [0xff, 0xff, 0xff, 0x7f])
        var received: [Int32] = []
        #expect(throws: ControlError.malformed("length")) { try far.receive(descriptors: &received) }
    }
}
