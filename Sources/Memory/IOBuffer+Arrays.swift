import LinuxABI

/// Transfers between an `IOBuffer` and a part of a byte array, for files that keep their data in Swift arrays (pipes, sockets).
extension IOBuffer {
    /// Copies `bytes[range]` into the buffer, as much as fits. - Throws: EFAULT when nothing could be stored.
    public mutating func put(_ bytes: [UInt8], _ range: Range<Int>) throws(Errno) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        // SAFETY: the raw view of initialised UInt8 elements has no padding bytes; it is used only while `bytes` lives.
        return try put(unsafe bytes.span.bytes.extracting(range))
    }

    /// Copies up to `count` bytes of the buffer over `bytes` from `offset` on, within its bounds. - Throws: EFAULT when nothing could be read.
    public mutating func take(into bytes: inout [UInt8], at offset: Int, count: Int) throws(Errno) -> Int {
        precondition(offset >= 0 && count >= 0 && offset + count <= bytes.count)
        var span = bytes.mutableSpan
        // SAFETY: any byte written through the raw view is a valid UInt8; the view ends with this call, before `bytes` is used again.
        var view = unsafe span.mutableBytes
        var part = view._mutatingExtracting(offset..<offset + count)
        return try take(into: &part)
    }
}
