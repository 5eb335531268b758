import HostOS
import LinuxABI

/// Bounds that both ends check.
public enum ProtocolLimits {
    public static let version: UInt16 = 4
    /// Header and body of one message.
    public static let maximumMessage = 128 * 1024
    /// A link's target, an attribute's value or list of names (XATTR_SIZE_MAX).
    public static let maximumValue = 65536
    /// Files opened by one message: so many descriptors fit into one.
    public static let maximumOpens = MessageSocket.maximumDescriptors
    /// Components of one walk, handles of one close.
    public static let maximumCount = 512
    /// PATH_MAX.
    public static let maximumLink = 4096
    public static let maximumAttributeName = 255
}

/// What a message is. A reply carries its request's type.
public enum MessageType: UInt16, Sendable, CaseIterable {
    case hello = 1
    case attach, walk, close, getAttributes, open, create, makeNode, temporaryFile, link, unlink, rename, setAttributes, readLink, list
    case getExtendedAttribute, setExtendedAttribute, removeExtendedAttribute, listExtendedAttributes
    case fileSystemStatus, synchronize, changeQueue, inspect, openSeveral, attributeNames
}

/// The first 24 bytes of every message.
public struct MessageHeader: Sendable, Equatable {
    public static let size = 24
    public var type: MessageType
    /// Chosen by the client, ever increasing; the reply repeats it. 0 for hello.
    public var request: UInt64
    /// 0, or the errno that the operation failed with. Always 0 in a request.
    public var errno: Int32
    public var bodyLength: UInt32
    /// Descriptors that come with the message.
    public var descriptorCount: UInt16
    /// In a request: the processor that the client runs on, from 1, where the Gofer had better work too; 0 for none.
    /// In a reply: number of the hide rule, from 1, that stood in the way; 0 for none.
    public var detail: UInt16

    public init(type: MessageType, request: UInt64, errno: Int32 = 0, bodyLength: Int, descriptorCount: Int = 0, detail: UInt16 = 0) {
        self.detail = detail
        self.type = type
        self.request = request
        self.errno = errno
        self.bodyLength = UInt32(truncatingIfNeeded: bodyLength)
        self.descriptorCount = UInt16(truncatingIfNeeded: descriptorCount)
    }

    public func encoded() -> [UInt8] {
        var writer = ByteWriter(reserving: Self.size)
        writer.put(ProtocolLimits.version)
        writer.put(type.rawValue)
        writer.put(bodyLength)
        writer.put(request)
        writer.put(errno)
        writer.put(descriptorCount)
        writer.put(detail)
        return writer.bytes
    }

    /// Reads the header of a message of `length` bytes that came with `descriptors` descriptors, and checks that all agree.
    /// - Throws: EBADMSG.
    public init(of message: [UInt8], length: Int, descriptors: Int) throws(Errno) {
        guard length >= Self.size, length <= message.count else { throw .EBADMSG }
        var reader = ByteReader(message, 0..<Self.size)
        guard try reader.take(UInt16.self) == ProtocolLimits.version else { throw .EBADMSG }
        guard let type = MessageType(rawValue: try reader.take()) else { throw .EBADMSG }
        self.type = type
        bodyLength = try reader.take()
        request = try reader.take()
        errno = try reader.take()
        descriptorCount = try reader.take()
        detail = try reader.take()
        guard Int(bodyLength) == length - Self.size, Int(descriptorCount) == descriptors else { throw .EBADMSG }
        guard errno >= 0, errno < 512 else { throw .EBADMSG }
    }
}
