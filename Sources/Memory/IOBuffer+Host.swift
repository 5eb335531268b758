import Glibc
import HostOS
import LinuxABI

/// Transfers between the buffer and host descriptors, straight through the window: no copy, and no lock during the host's I/O. The
/// memory is pinned meanwhile: ranges that guests unmap are kept until it is over.
extension IOBuffer {
    /// Host files behind guest memory are copied through a buffer of this size.
    private static let bounceSize = 128 << 10

    /// preadv2(2) from a host descriptor straight into the buffer; offset -1 uses the descriptor's own position. Returns 0 at end of file.
    public mutating func fill(fromHost descriptor: Int32, offset: Int64, flags: Int32 = 0) throws(Errno) -> Int {
        if case .sink = storage { return try fillSink(descriptor, offset, flags) }
        return try unsafe transfer(offset, isWrite: true) { vectors, position throws(Errno) in
            try unsafe HostTransfer.read(descriptor, into: vectors, offset: position, flags: flags)
        } bounce: { buffer, space, address, count, position throws(Errno) in
            var bytes = [UInt8](repeating: 0, count: count)
            // SAFETY: the array lives through the call.
            let moved = try unsafe bytes.withUnsafeMutableBufferPointer { target throws(Errno) in
                guard let base = target.baseAddress else { return 0 }
                return try unsafe HostTransfer.read(descriptor, into: base, count: count, offset: position, flags: flags)
            }
            guard moved > 0 else { return 0 }
            // SAFETY: bytes have no padding.
            let stored = unsafe space.transferOut(bytes.span.bytes.extracting(0..<moved), to: address)
            guard stored > 0 else { throw .EFAULT }
            return stored
        }
    }

    /// pwritev2(2) from the buffer to a host descriptor.
    public mutating func drain(toHost descriptor: Int32, offset: Int64, flags: Int32 = 0) throws(Errno) -> Int {
        if case .source(let bytes, let position) = storage {
            guard remaining > 0 else { return 0 }
            // SAFETY: the array lives through the call.
            let moved = try unsafe bytes.withUnsafeBufferPointer { source throws(Errno) in
                guard let base = source.baseAddress else { return 0 }
                return try unsafe HostTransfer.write(
                    descriptor, from: base + position, count: remaining, offset: offset, flags: flags)
            }
            advance(moved)
            return moved
        }
        return try unsafe transfer(offset, isWrite: false) { vectors, position throws(Errno) in
            try unsafe HostTransfer.write(descriptor, from: vectors, offset: position, flags: flags)
        } bounce: { buffer, space, address, count, position throws(Errno) in
            var bytes = [UInt8](repeating: 0, count: count)
            var elements = bytes.mutableSpan
            // SAFETY: bytes have no padding.
            var span = unsafe elements.mutableBytes
            let loaded = space.transferIn(address, into: &span, at: 0, count: count)
            guard loaded > 0 else { throw .EFAULT }
            // SAFETY: the array lives through the call.
            return try unsafe bytes.withUnsafeBufferPointer { source throws(Errno) in
                guard let base = source.baseAddress else { return 0 }
                return try unsafe HostTransfer.write(descriptor, from: base, count: loaded, offset: position, flags: flags)
            }
        }
    }

