import LinuxABI
import Memory
import Synchronization

/// An open end of a pipe or FIFO: read, write, or both (a FIFO opened with O_RDWR).
public final class PipeEnd: FileOperations {
    public let pipe: Pipe
    private let isReader: Bool
    private let isWriter: Bool
    /// For a FIFO opened for reading without blocking while it had no writer: the count of writers ever, at that time.
    private let writerOpensAtOpen: Int?
    /// O_DIRECT: each write is a packet.
    private let writesPackets: Atomic<Bool>

    /// The pipe has counted this end already.
    init(pipe: Pipe, reader: Bool, writer: Bool, packets: Bool, writerOpensAtOpen: Int? = nil) {
        self.pipe = pipe
        isReader = reader
        isWriter = writer
        self.writerOpensAtOpen = writerOpensAtOpen
        writesPackets = Atomic(packets)
    }

    /// As a source, a pipe has calls of its own.
    public var splicing: Splicing { .target }
    public func read(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> Int {
        guard isReader else { throw .EBADF }
        return try pipe.read(&buffer)
    }

    public func write(_ buffer: inout IOBuffer, at position: FilePosition, caller: any Caller) throws(Errno) -> (count: Int, end: Int64) {
        guard isWriter else { throw .EBADF }
        return (try pipe.write(&buffer, asPackets: writesPackets.load(ordering: .relaxed)), 0)
    }

    public func readiness() -> PollEvents {
        pipe.readiness(reader: isReader, writer: isWriter, writerOpensAtOpen: writerOpensAtOpen)
    }
    public func addWaiter(_ entry: WaitEntry) { pipe.waiters.add(entry) }
    public func removeWaiter(_ entry: WaitEntry) { pipe.waiters.remove(entry) }
    public var isPollable: Bool { true }

    public func ioctl(_ request: UInt32, argument: UInt64, caller: any Caller) throws(Errno) -> Int {
        guard request == IoctlRequest.FIONREAD else { throw .ENOTTY }
        try caller.memory.store(Int32(truncatingIfNeeded: pipe.byteCount), at: GuestAddress(argument))
        return 0
    }

    public var pipeCapacity: Int? { pipe.capacity }
    public func setPipeCapacity(_ bytes: Int, caller: any Caller) throws(Errno) -> Int {
        try pipe.setCapacity(bytes, caller: caller)
    }

    public func statusFlagsChanged(_ flags: OpenFlags) throws(Errno) {
        writesPackets.store(flags.contains(.direct), ordering: .relaxed)
    }

    public func released() { pipe.closed(reader: isReader, writer: isWriter) }
}

extension Pipe {
    /// pipe2(2): both ends as file descriptions. `flags`: O_NONBLOCK and O_DIRECT.
    public static func makePair(flags: OpenFlags, caller: any Caller) -> (reader: FileDescription, writer: FileDescription) {
        let pipe = Pipe()
        let inode = PseudoInode(.pipes, FileMode(.fifo, 0o600), credentials: caller.credentials, pipe: pipe)
        pipe.opened(reader: true, writer: true)
        let common = flags.intersection([.nonBlocking])
        let name = "pipe:[\(inode.number)]"
        let reader = FileDescription(
            operations: PipeEnd(pipe: pipe, reader: true, writer: false, packets: false), inode: inode, anonymousName: name, flags: common)
        let writer = FileDescription(
            operations: PipeEnd(pipe: pipe, reader: false, writer: true, packets: flags.contains(.direct)), inode: inode,
            anonymousName: name, flags: common.union(.writeOnly).union(flags.intersection(.direct)))
        return (reader, writer)
    }

    /// Opens a FIFO node, or an unnamed pipe anew through /proc/PID/fd, by the rules of fifo(7): readers and writers wait for each
    /// other unless O_NONBLOCK; a writer that may not wait needs a reader; O_RDWR never waits.
    /// - Throws: ENXIO, ERESTARTSYS on a signal, EINVAL without an access mode.
    public static func openFIFO(inode: any Inode, flags: OpenFlags, caller: any Caller) throws(Errno) -> any FileOperations {
        let reader = flags.isReadable, writer = flags.isWritable
        guard reader || writer else { throw .EINVAL }
        let unnamed = (inode as? PseudoInode)?.pipe
        guard let pipe = unnamed ?? (inode.shared.fifo { Pipe() } as? Pipe) else { throw .ENXIO }
        let isNonBlocking = flags.contains(.nonBlocking)
        var writerOpensAtOpen: Int?

        if writer && !reader && isNonBlocking && unnamed == nil {
            // Counted in the same critical section that looks for a reader.
            try pipe.state.withLock { s throws(Errno) in
                if s.readers == 0 { throw .ENXIO }
                s.writers += 1
                s.writerOpens &+= 1
            }
            pipe.waiters.notify(.everything)
        } else {
            pipe.opened(reader: reader, writer: writer)
            if unnamed == nil && !(reader && writer) {
                do {
                    writerOpensAtOpen = try pipe.awaitPartner(asReader: reader, isNonBlocking: isNonBlocking, caller: caller)
                } catch {
                    pipe.closed(reader: reader, writer: writer)
                    throw error
                }
            }
        }
        return PipeEnd(
            pipe: pipe, reader: reader, writer: writer, packets: writer && flags.contains(.direct), writerOpensAtOpen: writerOpensAtOpen)
    }

    /// Waits until the other side has been opened. Returns the writers counted so far when a reader went on without one.
    private func awaitPartner(asReader: Bool, isNonBlocking: Bool, caller: any Caller) throws(Errno) -> Int? {
        let (present, opens) = state.withLock { s in
            asReader ? (s.writers > 0, s.writerOpens) : (s.readers > 0, s.readerOpens)
        }
        if present { return nil }
        if isNonBlocking { return asReader ? opens : nil }
        try caller.wait(on: waiters) { () throws(Errno) -> Void? in
            // A partner that came and went in the meantime counts as well.
            state.withLock { (asReader ? $0.writerOpens : $0.readerOpens) != opens } ? () : nil
        }
        return nil
    }
}
