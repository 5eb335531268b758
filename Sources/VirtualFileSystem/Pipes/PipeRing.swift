import LinuxABI
import Memory

/// The bytes in a pipe: a ring of pages, as Linux keeps them. Page granularity is visible to programs: a pipe is writable when a whole page is
/// free, a write of at most a page goes into one page or not at all (that is what makes PIPE_BUF atomic), and in packet mode each
/// page is one packet.
///
/// All pages lie in one array that grows with use, and an emptied ring starts over at its first page: short exchanges touch
/// one page and allocate nothing.
struct PipeRing {
    private struct Slot {
        var offset = 0
        var length = 0
        /// Written in packet mode: a read takes all of it, and later writes don't join it.
        var isPacket = false
    }

    static let pageSize = 4096

    private var slots: [Slot]
    private var storage: [UInt8] = []
    private var first = 0
    /// Pages in use.
    private(set) var used = 0
    /// Bytes in the pipe: FIONREAD.
    private(set) var byteCount = 0

    /// `pages` is a power of two.
    init(pages: Int) { slots = Array(repeating: Slot(), count: pages) }

    var pages: Int { slots.count }
    var isEmpty: Bool { used == 0 }
    var isFull: Bool { used == slots.count }
    var freePages: Int { slots.count - used }

    private func index(_ position: Int) -> Int { (first + position) & (slots.count - 1) }

    /// Drops the contents and the memory.
    mutating func clear() {
        self = PipeRing(pages: slots.count)
    }

    /// Changes the capacity. - Returns: false when more pages than that are in use.
    mutating func resize(pages: Int) -> Bool {
        guard used <= pages else { return false }
        var fresh = PipeRing(pages: pages)
        fresh.grow(to: used)
        for position in 0..<used {
            let slot = slots[index(position)]
            let source = index(position) * Self.pageSize + slot.offset
            let target = position * Self.pageSize
            for i in 0..<slot.length { fresh.storage[target + i] = storage[source + i] }
            fresh.slots[position] = Slot(offset: 0, length: slot.length, isPacket: slot.isPacket)
        }
        fresh.used = used
        fresh.byteCount = byteCount
        self = fresh
        return true
    }

    private mutating func grow(to pages: Int) {
        let missing = pages * Self.pageSize - storage.count
        if missing > 0 { storage.append(contentsOf: repeatElement(0, count: missing)) }
    }

    // MARK: writing

    /// Takes as much from `buffer` as there is room for, by the rules of pipe_write: the odd bytes join the last page if they all
    /// fit there; the rest fills fresh pages. Returns 0 when nothing fits.
    /// - Throws: EFAULT when the first byte cannot be read.
    mutating func write(_ buffer: inout IOBuffer, asPackets: Bool) throws(Errno) -> Int {
        var total = 0
        let odd = buffer.remaining & (Self.pageSize - 1)
        if odd != 0 && used > 0 {
            let last = index(used - 1)
            let end = slots[last].offset + slots[last].length
            if !slots[last].isPacket && end + odd <= Self.pageSize {
                let moved = try take(&buffer, at: last * Self.pageSize + end, count: odd)
                slots[last].length += moved
                byteCount += moved
                total = moved
                if moved < odd { return total }
            }
        }
        while buffer.remaining > 0 && used < slots.count {
            let next = index(used)
            let run = min(slots.count - next, slots.count - used, (buffer.remaining - 1) / Self.pageSize + 1)
            let wanted = min(buffer.remaining, run * Self.pageSize)
            grow(to: next + run)
            let moved: Int
            do {
                moved = try take(&buffer, at: next * Self.pageSize, count: wanted)
            } catch {
                if total > 0 { return total }
                throw error
            }
            add(moved, at: next, asPackets: asPackets)
            total += moved
            if moved < wanted { break }
        }
        return total
    }

    /// Marks `count` bytes from page `index` on as used.
    private mutating func add(_ count: Int, at index: Int, asPackets: Bool) {
        var left = count
        var next = index
        while left > 0 {
            let length = min(left, Self.pageSize)
            slots[next] = Slot(offset: 0, length: length, isPacket: asPackets)
            used += 1
            left -= length
            next += 1
        }
        byteCount += count
    }

    private mutating func take(_ buffer: inout IOBuffer, at offset: Int, count: Int) throws(Errno) -> Int {
        try buffer.take(into: &storage, at: offset, count: count)
    }

    /// Appends kernel bytes to fresh pages; the caller made sure that they fit.
    mutating func append(_ bytes: [UInt8]) {
        var position = 0
        while position < bytes.count && used < slots.count {
            let next = index(used)
            grow(to: next + 1)
            let length = min(bytes.count - position, Self.pageSize)
            for i in 0..<length { storage[next * Self.pageSize + i] = bytes[position + i] }
            add(length, at: next, asPackets: false)
            position += length
        }
    }

    // MARK: reading

    /// Moves bytes into `buffer` until it is full or the ring empty; of a packet, what does not fit is lost.
    /// - Throws: EFAULT when the first byte cannot be stored.
    mutating func read(_ buffer: inout IOBuffer) throws(Errno) -> Int {
        var total = 0
        while buffer.remaining > 0 && used > 0 {
            let slot = slots[first]
            let start = first * Self.pageSize + slot.offset
            let run = slot.isPacket ? slot.length : contiguousBytes()
            let wanted = min(run, buffer.remaining)
            let moved: Int
            do {
                moved = try buffer.put(storage, start..<start + wanted)
            } catch {
                if total > 0 { return total }
                throw error
            }
            total += moved
            if slot.isPacket {
                consume(slot.length)
                break
            }
            consume(moved)
            if moved < wanted { break }
        }
        return total
    }

    /// Bytes from the read position on that lie next to each other in storage.
    private func contiguousBytes() -> Int {
        var position = first
        var total = slots[first].length
        var seen = 1
        while seen < used && position + 1 < slots.count && slots[position].offset + slots[position].length == Self.pageSize {
            let next = slots[position + 1]
            guard next.offset == 0 && !next.isPacket else { break }
            total += next.length
            position += 1
            seen += 1
        }
        return total
    }

    /// Drops `count` bytes from the front.
    mutating func consume(_ count: Int) {
        var left = min(count, byteCount)
        byteCount -= left
        while left > 0 {
            let length = slots[first].length
            if left < length {
                slots[first].offset += left
                slots[first].length -= left
                return
            }
            left -= length
            used -= 1
            first = used == 0 ? 0 : index(1)
        }
    }

    /// A copy of the first `count` bytes, fewer if there are fewer. Packets count as plain bytes.
    func peek(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(min(count, byteCount))
        var left = count
        var position = 0
        while left > 0 && position < used {
            let slot = slots[index(position)]
            let start = index(position) * Self.pageSize + slot.offset
            let length = min(left, slot.length)
            result.append(contentsOf: storage[start..<start + length])
            left -= length
            position += 1
        }
        return result
    }
}
