import LinuxABI

/// A node handle: chosen by the Gofer, ever increasing, never used twice. 0 is no handle.
public struct NodeID: Hashable, Sendable, WireValue {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let none = NodeID(rawValue: 0)
    public func encode(into writer: inout ByteWriter) { writer.put(rawValue) }
    public init(from reader: inout ByteReader) throws(Errno) { rawValue = try reader.take() }
}

/// What a request is about: a node itself, or the entry `name` of a directory node. Naming a child saves the client a handle.
public struct NodeTarget: Hashable, Sendable, WireValue {
    public var node: NodeID
    /// Empty: the node itself.
    public var name: [UInt8]
    public init(_ node: NodeID, _ name: [UInt8] = []) {
        self.node = node
        self.name = name
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(name: name)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        name = try reader.takeOptionalName()
    }
}

/// Which results come with a handle that the client must close, or with attributes.
public enum HandleWish: UInt8, Sendable, WireValue {
    case none = 0
    case directories = 1
    case all = 2
    public func encode(into writer: inout ByteWriter) { writer.put(rawValue) }
    public init(from reader: inout ByteReader) throws(Errno) {
        guard let value = HandleWish(rawValue: try reader.take()) else { throw .EBADMSG }
        self = value
    }
}

/// Access of a donated descriptor.
public enum OpenAccess: UInt8, Sendable, WireValue {
    case read = 0
    case write = 1
    case readWrite = 2
    public func encode(into writer: inout ByteWriter) { writer.put(rawValue) }
    public init(from reader: inout ByteReader) throws(Errno) {
        guard let value = OpenAccess(rawValue: try reader.take()) else { throw .EBADMSG }
        self = value
    }
    public var flags: OpenFlags {
        switch self {
        case .read: []
        case .write: .writeOnly
        case .readWrite: .readWrite
        }
    }
}

/// Owner and permissions of a new node.
public struct NewNodeAttributes: Sendable, WireValue, Equatable {
    public var permissions: UInt16
    public var uid: UInt32
    public var gid: UInt32
    public init(permissions: UInt16, uid: UInt32, gid: UInt32) {
        self.permissions = permissions
        self.uid = uid
        self.gid = gid
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(permissions)
        writer.put(uid)
        writer.put(gid)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        permissions = try reader.take()
        guard permissions & ~0o7777 == 0 else { throw .EBADMSG }
        uid = try reader.take()
        gid = try reader.take()
    }
}
