import HostOS
import LinuxABI
import Memory
import Synchronization
import VirtualFileSystem

/// A host descriptor that came into the sandbox from outside: a regular file, pipe, socket or device as standard input, output or
/// error. Data passes byte for byte.
///
/// The descriptor's open file is shared with the processes outside. So its position is the one that reads and writes move, and its flags are never
/// changed: O_NONBLOCK would show outside. Calls that might block are made with RWF_NOWAIT, or after poll(2) where the file has no such
/// thing.
final class HostFile: FileOperations {
    let inode: HostInode
    private let descriptor: SharedHostDescriptor
    private let ready: HostReadiness
    /// Regular files and devices that are always ready.
    private let neverBlocks: Bool
    let isSeekable: Bool
    let hasOwnPosition: Bool
    /// Cleared when the host says that the file can't do RWF_NOWAIT.
    private let hasNoWait = Atomic<Bool>(true)
    private let appends = Atomic<Bool>(false)

    /// `sharesPosition` is false for a file opened anew through /proc/self/fd, which has a position of its own.
    init(_ inode: HostInode, sharesPosition: Bool, appends: Bool) {
        self.inode = inode
        descriptor = inode.descriptor
        ready = HostReadiness(descriptor.number)
        neverBlocks = inode.type == .regular || inode.type == .directory || inode.type == .blockDevice
        isSeekable = (try? HostFileCalls.seek(descriptor.number, offset: 0, whence: 1)) != nil
        hasOwnPosition = sharesPosition && isSeekable
        self.appends.store(appends, ordering: .relaxed)
    }

    private var number: Int32 { descriptor.number }

    var splicing: Splicing { [.source, .target] }
    func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        if case .offset(let offset) = position {
            guard offset >= 0 else { throw .EINVAL }
            return try buffer.fill(fromHost: number, offset: offset)
        }
        if neverBlocks { return try buffer.fill(fromHost: number, offset: -1) }
        if hasNoWait.load(ordering: .relaxed) {
            do throws(Errno) {
                return try buffer.fill(fromHost: number, offset: -1, flags: HostIOFlags.noWait)
            } catch {
                switch error {
                case .EOPNOTSUPP: hasNoWait.store(false, ordering: .relaxed)
                case .EAGAIN, .EINTR: try missing()
                default: throw error
                }
            }
        }
        try require([.allReadable, .hangUp, .error])
        return try uninterrupted { () throws(Errno) in try buffer.fill(fromHost: number, offset: -1) }
    }

    func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        if case .offset(let offset) = position {
            guard offset >= 0 else { throw .EINVAL }
            let count = try buffer.drain(toHost: number, offset: offset)
            return (count, offset &+ Int64(count))
        }
        if neverBlocks {
            try limit(&buffer, caller)
            // The host's own O_APPEND works by itself; this one was set inside.
            let flags = appends.load(ordering: .relaxed) ? HostIOFlags.append : 0
            return (try buffer.drain(toHost: number, offset: -1, flags: flags), 0)
        }
        var count = 0
        while buffer.remaining > 0 {
            do throws(Errno) {
                count += try writeSome(&buffer)
            } catch {
                if count > 0 { break }
                throw error
            }
        }
        return (count, 0)
    }

    private func writeSome(_ buffer: inout IOBuffer) throws(Errno) -> Int {
        if hasNoWait.load(ordering: .relaxed) {
            do throws(Errno) {
                return try buffer.drain(toHost: number, offset: -1, flags: HostIOFlags.noWait)
            } catch {
                switch error {
                case .EOPNOTSUPP: hasNoWait.store(false, ordering: .relaxed)
                case .EAGAIN, .EINTR: try missing()
                default: throw error
                }
            }
        }
        try require([.allWritable, .error])
        // A pipe that polls writable takes PIPE_BUF bytes; more could block.
        var part = IOBuffer(kernelBytes: try buffer.take(min(buffer.remaining, 4096)))
        return try uninterrupted { () throws(Errno) in try part.drain(toHost: number, offset: -1) }
    }

    /// RLIMIT_FSIZE of the guest, at the position that the write will have.
    private func limit(_ buffer: inout IOBuffer, _ caller: any Caller) throws(Errno) {
        let limit = caller.fileSizeLimit
        guard inode.type == .regular, limit < UInt64(Int64.max), buffer.remaining > 0 else { return }
        let position = try HostFileCalls.seek(number, offset: 0, whence: appends.load(ordering: .relaxed) ? 2 : 1)
        guard UInt64(max(0, position)) < limit else {
            caller.raise(.SIGXFSZ)
            throw .EFBIG
        }
        let room = limit - UInt64(max(0, position))
        if UInt64(buffer.remaining) > room { buffer.truncate(to: Int(truncatingIfNeeded: room)) }
    }

    private func missing() throws(Errno) -> Never {
        ready.wanted()
        throw .EAGAIN
    }
    private func require(_ events: PollEvents) throws(Errno) {
        if try HostFileCalls.poll(number, events, milliseconds: 0).isDisjoint(with: events) { try missing() }
    }
    private func uninterrupted<R>(_ body: () throws(Errno) -> R) throws(Errno) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            // A host signal meant for this thread: the caller looks at its own signals and comes again.
            if error == .EINTR || error == .EAGAIN { try missing() }
            throw error
        }
    }

    func seek(offset: Int64, whence: Int32, current: Int64) throws(Errno) -> Int64 {
        if hasOwnPosition { return try HostFileCalls.seek(number, offset: offset, whence: whence) }
        let base: Int64
        switch whence {
        case 0: base = 0
        case 1: base = current
        case 2: base = Int64(truncatingIfNeeded: try HostFileStatus(of: number).size)
        // SEEK_DATA and SEEK_HOLE would move the shared position.
        default: throw .EINVAL
        }
        let (result, overflow) = base.addingReportingOverflow(offset)
        guard !overflow else { throw .EOVERFLOW }
        guard result >= 0 else { throw .EINVAL }
        return result
    }

    func readiness() -> PollEvents { neverBlocks ? [.allReadable, .allWritable] : ready.current() }
    func addWaiter(_ entry: WaitEntry) { if !neverBlocks { ready.add(entry) } }
    func removeWaiter(_ entry: WaitEntry) { if !neverBlocks { ready.remove(entry) } }
    var isPollable: Bool { inode.type == .fifo || inode.type == .socket }

    func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        switch request {
        case IoctlRequest.FIONREAD, IoctlRequest.SIOCOUTQ:
            var bytes: [UInt8] = [0, 0, 0, 0]
            _ = try HostFileCalls.control(number, request, &bytes)
            try caller.memory.copyOut(bytes, to: GuestAddress(argument))
            return 0
        default: throw .ENOTTY
        }
    }

    var mappable: (any MemoryMappable)? { inode.type == .regular ? inode : nil }
    func synchronize(dataOnly: Bool) throws(Errno) { try HostFileCalls.synchronize(number, dataOnly: dataOnly) }
    func allocate(mode: Int32, offset: Int64, length: Int64, caller: any Caller) throws(Errno) {
        try HostFileCalls.allocate(number, mode: mode, offset: offset, length: length)
    }
    func statusFlagsChanged(_ flags: OpenFlags) throws(Errno) {
        appends.store(flags.contains(.append) && !inode.hostFlags.contains(.append), ordering: .relaxed)
    }
}
