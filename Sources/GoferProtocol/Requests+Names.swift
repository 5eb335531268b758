import HostOS
import LinuxABI

/// A further name for a node.
public struct LinkRequest: GoferRequest {
    public static let type = MessageType.link
    public typealias Reply = HostFileStatus
    public var node: NodeID
    public var directory: NodeID
    public var name: [UInt8]
    public init(node: NodeID, directory: NodeID, name: [UInt8]) {
        self.node = node
        self.directory = directory
        self.name = name
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(directory)
        writer.put(name: name)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        directory = try reader.take()
        name = try reader.takeName()
    }
}

public struct UnlinkRequest: GoferRequest {
    public static let type = MessageType.unlink
    public typealias Reply = Empty
    public var directory: NodeID
    public var name: [UInt8]
    /// rmdir(2) instead of unlink(2).
    public var isDirectory: Bool
    public init(directory: NodeID, name: [UInt8], isDirectory: Bool) {
        self.directory = directory
        self.name = name
        self.isDirectory = isDirectory
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(name: name)
        writer.put(isDirectory)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        name = try reader.takeName()
        isDirectory = try reader.takeFlag()
    }
}

/// renameat2(2).
public struct RenameRequest: GoferRequest {
    public static let type = MessageType.rename
    public typealias Reply = Empty
    public static let noReplace: UInt32 = 1
    public static let exchange: UInt32 = 2
    public var directory: NodeID
    public var name: [UInt8]
    public var newDirectory: NodeID
    public var newName: [UInt8]
    public var flags: UInt32
    public init(directory: NodeID, name: [UInt8], newDirectory: NodeID, newName: [UInt8], flags: UInt32) {
        self.directory = directory
        self.name = name
        self.newDirectory = newDirectory
        self.newName = newName
        self.flags = flags
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(name: name)
        writer.put(newDirectory)
        writer.put(name: newName)
        writer.put(flags)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        name = try reader.takeName()
        newDirectory = try reader.take()
        newName = try reader.takeName()
        flags = try reader.take()
        guard flags <= 2 else { throw .EBADMSG }
    }
}

/// Changes of attributes; only what is not nil changes, in this order: size, owner, permissions, times.
public struct SetAttributesRequest: GoferRequest {
    public static let type = MessageType.setAttributes
    public typealias Reply = HostFileStatus
    public var node: NodeID
    public var size: UInt64?
    public var uid: UInt32?
    public var gid: UInt32?
    public var permissions: UInt16?
    public var accessTime: HostNames.Time = .omit
    public var modificationTime: HostNames.Time = .omit
    public init(node: NodeID) { self.node = node }

    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(size != nil)
        writer.put(size ?? 0)
        writer.put(uid != nil)
        writer.put(uid ?? 0)
        writer.put(gid != nil)
        writer.put(gid ?? 0)
        writer.put(permissions != nil)
        writer.put(permissions ?? 0)
        for time in [accessTime, modificationTime] {
            switch time {
            case .omit: writer.put(UInt8(0))
            case .now: writer.put(UInt8(1))
            case .set(let value):
                writer.put(UInt8(2))
                value.encode(into: &writer)
            }
        }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        size = try Self.optional(&reader) { (r) throws(Errno) in try r.take(UInt64.self) }
        guard (size ?? 0) <= UInt64(Int64.max) else { throw .EBADMSG }
        uid = try Self.optional(&reader) { (r) throws(Errno) in try r.take(UInt32.self) }
        gid = try Self.optional(&reader) { (r) throws(Errno) in try r.take(UInt32.self) }
        permissions = try Self.optional(&reader) { (r) throws(Errno) in try r.take(UInt16.self) }
        guard (permissions ?? 0) & ~0o7777 == 0 else { throw .EBADMSG }
        accessTime = try Self.time(&reader)
        modificationTime = try Self.time(&reader)
    }
    private static func optional<T>(_ reader: inout ByteReader, _ take: (inout ByteReader) throws(Errno) -> T) throws(Errno) -> T? {
        let isPresent = try reader.takeFlag()
        let value = try take(&reader)
        return isPresent ? value : nil
    }
    private static func time(_ reader: inout ByteReader) throws(Errno) -> HostNames.Time {
        switch try reader.take(UInt8.self) {
        case 0: return .omit
        case 1: return .now
        case 2: return .set(try Timespec(from: &reader))
        default: throw .EBADMSG
        }
    }
}

public struct ReadLinkRequest: GoferRequest {
    public static let type = MessageType.readLink
    public typealias Reply = ByteString
    public var target: NodeTarget
    public init(_ target: NodeTarget) { self.target = target }
    public func encode(into writer: inout ByteWriter) { writer.put(target) }
    public init(from reader: inout ByteReader) throws(Errno) { target = try reader.take() }
}

/// A chunk of a directory. `stream` none starts over; the reply's stream continues, and is none at the end.
public struct ListRequest: GoferRequest {
    public static let type = MessageType.list
    public typealias Reply = ListReply
    public var target: NodeTarget
    public var stream: NodeID
    /// Whose attributes come with the names.
    public var attributes: HandleWish
    /// A handle for the directory itself, with the first chunk.
    public var handles: HandleWish
    public init(_ target: NodeTarget, stream: NodeID = .none, attributes: HandleWish, handles: HandleWish = .none) {
        self.target = target
        self.stream = stream
        self.attributes = attributes
        self.handles = handles
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(target)
        writer.put(stream)
        writer.put(attributes)
        writer.put(handles)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        target = try reader.take()
        stream = try reader.take()
        attributes = try reader.take()
        handles = try reader.take()
    }
}
