import HostOS
import LinuxABI

/// One `struct iovec`.
public struct IOVector: GuestData {
    public var base: GuestAddress
    public var length: UInt64
    public init() { self.init(base: .null, length: 0) }
    public init(base: GuestAddress, length: UInt64) {
        self.base = base
        self.length = length
    }
}

/// The memory that a read fills or a write drains: guest memory (one range or a vector) or the kernel's own bytes. It has a cursor:
/// every `put` and `take` advances it. File implementations see only this type, never addresses.
///
/// A fault in the middle leaves the bytes before it transferred: `put` and `take` return how much they moved, and throw EFAULT
/// only when they moved nothing.
///
/// No lock that `MemoryMappable.backing` takes may be held during a call: the copy may fault on a mapping of the same file.
public struct IOBuffer {
    enum Storage {
        case range(AddressSpace, GuestAddress)
        /// `index` and `offset` are the cursor.
        case vector(AddressSpace, [IOVector], index: Int, offset: UInt64)
        /// Filled by `put`.
        case sink([UInt8])
        /// Drained by `take` from `position` on.
        case source([UInt8], position: Int)
    }
    var storage: Storage

    /// A guest range; `length` was bounded by the caller (MAX_RW_COUNT).
    public init(_ space: AddressSpace, _ address: GuestAddress, _ length: Int) {
        storage = .range(space, address)
        remaining = max(0, length)
    }
    /// A guest vector, bounds checked by the caller.
    public init(_ space: AddressSpace, _ vectors: [IOVector]) {
        storage = .vector(space, vectors, index: 0, offset: 0)
        var total: UInt64 = 0
        for vector in vectors { total = total.addingReportingOverflow(vector.length).overflow ? .max : total + vector.length }
        remaining = Int(min(total, UInt64(Int.max)))
    }
    /// Kernel bytes to be filled by a read, `capacity` at most.
    public init(kernelCapacity capacity: Int) {
        storage = .sink([])
        remaining = max(0, capacity)
    }
    /// Kernel bytes to be drained by a write.
    public init(kernelBytes: [UInt8]) {
        storage = .source(kernelBytes, position: 0)
        remaining = kernelBytes.count
    }

    /// Bytes left in the buffer.
    public private(set) var remaining: Int
    /// Bytes moved so far.
    public private(set) var transferred: Int = 0
    /// For a kernel buffer: what was put into it.
    public var kernelBytes: [UInt8] {
        switch storage {
        case .sink(let bytes), .source(let bytes, _): bytes
        case .range, .vector: []
        }
    }

    /// Limits what is left to `count`.
    public mutating func truncate(to count: Int) { remaining = min(remaining, max(0, count)) }

    // MARK: the cursor

    /// The guest range at the cursor, `limit` bytes at most; nil when nothing is left.
    func front(_ limit: Int) -> (space: AddressSpace, address: GuestAddress, count: Int)? {
        let wanted = min(limit, remaining)
        guard wanted > 0 else { return nil }
        switch storage {
        case .range(let space, let address): return (space, address, wanted)
        case .vector(let space, let vectors, let index, let offset):
            var i = index
            var skipped = offset
            while i < vectors.count {
                let left = vectors[i].length - skipped
                if left > 0 { return (space, vectors[i].base + skipped, Int(min(UInt64(wanted), left))) }
                i += 1
                skipped = 0
            }
            return nil
        case .sink, .source: return nil
        }
    }

    /// Moves the cursor over `count` bytes that were transferred.
    mutating func advance(_ count: Int) {
        remaining -= count
        transferred += count
        switch storage {
        case .range(let space, let address): storage = .range(space, address + count)
        case .vector(let space, let vectors, var index, var offset):
            var left = UInt64(count)
            while index < vectors.count {
                let room = vectors[index].length - offset
                if left < room {
                    offset += left
                    break
                }
                left -= room
                index += 1
                offset = 0
            }
            storage = .vector(space, vectors, index: index, offset: offset)
        case .sink: break
        case .source(let bytes, let position): storage = .source(bytes, position: position + count)
        }
    }

    /// Runs `move` on guest range after guest range until `count` bytes are moved or one moves less than asked.
    private mutating func eachRange(
        _ count: Int, _ move: (AddressSpace, GuestAddress, _ from: Int, _ count: Int) -> Int
    ) throws(Errno) -> Int {
        var done = 0
        while done < count, let (space, address, size) = front(count - done) {
            let moved = move(space, address, done, size)
            advance(moved)
            done += moved
            if moved < size {
                if done == 0 { throw .EFAULT }
                break
            }
        }
        return done
    }

