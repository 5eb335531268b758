import LinuxABI
import Memory

/// A growing ring of bytes.
struct ByteRing {
    private var storage: [UInt8] = []
    private var first = 0
    private(set) var count = 0

    /// Takes up to `wanted` bytes from `buffer`. - Throws: EFAULT when none could be read.
    mutating func append(_ buffer: inout IOBuffer, _ wanted: Int) throws(Errno) -> Int {
        if wanted == 0 { return 0 }
        reserve(count + wanted)
        var total = 0
        while total < wanted {
            let start = (first + count) & (storage.count - 1)
            let run = min(wanted - total, storage.count - start)
            let moved: Int
            do {
                moved = try buffer.take(into: &storage, at: start, count: run)
            } catch {
                if total > 0 { break }
                throw error
            }
            count += moved
            total += moved
            if moved < run { break }
        }
        return total
    }

    /// Puts up to `wanted` bytes from `offset` on into `buffer`, and leaves them here. - Throws: EFAULT when none could be stored.
    func copy(from offset: Int, _ wanted: Int, to buffer: inout IOBuffer) throws(Errno) -> Int {
        var total = 0
        let wanted = min(wanted, count - offset, buffer.remaining)
        while total < wanted {
            let start = (first + offset + total) & (storage.count - 1)
            let run = min(wanted - total, storage.count - start)
            let moved: Int
            do {
                moved = try buffer.put(storage, start..<start + run)
            } catch {
                if total > 0 { break }
                throw error
            }
            total += moved
            if moved < run { break }
        }
        return total
    }

    /// Takes back the last `wanted` bytes: a message whose source faulted half-way.
    mutating func removeLast(_ wanted: Int) { count -= min(wanted, count) }

    mutating func removeFirst(_ wanted: Int) {
        let dropped = min(wanted, count)
        count -= dropped
        // An empty ring starts over, so that short exchanges stay in the same cache lines.
        first = count == 0 ? 0 : (first + dropped) & (storage.count - 1)
        // Large buffers are given back when idle.
        if count == 0 && storage.count > 65536 { storage = [] }
    }

    mutating func removeAll() {
        storage = []
        first = 0
        count = 0
    }

    private mutating func reserve(_ capacity: Int) {
        if capacity <= storage.count { return }
        var size = max(512, storage.count)
        while size < capacity { size *= 2 }
        var fresh: [UInt8] = []
        fresh.reserveCapacity(size)
        let head = min(count, storage.count - first)
        fresh.append(contentsOf: storage[first..<first + head])
        fresh.append(contentsOf: storage[0..<count - head])
        fresh.append(contentsOf: repeatElement(0, count: size - count))
        storage = fresh
        first = 0
    }
}
