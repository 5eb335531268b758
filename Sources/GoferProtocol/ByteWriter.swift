/// Builds a message body: little-endian integers and counted byte strings.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init(reserving capacity: Int = 64) { bytes.reserveCapacity(capacity) }

    // One function for each width: a generic one is not specialised across modules, and messages are made on hot paths.
    public mutating func put(_ value: UInt8) { bytes.append(value) }
    public mutating func put(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value))
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
    }
    public mutating func put(_ value: UInt32) {
        var rest = value
        for _ in 0..<4 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
    public mutating func put(_ value: UInt64) {
        var rest = value
        for _ in 0..<8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
    public mutating func put(_ value: Int32) { put(UInt32(bitPattern: value)) }
    public mutating func put(_ value: Int64) { put(UInt64(bitPattern: value)) }
    public mutating func put(_ flag: Bool) { bytes.append(flag ? 1 : 0) }
    /// A byte string with a 32-bit count.
    public mutating func put(_ string: [UInt8]) {
        put(UInt32(truncatingIfNeeded: string.count))
        bytes.append(contentsOf: string)
    }
    /// A name with a 16-bit count.
    public mutating func put(name: [UInt8]) {
        put(UInt16(truncatingIfNeeded: name.count))
        bytes.append(contentsOf: name)
    }
    public mutating func put<T: WireValue>(_ value: T) { value.encode(into: &self) }

    /// Replaces 32 bits written earlier.
    public mutating func patch(at offset: Int, _ value: UInt32) {
        for index in 0..<4 where offset + index < bytes.count {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
        }
    }
}
