import LinuxABI
import Memory

/// The pipe side of splice(2), tee(2) and vmsplice(2). Data is copied, not remapped; what programs can observe is the same.
extension Pipe {
    /// Hands up to `count` bytes to `sink` and drops as many as it took. The lock is held meanwhile (Linux holds the pipe's mutex as
    /// well), so that no other reader sees the bytes or overtakes.
    /// - Throws: EAGAIN when empty with a writer left; what `sink` throws. Returns 0 at end of file.
    public func splice(
        out count: Int, _ sink: (_ bytes: inout IOBuffer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var wasFull = false
        let moved = try state.withLock { s throws(Errno) -> Int in
            if s.ring.isEmpty {
                if s.writers == 0 { return 0 }
                throw .EAGAIN
            }
            wasFull = s.ring.isFull
            var bytes = IOBuffer(kernelBytes: s.ring.peek(min(count, 1 << 20)))
            let moved = try sink(&bytes)
            s.ring.consume(moved)
            return moved
        }
        if wasFull { waiters.notify(.allWritable) }
        return moved
    }

    /// Lets `source` fill up to `count` bytes of the room there is. The lock is held meanwhile, so that what was read surely fits.
    /// - Throws: EPIPE without readers, EAGAIN when full; what `source` throws.
    public func splice(
        in count: Int, _ source: (_ room: inout IOBuffer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let moved = try state.withLock { s throws(Errno) -> Int in
            if s.readers == 0 { throw .EPIPE }
            if s.ring.isFull { throw .EAGAIN }
            var room = IOBuffer(kernelCapacity: min(count, s.ring.freePages * PipeRing.pageSize))
            let moved = try source(&room)
            if moved > 0 { s.ring.append(room.kernelBytes) }
            return moved
        }
        if moved > 0 { waiters.notify(.allReadable) }
        return moved
    }

    /// splice(2) and tee(2) between two pipes: moves, or with `keeping` copies, up to `count` bytes.
    /// - Throws: EINVAL for one pipe, EPIPE without readers, EAGAIN when either side has to be waited for.
    public static func transfer(from source: Pipe, to target: Pipe, count: Int, keeping: Bool) throws(Errno) -> Int {
        if source === target { throw .EINVAL }
        var wasFull = false
        func move(_ from: inout State, _ to: inout State) throws(Errno) -> Int {
            if to.readers == 0 { throw .EPIPE }
            if from.ring.isEmpty {
                if from.writers == 0 { return 0 }
                throw .EAGAIN
            }
            if to.ring.isFull { throw .EAGAIN }
            wasFull = from.ring.isFull
            let bytes = from.ring.peek(min(count, to.ring.freePages * PipeRing.pageSize))
            to.ring.append(bytes)
            if !keeping { from.ring.consume(bytes.count) }
            return bytes.count
        }
        let moved: Int
        if ObjectIdentifier(source) < ObjectIdentifier(target) {
            moved = try source.state.withLock { from throws(Errno) in try target.state.withLock { to throws(Errno) in try move(&from, &to) } }
        } else {
            moved = try target.state.withLock { to throws(Errno) in try source.state.withLock { from throws(Errno) in try move(&from, &to) } }
        }
        if moved > 0 {
            target.waiters.notify(.allReadable)
            if wasFull && !keeping { source.waiters.notify(.allWritable) }
        }
        return moved
    }

    /// Whether a splice with this end as source or target would have to wait: for the wait loops of the system calls.
    public var isEmpty: Bool { state.withLock { $0.ring.isEmpty } }
}
