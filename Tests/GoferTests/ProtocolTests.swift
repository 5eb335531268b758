import GoferProtocol
import HostOS
import LinuxABI
import Testing

struct ProtocolTests {
    static func sampleStatus() -> HostFileStatus {
        var status = HostFileStatus()
        status.device = DeviceNumber(major: 259, minor: 70000)
        status.inode = 0x1234_5678_9abc
        status.mode = FileMode(.regular, 0o4755)
        status.linkCount = 3
        status.uid = 1000
        status.size = 1 << 40
        status.blocks = 17
        status.modificationTime = Timespec(seconds: -5, nanoseconds: 999_999_999)
        status.birthTime = Timespec(seconds: 7, nanoseconds: 1)
        return status
    }

    func roundTrip<T: WireValue & Equatable>(_ value: T) throws { #expect(try T(decoding: value.encoded()) == value) }

    @Test func valuesSurviveTheWire() throws {
        let status = Self.sampleStatus()
        try roundTrip(status)
        try roundTrip(NodeReply(node: NodeID(rawValue: 9), status: status))
        try roundTrip(WalkReply(stopped: 2, nodes: [NodeReply(node: .none, status: status)]))
        try roundTrip(
            ListReply(
                stream: NodeID(rawValue: 4), node: .none,
                entries: [
                    ListedEntry(name: Array("a".utf8), inode: 1, type: 8, status: status),
                    ListedEntry(name: [0xff], inode: 2, type: 0, status: nil),
                ]))
        try roundTrip(OpenSeveralReply(files: [.init(NodeReply(node: .none, status: status)), .init(.ENOENT)]))
        try roundTrip(AttributeNamesReply(lists: [Array("user.a\0".utf8), nil, []]))
        try roundTrip(Hello(landlock: 6, nodeLimit: 100, grants: [0, 2]))
        try roundTrip(ByteString([1, 2, 3]))
    }

    @Test func requestsSurviveTheWire() throws {
        var change = SetAttributesRequest(node: NodeID(rawValue: 3))
        change.permissions = 0o640
        change.modificationTime = .set(Timespec(seconds: 1, nanoseconds: 2))
        change.accessTime = .now
        let decoded = try SetAttributesRequest(decoding: change.encoded())
        #expect(decoded.permissions == 0o640 && decoded.uid == nil && decoded.size == nil)
        #expect(decoded.accessTime == .now && decoded.modificationTime == change.modificationTime)
        let walk = try WalkRequest(
            decoding: WalkRequest(node: NodeID(rawValue: 1), handles: .all, names: [[0x61], [0x62, 0x63]]).encoded())
        #expect(walk.names == [[0x61], [0x62, 0x63]] && walk.handles == .all)
        let several = OpenSeveralRequest(directory: NodeID(rawValue: 1), handles: .all, names: [[0x61], [0x62]])
        #expect(try OpenSeveralRequest(decoding: several.encoded()).names == several.names)
        let names = AttributeNamesRequest(directory: NodeID(rawValue: 1), names: [[0x61], [0x62]])
        #expect(try AttributeNamesRequest(decoding: names.encoded()).names == names.names)
    }

    @Test func moreFilesThanDescriptorsFitAreRefused() {
        let names = (0...ProtocolLimits.maximumOpens).map { [UInt8](repeating: 0x61, count: $0 + 1) }
        let request = OpenSeveralRequest(directory: NodeID(rawValue: 1), handles: .none, names: names)
        #expect(throws: Errno.EBADMSG) { try OpenSeveralRequest(decoding: request.encoded()) }
        #expect(throws: Errno.EBADMSG) {
            try OpenSeveralRequest(decoding: OpenSeveralRequest(directory: NodeID(rawValue: 1), handles: .none, names: []).encoded())
        }
    }

    @Test(arguments: ["", ".", "..", "a/b", "/", "nul\0", String(repeating: "x", count: 256)])
    func badNamesAreRefused(_ name: String) {
        var writer = ByteWriter()
        writer.put(NodeID(rawValue: 1))
        writer.put(HandleWish.none)
        writer.put(UInt16(1))
        writer.put(name: Array(name.utf8))
        #expect(throws: Errno.EBADMSG) { try WalkRequest(decoding: writer.bytes) }
    }