    private mutating func append(_ count: Int, _ body: (inout [UInt8]) -> Void) {
        guard case .sink(var bytes) = storage else { return }
        storage = .sink([])
        body(&bytes)
        storage = .sink(bytes)
        advance(count)
    }

    // MARK: put, for read(2)

    /// Copies from `bytes` into the buffer, as much as fits.
    public mutating func put(_ bytes: RawSpan) throws(Errno) -> Int {
        let count = min(bytes.byteCount, remaining)
        switch storage {
        case .range, .vector:
            return try eachRange(count) { space, address, from, size in
                space.transferOut(bytes.extracting(from..<(from + size)), to: address)
            }
        case .sink:
            append(count) { sink in
                // SAFETY: the span lives through the call.
                unsafe bytes.withUnsafeBytes { unsafe sink.append(contentsOf: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
            }
            return count
        case .source: throw .EINVAL
        }
    }

    public mutating func put(_ bytes: [UInt8]) throws(Errno) -> Int {
        // SAFETY: bytes have no padding.
        try unsafe put(bytes.span.bytes)
    }

    public mutating func putZeroes(_ count: Int) throws(Errno) -> Int {
        let count = min(max(0, count), remaining)
        switch storage {
        case .range, .vector:
            return try eachRange(count) { space, address, _, size in
                Int(space.withState { $0.zero(address.rawValue, count: UInt64(size)) })
            }
        case .sink:
            append(count) { $0.append(contentsOf: repeatElement(0, count: count)) }
            return count
        case .source: throw .EINVAL
        }
    }

    /// From the memory file; the caller keeps the range allocated.
    public mutating func put(_ memoryFile: MemoryFile, offset: UInt64, count: Int) throws(Errno) -> Int {
        let count = min(max(0, count), remaining)
        guard count > 0 else { return 0 }
        switch storage {
        case .range, .vector:
            return try eachRange(count) { space, address, from, size in
                memoryFile.withBytes(offset + UInt64(from), size) { space.transferOut($0, to: address) }
            }
        case .sink:
            append(count) { sink in
                memoryFile.withBytes(offset, count) { bytes in
                    // SAFETY: the span lives through the call.
                    unsafe bytes.withUnsafeBytes { unsafe sink.append(contentsOf: $0) }
                }
            }
            return count
        case .source: throw .EINVAL
        }
    }

    // MARK: take, for write(2)

    /// Copies up to `count` bytes out of the buffer.
    public mutating func take(_ count: Int) throws(Errno) -> [UInt8] {
        let count = min(max(0, count), remaining)
        guard count > 0 else { return [] }
        if case .source(let bytes, let position) = storage {
            advance(count)
            return Array(bytes[position..<(position + count)])
        }
        var result = [UInt8](repeating: 0, count: count)
        var elements = result.mutableSpan
        // SAFETY: bytes have no padding.
        var span = unsafe elements.mutableBytes
        let moved = try take(into: &span)
        if moved < count { result.removeSubrange(moved...) }
        return result
    }

    public mutating func take(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        let count = min(bytes.byteCount, remaining)
        switch storage {
        case .range, .vector:
            var done = 0
            while done < count, let (space, address, size) = front(count - done) {
                let moved = space.transferIn(address, into: &bytes, at: done, count: size)
                advance(moved)
                done += moved
                if moved < size {
                    if done == 0 { throw .EFAULT }
                    break
                }
            }
            return done
        case .source(let source, let position):
            // SAFETY: both lie within bounds by the choice of `count`.
            unsafe source.withUnsafeBytes { from in
                unsafe bytes.withUnsafeMutableBytes { to in
                    unsafe to.copyMemory(from: UnsafeRawBufferPointer(rebasing: from[position..<(position + count)]))
                }
            }
            advance(count)
            return count
        case .sink: throw .EINVAL
        }
    }

    /// Into the memory file; the caller keeps the range allocated.
    public mutating func take(into memoryFile: MemoryFile, offset: UInt64, count: Int) throws(Errno) -> Int {
        let count = min(max(0, count), remaining)
        guard count > 0 else { return 0 }
        var taken = self
        let result: Result<Int, Errno> = memoryFile.withMutableBytes(offset, count) { span in
            do throws(Errno) { return .success(try taken.take(into: &span)) } catch { return .failure(error) }
        }
        self = taken
        return try result.get()
    }
}
