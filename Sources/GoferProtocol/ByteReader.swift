import LinuxABI

/// Takes a message body apart. Every read is checked against the end; the writer of the bytes is not trusted.
public struct ByteReader: Sendable {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }
    /// Reads `range` of `bytes`, clamped to what there is.
    public init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = min(max(0, range.lowerBound), bytes.count)
        end = min(max(position, range.upperBound), bytes.count)
    }

    public var remaining: Int { end - position }

    /// - Throws: EBADMSG when the body is too short.
    private mutating func integer(_ size: Int) throws(Errno) -> UInt64 {
        guard remaining >= size else { throw .EBADMSG }
        var value: UInt64 = 0
        var index = size
        while index > 0 {
            index -= 1
            value = value << 8 | UInt64(bytes[position + index])
        }
        position += size
        return value
    }
    // One function for each width: a generic one is not specialised across modules.
    public mutating func take(_ type: UInt8.Type = UInt8.self) throws(Errno) -> UInt8 { UInt8(truncatingIfNeeded: try integer(1)) }
    public mutating func take(_ type: UInt16.Type = UInt16.self) throws(Errno) -> UInt16 { UInt16(truncatingIfNeeded: try integer(2)) }
    public mutating func take(_ type: UInt32.Type = UInt32.self) throws(Errno) -> UInt32 { UInt32(truncatingIfNeeded: try integer(4)) }
    public mutating func take(_ type: UInt64.Type = UInt64.self) throws(Errno) -> UInt64 { try integer(8) }
    public mutating func take(_ type: Int32.Type = Int32.self) throws(Errno) -> Int32 { Int32(truncatingIfNeeded: try integer(4)) }
    public mutating func take(_ type: Int64.Type = Int64.self) throws(Errno) -> Int64 { Int64(bitPattern: try integer(8)) }
    public mutating func takeFlag() throws(Errno) -> Bool {
        switch try take(UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw .EBADMSG
        }
    }
    public mutating func takeBytes(_ count: Int) throws(Errno) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw .EBADMSG }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }
    /// A byte string with a 32-bit count of at most `limit`.
    public mutating func takeString(limit: Int) throws(Errno) -> [UInt8] {
        let count = Int(try take(UInt32.self))
        guard count <= limit else { throw .EBADMSG }
        return try takeBytes(count)
    }
    /// A path component: 1 to 255 bytes without `/` and NUL, neither `.` nor `..`.
    public mutating func takeName() throws(Errno) -> [UInt8] {
        let name = try takeBytes(Int(try take(UInt16.self)))
        guard NameRule.isComponent(name) else { throw .EBADMSG }
        return name
    }
    /// A component, or empty.
    public mutating func takeOptionalName() throws(Errno) -> [UInt8] {
        let name = try takeBytes(Int(try take(UInt16.self)))
        guard name.isEmpty || NameRule.isComponent(name) else { throw .EBADMSG }
        return name
    }
    public mutating func take<T: WireValue>(_ type: T.Type = T.self) throws(Errno) -> T { try T(from: &self) }
    /// - Throws: EBADMSG when bytes are left over.
    public func finish() throws(Errno) {
        if remaining != 0 { throw .EBADMSG }
    }
}

/// What a name in a message may be.
public enum NameRule {
    public static func isComponent(_ name: [UInt8]) -> Bool {
        guard name.count >= 1, name.count <= 255 else { return false }
        if name[0] == 0x2e && (name.count == 1 || (name.count == 2 && name[1] == 0x2e)) { return false }
        return isPlain(name) && !name.contains(0x2f)
    }
    /// Without NUL: what a C string can hold.
    public static func isPlain(_ bytes: [UInt8]) -> Bool { !bytes.contains(0) }
}