    @Test func headerMustAgreeWithTheMessage() throws {
        let header = MessageHeader(type: .walk, request: 7, bodyLength: 2)
        let message = header.encoded() + [1, 2]
        #expect(try MessageHeader(of: message, length: message.count, descriptors: 0) == header)
        #expect(throws: Errno.EBADMSG) { try MessageHeader(of: message, length: message.count - 1, descriptors: 0) }
        #expect(throws: Errno.EBADMSG) { try MessageHeader(of: message, length: message.count, descriptors: 1) }
        #expect(throws: Errno.EBADMSG) { try MessageHeader(of: [], length: 0, descriptors: 0) }
    }

    @Test func argumentsSurviveTheCommandLine() throws {
        let arguments = GoferArguments(
            socket: 3, parent: 17, grants: [Grant(path: [0x2f], isWritable: false), Grant(path: [0x2f, 0xff], isWritable: true)])
        #expect(try GoferArguments(words: arguments.words) == arguments)
    }

    /// Whatever bytes come, decoding gives a value or throws.
    @Test func randomBytesNeverTrap() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            var bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Mostly small numbers come further into the decoders.
            if Bool.random(using: &generator) { bytes = bytes.map { $0 & 3 } }
            Self.decodeAll(bytes)
        }
    }

    /// Valid messages with one byte changed.
    @Test func damagedMessagesNeverTrap() {
        let status = Self.sampleStatus()
        let samples: [[UInt8]] = [
            status.encoded(), WalkReply(stopped: 0, nodes: [NodeReply(node: .none, status: status)]).encoded(),
            ListReply(stream: .none, node: .none, entries: [ListedEntry(name: [0x61], inode: 1, type: 8, status: status)]).encoded(),
            OpenSeveralReply(files: [.init(NodeReply(node: .none, status: status)), .init(.EACCES)]).encoded(),
            AttributeNamesReply(lists: [Array("user.a\0".utf8), nil]).encoded(),
            MessageHeader(type: .open, request: 1, bodyLength: 0).encoded(),
        ]
        for sample in samples {
            for index in sample.indices {
                for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
                    var bytes = sample
                    bytes[index] = value
                    Self.decodeAll(bytes)
                }
                Self.decodeAll(Array(sample.prefix(index)))
            }
        }
    }

    static func decodeAll(_ bytes: [UInt8]) {
        _ = try? MessageHeader(of: bytes, length: bytes.count, descriptors: 0)
        _ = try? AttachRequest(decoding: bytes)
        _ = try? WalkRequest(decoding: bytes)
        _ = try? CloseRequest(decoding: bytes)
        _ = try? GetAttributesRequest(decoding: bytes)
        _ = try? OpenFileRequest(decoding: bytes)
        _ = try? OpenSeveralRequest(decoding: bytes)
        _ = try? OpenSeveralReply(decoding: bytes)
        _ = try? AttributeNamesRequest(decoding: bytes)
        _ = try? AttributeNamesReply(decoding: bytes)
        _ = try? CreateRequest(decoding: bytes)
        _ = try? MakeNodeRequest(decoding: bytes)
        _ = try? TemporaryFileRequest(decoding: bytes)
        _ = try? LinkRequest(decoding: bytes)
        _ = try? UnlinkRequest(decoding: bytes)
        _ = try? RenameRequest(decoding: bytes)
        _ = try? SetAttributesRequest(decoding: bytes)
        _ = try? ReadLinkRequest(decoding: bytes)
        _ = try? ListRequest(decoding: bytes)
        _ = try? GetExtendedAttributeRequest(decoding: bytes)
        _ = try? SetExtendedAttributeRequest(decoding: bytes)
        _ = try? RemoveExtendedAttributeRequest(decoding: bytes)
        _ = try? ListExtendedAttributesRequest(decoding: bytes)
        _ = try? FileSystemStatusRequest(decoding: bytes)
        _ = try? SynchronizeRequest(decoding: bytes)
        _ = try? Hello(decoding: bytes)
        _ = try? NodeReply(decoding: bytes)
        _ = try? WalkReply(decoding: bytes)
        _ = try? ListReply(decoding: bytes)
        _ = try? HostFileSystemStatus(decoding: bytes)
        _ = try? ByteString(decoding: bytes)
    }
}
