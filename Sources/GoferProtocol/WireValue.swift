import HostOS
import LinuxABI

/// A value with a place in a message.
public protocol WireValue: Sendable {
    func encode(into writer: inout ByteWriter)
    /// - Throws: EBADMSG.
    init(from reader: inout ByteReader) throws(Errno)
}

extension WireValue {
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        encode(into: &writer)
        return writer.bytes
    }
    /// The whole of `bytes`, no more and no less.
    public init(decoding bytes: [UInt8]) throws(Errno) { try self.init(decoding: ByteReader(bytes)) }
    public init(decoding source: ByteReader) throws(Errno) {
        var reader = source
        try self.init(from: &reader)
        try reader.finish()
    }
}

/// Nothing: the reply to requests that only succeed or fail.
public struct Empty: WireValue, Equatable {
    public init() {}
    public func encode(into writer: inout ByteWriter) {}
    public init(from reader: inout ByteReader) throws(Errno) {}
}

/// A string of bytes: a link's target, an attribute's value.
public struct ByteString: WireValue, Equatable {
    public var bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public func encode(into writer: inout ByteWriter) { writer.put(bytes) }
    public init(from reader: inout ByteReader) throws(Errno) { bytes = try reader.takeString(limit: ProtocolLimits.maximumValue) }
}

extension Timespec {
    func encode(into writer: inout ByteWriter) {
        writer.put(seconds)
        writer.put(UInt32(truncatingIfNeeded: nanoseconds))
    }
    init(from reader: inout ByteReader) throws(Errno) {
        let seconds = try reader.take(Int64.self)
        let nanoseconds = try reader.take(UInt32.self)
        guard nanoseconds < 1_000_000_000 else { throw .EBADMSG }
        self.init(seconds: seconds, nanoseconds: Int64(nanoseconds))
    }
}

extension HostFileStatus: WireValue {
    public func encode(into writer: inout ByteWriter) {
        writer.put(device.encoded)
        writer.put(inode)
        writer.put(mode.rawValue)
        writer.put(linkCount)
        writer.put(uid)
        writer.put(gid)
        writer.put(specialDevice.encoded)
        writer.put(size)
        writer.put(blockSize)
        writer.put(blocks)
        accessTime.encode(into: &writer)
        modificationTime.encode(into: &writer)
        changeTime.encode(into: &writer)
        writer.put(birthTime != nil)
        (birthTime ?? Timespec()).encode(into: &writer)
    }

    public init(from reader: inout ByteReader) throws(Errno) {
        self.init()
        device = DeviceNumber(encoded: try reader.take())
        inode = try reader.take()
        mode = FileMode(rawValue: try reader.take())
        guard mode.type != nil else { throw .EBADMSG }
        linkCount = try reader.take()
        uid = try reader.take()
        gid = try reader.take()
        specialDevice = DeviceNumber(encoded: try reader.take())
        size = try reader.take()
        // A file position is a signed 64-bit number: no file is larger.
        guard size <= UInt64(Int64.max) else { throw .EBADMSG }
        blockSize = try reader.take()
        blocks = try reader.take()
        accessTime = try Timespec(from: &reader)
        modificationTime = try Timespec(from: &reader)
        changeTime = try Timespec(from: &reader)
        let hasBirth = try reader.takeFlag()
        let birth = try Timespec(from: &reader)
        birthTime = hasBirth ? birth : nil
    }
}

extension HostFileSystemStatus: WireValue {
    public func encode(into writer: inout ByteWriter) {
        for value in [magic, blockSize, blocks, freeBlocks, availableBlocks, files, freeFiles, nameLength] { writer.put(value) }
    }
    public init(from reader: inout ByteReader) throws(Errno) {
        self.init()
        magic = try reader.take()
        blockSize = try reader.take()
        blocks = try reader.take()
        freeBlocks = try reader.take()
        availableBlocks = try reader.take()
        files = try reader.take()
        freeFiles = try reader.take()
        nameLength = try reader.take()
    }
}
