import HostOS
import LinuxABI

private func takeAttributeName(_ reader: inout ByteReader) throws(Errno) -> [UInt8] {
    let name = try reader.takeString(limit: ProtocolLimits.maximumAttributeName)
    guard !name.isEmpty, NameRule.isPlain(name) else { throw .EBADMSG }
    return name
}

public struct GetExtendedAttributeRequest: GoferRequest {
    public static let type = MessageType.getExtendedAttribute
    public typealias Reply = ByteString
    public var target: NodeTarget
    public var name: [UInt8]
    public init(_ target: NodeTarget, name: [UInt8]) {
        self.target = target
        self.name = name
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(target)
        writer.put(name)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        target = try reader.take()
        name = try takeAttributeName(&reader)
    }
}

public struct SetExtendedAttributeRequest: GoferRequest {
    public static let type = MessageType.setExtendedAttribute
    public typealias Reply = Empty
    public var node: NodeID
    public var name: [UInt8]
    public var value: [UInt8]
    /// XATTR_CREATE 1, XATTR_REPLACE 2.
    public var flags: UInt32
    public init(node: NodeID, name: [UInt8], value: [UInt8], flags: UInt32) {
        self.node = node
        self.name = name
        self.value = value
        self.flags = flags
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(name)
        writer.put(value)
        writer.put(flags)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        name = try takeAttributeName(&reader)
        value = try reader.takeString(limit: ProtocolLimits.maximumValue)
        flags = try reader.take()
        guard flags <= 3 else { throw .EBADMSG }
    }
}

public struct RemoveExtendedAttributeRequest: GoferRequest {
    public static let type = MessageType.removeExtendedAttribute
    public typealias Reply = Empty
    public var node: NodeID
    public var name: [UInt8]
    public init(node: NodeID, name: [UInt8]) {
        self.node = node
        self.name = name
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(name)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        name = try takeAttributeName(&reader)
    }
}

/// All attribute names, each followed by a NUL.
public struct ListExtendedAttributesRequest: GoferRequest {
    public static let type = MessageType.listExtendedAttributes
    public typealias Reply = ByteString
    public var target: NodeTarget
    public init(_ target: NodeTarget) { self.target = target }
    public func encode(into writer: inout ByteWriter) { writer.put(target) }
    public init(from reader: inout ByteReader) throws(Errno) { target = try reader.take() }
}

public struct FileSystemStatusRequest: GoferRequest {
    public static let type = MessageType.fileSystemStatus
    public typealias Reply = HostFileSystemStatus
    public var node: NodeID
    public init(node: NodeID) { self.node = node }
    public func encode(into writer: inout ByteWriter) { writer.put(node) }
    public init(from reader: inout ByteReader) throws(Errno) { node = try reader.take() }
}

/// fsync(2), fdatasync(2) or syncfs(2).
public struct SynchronizeRequest: GoferRequest {
    public static let type = MessageType.synchronize
    public typealias Reply = Empty
    public enum Extent: UInt8, Sendable {
        case file = 0
        case data = 1
        case fileSystem = 2
    }
    public var node: NodeID
    public var extent: Extent
    public init(node: NodeID, extent: Extent) {
        self.node = node
        self.extent = extent
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(extent.rawValue)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        guard let extent = Extent(rawValue: try reader.take()) else { throw .EBADMSG }
        self.extent = extent
    }
}

/// The queue of changes in watched directories, an inotify instance: donated once. Only the Gofer adds watches to it.
public struct ChangeQueueRequest: GoferRequest {
    public static let type = MessageType.changeQueue
    public static let donates = 1
    public typealias Reply = Empty
    public init() {}
    public func encode(into writer: inout ByteWriter) {}
    public init(from reader: inout ByteReader) throws(Errno) {}
}

/// Attributes of anything but a directory, and an O_PATH descriptor that goes on telling them: it neither reads nor writes.
public struct InspectRequest: GoferRequest {
    public static let type = MessageType.inspect
    public static let donates = 1
    public typealias Reply = NodeReply
    public var target: NodeTarget
    public var handles: HandleWish
    public init(_ target: NodeTarget, handles: HandleWish = .none) {
        self.target = target
        self.handles = handles
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(target)
        writer.put(handles)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        target = try reader.take()
        handles = try reader.take()
    }
}
