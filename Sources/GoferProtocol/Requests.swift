import HostOS
import LinuxABI

/// A message from the client. Its reply is of type `Reply`, or an errno.
public protocol GoferRequest: WireValue {
    associatedtype Reply: WireValue
    static var type: MessageType { get }
    /// Descriptors that a successful reply carries, where all carry the same number.
    static var donates: Int { get }
    /// Descriptors that this reply carries.
    static func donations(of reply: Reply) -> Int
}

extension GoferRequest {
    public static var donates: Int { 0 }
    public static func donations(of reply: Reply) -> Int { donates }
}

/// The handle of a grant's root.
public struct AttachRequest: GoferRequest {
    public static let type = MessageType.attach
    public typealias Reply = NodeReply
    public var grant: UInt32
    /// Directories found get a watch in the change queue, before they are looked at.
    public var watches: Bool
    public init(grant: UInt32, watches: Bool = false) {
        self.grant = grant
        self.watches = watches
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(grant)
        writer.put(watches)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        grant = try reader.take()
        watches = try reader.takeFlag()
    }
}

/// Walks along names from a directory. It stops behind a symbolic link, which the client follows itself, and at the first error.
public struct WalkRequest: GoferRequest {
    public static let type = MessageType.walk
    public typealias Reply = WalkReply
    public var node: NodeID
    public var handles: HandleWish
    /// Directories found that get a handle get a watch in the change queue, before anything in them is looked at.
    public var watches: Bool
    public var names: [[UInt8]]
    public init(node: NodeID, handles: HandleWish, watches: Bool = false, names: [[UInt8]]) {
        self.node = node
        self.handles = handles
        self.watches = watches
        self.names = names
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(handles)
        writer.put(watches)
        writer.put(names: names)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        handles = try reader.take()
        watches = try reader.takeFlag()
        names = try reader.takeNames(limit: ProtocolLimits.maximumCount)
    }
}

/// Gives handles and directory streams back. Unknown ones are ignored.
public struct CloseRequest: GoferRequest {
    public static let type = MessageType.close
    public typealias Reply = Empty
    public var nodes: [NodeID]
    public init(nodes: [NodeID]) { self.nodes = nodes }
    public func encode(into writer: inout ByteWriter) {
        writer.put(UInt16(truncatingIfNeeded: nodes.count))
        for node in nodes { writer.put(node) }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        let count = Int(try reader.take(UInt16.self))
        guard count <= ProtocolLimits.maximumCount else { throw .EBADMSG }
        nodes = []
        for _ in 0..<count { nodes.append(try reader.take()) }
    }
}

/// Attributes; with a name, also whether the entry still exists.
public struct GetAttributesRequest: GoferRequest {
    public static let type = MessageType.getAttributes
    public typealias Reply = HostFileStatus
    public var target: NodeTarget
    public init(_ target: NodeTarget) { self.target = target }
    public func encode(into writer: inout ByteWriter) { writer.put(target) }
    public init(from reader: inout ByteReader) throws(Errno) { target = try reader.take() }
}

/// Opens a regular file and donates the descriptor. With a name it is walk, open and stat in one.
public struct OpenFileRequest: GoferRequest {
    public static let type = MessageType.open
    public static let donates = 1
    public typealias Reply = NodeReply
    public var target: NodeTarget
    public var access: OpenAccess
    public var handles: HandleWish
    public init(_ target: NodeTarget, _ access: OpenAccess, handles: HandleWish = .none) {
        self.target = target
        self.access = access
        self.handles = handles
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(target)
        writer.put(access)
        writer.put(handles)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        target = try reader.take()
        access = try reader.take()
        handles = try reader.take()
    }
}

/// Makes a regular file, which must not exist, opens it for reading and writing, and donates the descriptor.
public struct CreateRequest: GoferRequest {
    public static let type = MessageType.create
    public static let donates = 1
    public typealias Reply = NodeReply
    public var directory: NodeID
    public var name: [UInt8]
    public var attributes: NewNodeAttributes
    public init(directory: NodeID, name: [UInt8], attributes: NewNodeAttributes) {
        self.directory = directory
        self.name = name
        self.attributes = attributes
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(name: name)
        writer.put(attributes)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        name = try reader.takeName()
        attributes = try reader.take()
    }
}

/// Makes a directory, a FIFO or a symbolic link.
public struct MakeNodeRequest: GoferRequest {
    public static let type = MessageType.makeNode
    public typealias Reply = NodeReply
    public enum Kind: UInt8, Sendable {
        case directory = 1
        case fifo = 2
        case symbolicLink = 3
    }
    public var directory: NodeID
    public var name: [UInt8]
    public var kind: Kind
    public var attributes: NewNodeAttributes
    /// Of a symbolic link; empty otherwise.
    public var link: [UInt8]
    /// A new directory gets a watch in the change queue.
    public var watches: Bool
    public init(directory: NodeID, name: [UInt8], kind: Kind, attributes: NewNodeAttributes, link: [UInt8] = [], watches: Bool = false) {
        self.watches = watches
        self.directory = directory
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.link = link
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(name: name)
        writer.put(kind.rawValue)
        writer.put(attributes)
        writer.put(link)
        writer.put(watches)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        name = try reader.takeName()
        guard let kind = Kind(rawValue: try reader.take()) else { throw .EBADMSG }
        self.kind = kind
        attributes = try reader.take()
        link = try reader.takeString(limit: ProtocolLimits.maximumLink)
        guard NameRule.isPlain(link), link.isEmpty == (kind != .symbolicLink) else { throw .EBADMSG }
        watches = try reader.takeFlag()
    }
}

/// Makes an unnamed regular file (O_TMPFILE), open for reading and writing, and donates the descriptor.
public struct TemporaryFileRequest: GoferRequest {
    public static let type = MessageType.temporaryFile
    public static let donates = 1
    public typealias Reply = NodeReply
    public var directory: NodeID
    public var attributes: NewNodeAttributes
    public init(directory: NodeID, attributes: NewNodeAttributes) {
        self.directory = directory
        self.attributes = attributes
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(attributes)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        attributes = try reader.take()
    }
}
