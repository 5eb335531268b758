/// Bytes in order of arrival.
struct ByteQueue: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }
    mutating func append(contentsOf more: [UInt8]) { bytes.append(contentsOf: more) }
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 4096)
        start = 0
    }
    mutating func removeFirst() -> UInt8? {
        guard start < bytes.count else { return nil }
        defer { advance(1) }
        return bytes[start]
    }
    /// Up to `limit` bytes from the front.
    mutating func removeFirst(_ limit: Int) -> [UInt8] {
        let count = min(max(0, limit), count)
        defer { advance(count) }
        return Array(bytes[start..<start + count])
    }
    private mutating func advance(_ count: Int) {
        start += count
        if start == bytes.count {
            removeAll()
        } else if start > 65536 {
            bytes.removeFirst(start)
            start = 0
        }
    }
}
