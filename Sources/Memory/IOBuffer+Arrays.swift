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

/// Fixed-size values, for files that transfer records (eventfd, signalfd, timerfd).
extension IOBuffer {
    /// Copies `value` into the buffer, which must have room for it. - Throws: EFAULT when not all of it could be stored.
    public mutating func put<T: GuestData>(value: T) throws(Errno) {
        var copy = value
        var moved = 0
        // SAFETY: the span covers the local `copy`, all of it initialised, and ends with the closure.
        try unsafe withUnsafeBytes(of: &copy) { bytes throws(Errno) in
            moved = try put(unsafe RawSpan(_unsafeBytes: bytes))
        }
        if moved != MemoryLayout<T>.size { throw .EFAULT }
    }

    /// Copies a value out of the buffer, which must hold it. - Throws: EFAULT when not all of it could be read.
    public mutating func takeValue<T: GuestData>(_ type: T.Type) throws(Errno) -> T {
        var value = T()
        var moved = 0
        // SAFETY: the span covers the local `value`, for which every bit pattern is valid, and ends with the closure.
        try unsafe withUnsafeMutableBytes(of: &value) { bytes throws(Errno) in
            var span = unsafe MutableRawSpan(_unsafeBytes: bytes)
            moved = try take(into: &span)
        }
        if moved != MemoryLayout<T>.size { throw .EFAULT }
        return value
    }
}