    private mutating func fillSink(_ descriptor: Int32, _ offset: Int64, _ flags: Int32) throws(Errno) -> Int {
        guard remaining > 0, case .sink(var bytes) = storage else { return 0 }
        storage = .sink([])
        let start = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: remaining))
        var moved = 0
        defer {
            bytes.removeSubrange((start + moved)...)
            storage = .sink(bytes)
            advance(moved)
        }
        // SAFETY: the array has `remaining` bytes from `start` on and lives through the call.
        moved = try unsafe bytes.withUnsafeMutableBufferPointer { target throws(Errno) in
            guard let base = target.baseAddress else { return 0 }
            return try unsafe HostTransfer.read(
                descriptor, into: base + start, count: target.count - start, offset: offset, flags: flags)
        }
        return moved
    }

    /// Batches of pinned window memory through `move`; guest memory that lies in host files through `bounce`. With a position it goes on
    /// until something moves less than asked; without one there is a single host call, which may be all the stream has.
    private mutating func transfer(
        _ offset: Int64, isWrite: Bool,
        _ move: (UnsafeBufferPointer<iovec>, Int64) throws(Errno) -> Int,
        bounce: (inout IOBuffer, AddressSpace, GuestAddress, Int, Int64) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var done = 0
        while remaining > 0 {
            let position = offset < 0 ? offset : offset &+ Int64(done)
            var moved = 0
            var asked = 0
            do throws(Errno) {
                if let (space, pin, range) = pinWhole(isWrite: isWrite) {
                    // The common case, without any allocation: all of it lies in one piece of the window.
                    asked = Int(range.length)
                    defer { space.state.withLock { $0.unpin(pin) } }
                    // SAFETY: the pin keeps the memory from being recycled until the host call is over; `vector` lives through it.
                    let vector = unsafe iovec(iov_base: space.memoryFile.pointer(range.offset), iov_len: asked)
                    moved = try unsafe withUnsafePointer(to: vector) { pointer throws(Errno) in
                        try unsafe move(UnsafeBufferPointer(start: pointer, count: 1), position)
                    }
                    advance(moved)
                    done += moved
                    break
                }
                let batch = gather(isWrite: isWrite)
                if let batch, unsafe !batch.vectors.isEmpty {
                    asked = batch.count
                    defer { batch.space.state.withLock { $0.unpin(batch.pin) } }
                    // SAFETY: the pin keeps the memory from being recycled until the host call is over.
                    moved = try unsafe batch.vectors.withUnsafeBufferPointer { vectors throws(Errno) in
                        try unsafe move(vectors, position)
                    }
                } else if let (space, address, count) = front(Self.bounceSize), let batch {
                    asked = min(count, batch.count)
                    guard asked > 0 else { throw .EFAULT }
                    moved = try bounce(&self, space, address, asked, position)
                } else {
                    break
                }
            } catch {
                // What went before counts.
                if done > 0 { return done }
                throw error
            }
            advance(moved)
            done += moved
            if moved < asked || offset < 0 { break }
        }
        return done
    }

    /// Window memory behind the front of the buffer.
    @safe private struct Batch {
        var space: AddressSpace
        var pin: UInt64
        // SAFETY: addresses within the window, valid while pinned; passed to the host only.
        var vectors: [iovec]
        /// Bytes in `vectors`; where they are empty, bytes of host file memory at the front, 0 when it is inaccessible.
        var count: Int
    }

    /// Pins what is left of a plain range, if it is one piece of the window.
    private func pinWhole(isWrite: Bool) -> (space: AddressSpace, pin: UInt64, range: MemoryRange)? {
        guard case .range(let space, let address) = storage, remaining > 0 else { return nil }
        let length = UInt64(remaining)
        let pinned = space.state.withLock { state -> (UInt64, MemoryRange)? in
            guard case .memory(let offset, length)? = state.run(address.rawValue, length, writing: isWrite) else { return nil }
            let range = MemoryRange(offset: offset, length: length)
            return (state.pin(range, isWrite: isWrite), range)
        }
        guard let (pin, range) = pinned else { return nil }
        return (space, pin, range)
    }

    private func gather(isWrite: Bool) -> Batch? {
        guard let (space, _, _) = front(1) else { return nil }
        var ranges: [IOVector] = []
        switch storage {
        case .range(_, let address): ranges = [IOVector(base: address, length: UInt64(remaining))]
        case .vector(_, let vectors, let index, let offset):
            ranges = Array(vectors[index...])
            if !ranges.isEmpty {
                ranges[0].base = ranges[0].base + offset
                ranges[0].length -= offset
            }
        case .sink, .source: return nil
        }
        let limit = UInt64(remaining)
        let gathered = space.state.withLock { $0.gather(ranges, limit: limit, isWrite: isWrite) }
        // SAFETY: the ranges lie in the window and were pinned under the lock.
        let vectors = unsafe gathered.runs.map { run in
            unsafe iovec(iov_base: space.memoryFile.pointer(run.offset), iov_len: Int(run.length))
        }
        return unsafe Batch(space: space, pin: gathered.pin, vectors: vectors, count: gathered.count)
    }
}

extension AddressSpaceState {
    /// IOV_MAX of the host.
    private static let maximumVectors = 1024

    /// Makes the ranges accessible from their front and pins the memory behind them, up to the first part that is inaccessible or lies
    /// in a host file. Nothing pinned: `count` is the length of the host file part at the front.
    mutating func gather(_ ranges: [IOVector], limit: UInt64, isWrite: Bool) -> (pin: UInt64, runs: [MemoryRange], count: Int) {
        var runs: [MemoryRange] = []
        var total: UInt64 = 0
        var hostCount: UInt64 = 0
        collect: for range in ranges {
            var done: UInt64 = 0
            while done < range.length && total < limit {
                guard runs.count < Self.maximumVectors,
                    let run = run((range.base + done).rawValue, min(range.length - done, limit - total), writing: isWrite)
                else { break collect }
                guard case .memory(let offset, let length) = run else {
                    if case .host(_, _, let length) = run { hostCount = length }
                    break collect
                }
                if let last = runs.last, last.offset + last.length == offset {
                    runs[runs.count - 1].length += length
                } else {
                    runs.append(MemoryRange(offset: offset, length: length))
                }
                done += length
                total += length
            }
        }
        guard !runs.isEmpty else { return (0, [], Int(hostCount)) }
        let id = nextPin
        nextPin += 1
        for run in runs { pins.append(Pin(id: id, range: run, isWrite: isWrite)) }
        return (id, runs, Int(total))
    }

    mutating func pin(_ range: MemoryRange, isWrite: Bool) -> UInt64 {
        let id = nextPin
        nextPin += 1
        pins.append(Pin(id: id, range: range, isWrite: isWrite))
        return id
    }
}
