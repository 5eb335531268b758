import HostOS
import LinuxABI

/// Opens regular files of one directory for reading and donates their descriptors: what `OpenFileRequest` does, for several names in one message.
/// The first is the one that somebody waits for; the others are likely to be opened next.
public struct OpenSeveralRequest: GoferRequest {
    public static let type = MessageType.openSeveral
    public typealias Reply = OpenSeveralReply
    public static func donations(of reply: OpenSeveralReply) -> Int { reply.files.count { $0.error == nil } }
    public var directory: NodeID
    public var handles: HandleWish
    public var names: [[UInt8]]
    public init(directory: NodeID, handles: HandleWish, names: [[UInt8]]) {
        self.directory = directory
        self.handles = handles
        self.names = names
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(handles)
        writer.put(names: names)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        handles = try reader.take()
        names = try reader.takeNames(limit: ProtocolLimits.maximumOpens)
    }
}

/// For each name of the request what became of it, in the same order. The descriptors are those of the files that could be opened.
public struct OpenSeveralReply: WireValue, Equatable {
    public struct File: Sendable, Equatable {
        public var error: Errno?
        /// Meaningful without an error only.
        public var node: NodeReply
        public init(_ node: NodeReply) { self.node = node }
        public init(_ error: Errno) {
            self.error = error
            node = NodeReply(node: .none, status: HostFileStatus())
        }
    }
    public var files: [File]
    public init(files: [File]) { self.files = files }
    public func encode(into writer: inout ByteWriter) {
        writer.put(UInt16(truncatingIfNeeded: files.count))
        for file in files {
            writer.put(file.error?.rawValue ?? 0)
            if file.error == nil { writer.put(file.node) }
        }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        let count = Int(try reader.take(UInt16.self))
        guard count <= ProtocolLimits.maximumOpens else { throw .EBADMSG }
        files = []
        for _ in 0..<count {
            let error = try reader.take(Int32.self)
            guard error >= 0, error < 512 else { throw .EBADMSG }
            files.append(error == 0 ? File(try reader.take(NodeReply.self)) : File(Errno(rawValue: error)))
        }
    }
}

/// The names of the extended attributes of several entries of a directory, links themselves included.
public struct AttributeNamesRequest: GoferRequest {
    public static let type = MessageType.attributeNames
    public typealias Reply = AttributeNamesReply
    public var directory: NodeID
    public var names: [[UInt8]]
    public init(directory: NodeID, names: [[UInt8]]) {
        self.directory = directory
        self.names = names
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(directory)
        writer.put(names: names)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        directory = try reader.take()
        names = try reader.takeNames(limit: ProtocolLimits.maximumCount)
    }
}

/// For the first of the request's names, as many as fit: each attribute's name followed by a NUL, or nil where they could not be read.
public struct AttributeNamesReply: WireValue, Equatable {
    public var lists: [[UInt8]?]
    public init(lists: [[UInt8]?]) { self.lists = lists }
    public func encode(into writer: inout ByteWriter) {
        writer.put(UInt16(truncatingIfNeeded: lists.count))
        for list in lists {
            writer.put(list != nil)
            if let list { writer.put(list) }
        }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        let count = Int(try reader.take(UInt16.self))
        guard count <= ProtocolLimits.maximumCount else { throw .EBADMSG }
        lists = []
        lists.reserveCapacity(count)
        for _ in 0..<count { lists.append(try reader.takeFlag() ? try reader.takeString(limit: ProtocolLimits.maximumValue) : nil) }
    }
}

extension ByteWriter {
    /// Names with a 16-bit count.
    mutating func put(names: [[UInt8]]) {
        put(UInt16(truncatingIfNeeded: names.count))
        for name in names { put(name: name) }
    }
}

extension ByteReader {
    /// At least one name and `limit` at most, each a component.
    mutating func takeNames(limit: Int) throws(Errno) -> [[UInt8]] {
        let count = Int(try take(UInt16.self))
        guard count >= 1, count <= limit else { throw .EBADMSG }
        var names: [[UInt8]] = []
        names.reserveCapacity(count)
        for _ in 0..<count { names.append(try takeName()) }
        return names
    }
}
