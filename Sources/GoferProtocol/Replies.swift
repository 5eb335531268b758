import HostOS
import LinuxABI

/// The Gofer's first message, unasked.
public struct Hello: WireValue, Equatable {
    /// The version of Landlock that limits the Gofer, 0 for none.
    public var landlock: UInt32
    /// Handles that the Gofer can hold at a time.
    public var nodeLimit: UInt32
    /// For each grant 0, or the errno that opening it failed with.
    public var grants: [Int32]
    public init(landlock: UInt32, nodeLimit: UInt32, grants: [Int32]) {
        self.landlock = landlock
        self.nodeLimit = nodeLimit
        self.grants = grants
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(landlock)
        writer.put(nodeLimit)
        writer.put(UInt16(truncatingIfNeeded: grants.count))
        for status in grants { writer.put(status) }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        landlock = try reader.take()
        nodeLimit = try reader.take()
        let count = Int(try reader.take(UInt16.self))
        grants = []
        for _ in 0..<count {
            let status = try reader.take(Int32.self)
            guard status >= 0, status < 512 else { throw .EBADMSG }
            grants.append(status)
        }
    }
}

/// A node: its handle, when one was wished, and attributes.
public struct NodeReply: WireValue, Equatable {
    public var node: NodeID
    public var status: HostFileStatus
    /// Number of the directory's watch in the change queue; 0 when it has none.
    public var watch: Int32
    public init(node: NodeID, status: HostFileStatus, watch: Int32 = 0) {
        self.node = node
        self.status = status
        self.watch = watch
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(node)
        writer.put(status)
        writer.put(watch)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        node = try reader.take()
        status = try reader.take()
        watch = try reader.take()
        guard watch >= 0 else { throw .EBADMSG }
    }
}

/// The nodes along a walk, as far as it came.
public struct WalkReply: WireValue, Equatable {
    /// What stopped the walk before its end: 0 (done, or at a symbolic link), or an errno.
    public var stopped: Int32
    public var nodes: [NodeReply]
    /// Where the symbolic link leads that the walk stopped at.
    public var link: [UInt8]
    public init(stopped: Int32, nodes: [NodeReply], link: [UInt8] = []) {
        self.stopped = stopped
        self.nodes = nodes
        self.link = link
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(stopped)
        writer.put(link)
        writer.put(UInt16(truncatingIfNeeded: nodes.count))
        for node in nodes { writer.put(node) }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        stopped = try reader.take()
        guard stopped >= 0, stopped < 512 else { throw .EBADMSG }
        link = try reader.takeString(limit: ProtocolLimits.maximumLink)
        guard NameRule.isPlain(link) else { throw .EBADMSG }
        let count = Int(try reader.take(UInt16.self))
        guard count <= ProtocolLimits.maximumCount else { throw .EBADMSG }
        nodes = []
        for _ in 0..<count { nodes.append(try reader.take()) }
    }
}

public struct ListedEntry: WireValue, Equatable {
    public var name: [UInt8]
    public var inode: UInt64
    /// `d_type`; 0 when unknown.
    public var type: UInt8
    /// Nil when not asked for, or when the entry vanished or could not be looked at.
    public var status: HostFileStatus?
    /// Where a symbolic link leads, when attributes were asked for and it is short; else empty.
    public var link: [UInt8]
    public init(name: [UInt8], inode: UInt64, type: UInt8, status: HostFileStatus?, link: [UInt8] = []) {
        self.link = link
        self.name = name
        self.inode = inode
        self.type = type
        self.status = status
    }
    /// The most that one entry takes in a message.
    public static let maximumSize = 400 + maximumLink
    public static let maximumLink = 400

    public func encode(into writer: inout ByteWriter) {
        writer.put(name: name)
        writer.put(inode)
        writer.put(type)
        writer.put(status != nil)
        if let status { writer.put(status) }
        writer.put(link)
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        name = try reader.takeName()
        inode = try reader.take()
        type = try reader.take()
        status = try reader.takeFlag() ? try reader.take() : nil
        link = try reader.takeString(limit: Self.maximumLink)
        guard NameRule.isPlain(link) else { throw .EBADMSG }
    }
}

/// Entries of a directory, without `.` and `..`.
public struct ListReply: WireValue, Equatable {
    /// Where to continue; none at the end.
    public var stream: NodeID
    /// The directory's handle, when one was wished.
    public var node: NodeID
    /// Hide rules apply in the directory: what is not listed may be hidden.
    public var isFiltered: Bool
    public var entries: [ListedEntry]
    public init(stream: NodeID, node: NodeID, isFiltered: Bool = false, entries: [ListedEntry]) {
        self.isFiltered = isFiltered
        self.stream = stream
        self.node = node
        self.entries = entries
    }
    public func encode(into writer: inout ByteWriter) {
        writer.put(stream)
        writer.put(node)
        writer.put(isFiltered)
        writer.put(UInt32(truncatingIfNeeded: entries.count))
        for entry in entries { writer.put(entry) }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        stream = try reader.take()
        node = try reader.take()
        isFiltered = try reader.takeFlag()
        let count = Int(try reader.take(UInt32.self))
        // An entry takes 17 bytes at least.
        guard count <= reader.remaining / 17 else { throw .EBADMSG }
        entries = []
        entries.reserveCapacity(count)
        for _ in 0..<count { entries.append(try reader.take()) }
    }
}
