import Kernel
import LinuxABI
import Memory
import VirtualFileSystem

/// sendfile(2) and copy_file_range(2).
extension SystemCallFamilies {
    public static let fileTransfer: [SystemCallEntry] = [
        .init(40, "sendfile", sysSendfile),
        .init(326, "copy_file_range", sysCopyFileRange),
    ]

    private static let chunk = 128 << 10

    /// Reads one chunk at `offset`, without moving any position.
    private static func chunk(_ file: FileDescription, at offset: Int64, _ count: Int, _ current: CurrentTask) throws(Errno) -> [UInt8] {
        var buffer = IOBuffer(kernelCapacity: min(count, chunk))
        if try file.operations.read(&buffer, at: .offset(offset), caller: current) > 0 { FileNotice.post(.access, file) }
        return buffer.kernelBytes
    }

    @Sendable static func sysSendfile(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        var explicit: Int64?
        if !a.address(2).isNull { explicit = try current.memory.load(Int64.self, at: a.address(2)) }
        let source = try current.file(a.int(1))
        guard source.isReadable else { throw .EBADF }
        if explicit != nil && !source.operations.isSeekable { throw .ESPIPE }
        guard Int64(bitPattern: a.a3) >= 0 else { throw .EINVAL }
        let count = min(Int(truncatingIfNeeded: a.a3), TransferLimit.bytes)
        if let explicit { try FileIO.checkRange(explicit, count) }
        let target = try current.file(a.int(0))
        guard target.isWritable else { throw .EBADF }
        if target.statusFlags.contains(.append) { throw .EINVAL }
        // Into a pipe goes whatever can be spliced, elsewhere what has positions (splice_direct_to_actor).
        guard source.operations.splicing.contains(.source), target.operations.splicing.contains(.target) else { throw .EINVAL }
        guard source.operations.isSeekable || target.type == .fifo else { throw .EINVAL }
        if count == 0 { return 0 }

        if let explicit {
            let sent = try send(source, from: explicit, count, to: target, current)
            try current.memory.store(explicit &+ Int64(sent), at: a.address(2))
            return sent
        }
        if !source.operations.isSeekable, let pipe = (target.operations as? PipeEnd)?.pipe {
            return try spliceIn(source, .null, count, to: target, pipe, waits: !source.isNonBlocking && !target.isNonBlocking, current)
        }
        if !source.operations.isSeekable || source.operations.hasOwnPosition { return try sendStream(source, count, to: target, current) }
        let start = source.position.withLock { $0 }
        let sent = try send(source, from: start, count, to: target, current)
        // As Linux, which takes the position at the start and puts it back at the end.
        source.position.withLock { $0 = start &+ Int64(sent) }
        return sent
    }

    private static func send(_ source: FileDescription, from start: Int64, _ count: Int, to target: FileDescription, _ current: CurrentTask)
        throws(Errno) -> Int
    {
        var total = 0
        do throws(Errno) {
            while total < count {
                let bytes = try chunk(source, at: start &+ Int64(total), count - total, current)
                if bytes.isEmpty { break }
                var buffer = IOBuffer(kernelBytes: bytes)
                let written = try FileIO.write(target, &buffer, current)
                total += written
                if written < bytes.count { break }
                if current.isSignalPending { break }
            }
        } catch {
            if total == 0 { throw error }
        }
        return total
    }

    /// From what keeps its position itself, or to a pipe of the host.
    private static func sendStream(_ source: FileDescription, _ count: Int, to target: FileDescription, _ current: CurrentTask)
        throws(Errno) -> Int
    {
        var buffer = IOBuffer(kernelCapacity: min(count, chunk))
        _ = try FileIO.read(source, &buffer, current)
        var bytes = IOBuffer(kernelBytes: buffer.kernelBytes)
        return bytes.remaining == 0 ? 0 : try FileIO.write(target, &bytes, current)
    }

    @Sendable static func sysCopyFileRange(_ current: CurrentTask, _ a: SystemCallArguments) throws(Errno) -> Int {
        let source = try current.file(a.int(0))
        let target = try current.file(a.int(2))
        let readAt = try offset(current, source, a.address(1))
        let writeAt = try offset(current, target, a.address(3))
        guard a.uint(5) == 0 else { throw .EINVAL }
        if source.type == .directory || target.type == .directory { throw .EISDIR }
        guard source.type == .regular, target.type == .regular, let from = source.inode, let to = target.inode else { throw .EINVAL }
        guard source.isReadable, target.isWritable, !target.statusFlags.contains(.append) else { throw .EBADF }
        guard from.fileSystem === to.fileSystem else { throw .EXDEV }
        // The length is unsigned, and bounded only by what the source holds (generic_copy_file_checks).
        for start in [readAt, writeAt] where UInt64(bitPattern: start).addingReportingOverflow(a.a4).overflow { throw .EOVERFLOW }
        guard readAt >= 0, writeAt >= 0 else { throw .EINVAL }
        let size = Int64(clamping: try from.attributes().size)
        guard writeAt < Int64.max else { throw .EFBIG }
        let count = min(Int(clamping: a.a4), TransferLimit.bytes, Int(max(0, size - readAt)), Int(Int64.max - writeAt))
        if from === to && readAt < writeAt &+ Int64(count) && writeAt < readAt &+ Int64(count) { throw .EINVAL }

        var total = 0
        do throws(Errno) {
            try VFS.removePrivileges(to, caller: current)
            while total < count {
                // Between two files of the host the host copies, sharing blocks where it can.
                let (readFrom, writeTo) = (readAt &+ Int64(total), writeAt &+ Int64(total))
                if let copied = try source.operations.copy(
                    from: readFrom, count - total, to: target.operations, at: writeTo, caller: current)
                {
                    if copied > 0 { FileNotice.post(.modify, target) }
                    total += copied
                    if copied == 0 || current.isSignalPending { break }
                    continue
                }
                let bytes = try chunk(source, at: readAt &+ Int64(total), count - total, current)
                if bytes.isEmpty { break }
                var buffer = IOBuffer(kernelBytes: bytes)
                let written = try FileIO.write(target, &buffer, at: writeAt &+ Int64(total), current)
                total += written
                if written < bytes.count || current.isSignalPending { break }
            }
        } catch {
            if total == 0 { throw error }
        }
        try advance(current, source, a.address(1), readAt, total)
        try advance(current, target, a.address(3), writeAt, total)
        return total
    }

    private static func offset(_ current: CurrentTask, _ file: FileDescription, _ address: GuestAddress) throws(Errno) -> Int64 {
        if address.isNull { return file.position.withLock { $0 } }
        return try current.memory.load(Int64.self, at: address)
    }

    private static func advance(_ current: CurrentTask, _ file: FileDescription, _ address: GuestAddress, _ start: Int64, _ count: Int)
        throws(Errno)
    {
        if count == 0 { return }
        if address.isNull {
            file.position.withLock { $0 = start &+ Int64(count) }
        } else {
            try current.memory.store(start &+ Int64(count), at: address)
        }
    }
}
